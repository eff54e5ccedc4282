using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Effectuation;

/// <summary>Masks entries that stand in a message: what no masking covers is not read any further. Pure, and by <see cref="Masker"/> throughout.</summary>
public static class RawMasker
{
    /// <summary>Adds a patient's entries to the answer, masked.</summary>
    /// <param name="update">The message.</param>
    /// <param name="patient">Whose entries.</param>
    /// <param name="answer">The message's answer.</param>
    /// <param name="picture">What is masked.</param>
    /// <param name="key">The patient's key in this picture.</param>
    /// <param name="pseudonyms">Prepared for the same patient.</param>
    /// <param name="nowMs">Now, by the feed's clock.</param>
    /// <param name="only">The one organisation that the entries may come from, where that is known.</param>
    /// <returns>The patient's findings, whether anybody is masked in what leaves, and in how many entries somebody has been masked here.</returns>
    public static (IReadOnlyList<Finding> Findings, bool IsAnyoneMasked, int Masked) Mask(
        RawUpdate update, RawPatient patient, RawMaskedUpdate answer, MaskingPicture picture, PatientKey key, PatientPseudonyms pseudonyms, long nowMs, CvrNumber? only)
    {
        var entries = update.EntriesOf(patient);
        var (covered, places, isAnyoneMasked) = ((List<Entry>?)null, (List<int>?)null, false);
        for (var i = 0; i < entries.Length; i++)
        {
            isAnyoneMasked |= entries[i].IsAnyoneMarked;
            if (Masker.Decide(entries[i].Cvr, entries[i].SorId, entries[i].Shak, picture, key, nowMs, only) == Cover.None)
                continue;
            (covered ??= []).Add(update.Judged(entries[i]));
            (places ??= []).Add(i);
        }
        if (covered is null)
        {
            answer.Add(patient, null, picture.Position, []);
            return ([], isAnyoneMasked, 0);
        }
        var response = Masker.Mask(covered, picture, key, pseudonyms, nowMs, only);
        var (masked, count) = (new Entry?[entries.Length], 0);
        for (var i = 0; i < covered.Count; i++)
        {
            if (ReferenceEquals(response.Entries[i], covered[i]))
                continue;
            masked[places![i]] = response.Entries[i];
            count++;
        }
        answer.Add(patient, masked, picture.Position, response.Findings);
        return (response.Findings, isAnyoneMasked || count > 0, count);
    }
}
