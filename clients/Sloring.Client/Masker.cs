using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Client;

/// <summary>
/// Replaces the names of masked staff, at display time, before data leaves for a citizen view (rule E1). Pure: the same entries, picture, salt and
/// instant give the same answer. When an entry happened never counts: a masking hides history and new entries alike.
/// </summary>
public static class Masker
{
    /// <summary>Masks the entries of one patient.</summary>
    /// <param name="entries">Entries; none is changed.</param>
    /// <param name="picture">What is masked.</param>
    /// <param name="patient">The patient whose data is shown; never the person logged in (rule E4).</param>
    /// <param name="salt">The salt in use, its text as received.</param>
    /// <param name="nowMs">Now, milliseconds since 1970 UTC, by the feed's clock.</param>
    /// <returns>Every entry in order, each a masked copy or the same object, with findings and position; the explanation is left to the caller.</returns>
    public static MaskEntriesResponse Mask(IReadOnlyList<Entry> entries, MaskingPicture picture, CprNumber patient, string salt, long nowMs) =>
        Mask(entries, picture, picture.KeyOf(patient), NationalPseudonym.For(patient, salt), nowMs);

    /// <summary>The same, for a caller that masks many batches of one patient: the key and the prepared pseudonyms are made once.</summary>
    /// <param name="entries">Entries; none is changed.</param>
    /// <param name="picture">What is masked.</param>
    /// <param name="patient">The patient's key in this picture.</param>
    /// <param name="pseudonyms">Prepared for the same patient.</param>
    /// <param name="nowMs">Now, by the feed's clock.</param>
    /// <param name="only">The one organisation that the entries may come from, where that is known: an entry without a usable CVR number is taken for its.</param>
    public static MaskEntriesResponse Mask(
        IReadOnlyList<Entry> entries, MaskingPicture picture, PatientKey patient, PatientPseudonyms pseudonyms, long nowMs, CvrNumber? only = null)
    {
        var response = new MaskEntriesResponse { Position = picture.Position };
        response.Entries.Capacity = entries.Count;
        var names = new PseudonymCache(pseudonyms, entries.Count);
        try
        {
            for (var i = 0; i < entries.Count; i++)
            {
                var entry = entries[i];
                response.Entries.Add(Mask(entry, Decide(entry, picture, patient, nowMs, only), ref names, response));
            }
        }
        finally
        {
            names.Dispose();
        }
        return response;
    }

    /// <summary>Whether an entry's staff is masked, and why (rules M1, D1, D4, E5).</summary>
    public static Cover Decide(Entry entry, MaskingPicture picture, PatientKey patient, long nowMs, CvrNumber? only = null) =>
        Decide(entry.Cvr, entry.SorId, entry.Shak, picture, patient, nowMs, only);

    /// <summary>The same for an entry of which no more has been read than decides.</summary>
    /// <param name="entryCvr">The entry's CVR number as it came, or "".</param>
    /// <param name="sorId">Its SOR id as it came, or "".</param>
    /// <param name="shak">Its SHAK code as it came, or "".</param>
    /// <param name="picture">What is masked.</param>
    /// <param name="patient">The patient's key in this picture.</param>
    /// <param name="nowMs">Now, by the feed's clock.</param>
    /// <param name="only">The one organisation that the entry may come from, where that is known.</param>
    public static Cover Decide(string entryCvr, string sorId, string shak, MaskingPicture picture, PatientKey patient, long nowMs, CvrNumber? only = null)
    {
        only ??= picture.Only;
        if (CvrNumber.TryParse(entryCvr, out var cvr))
        {
            if (only is { } known && !picture.AreSame(cvr, known))
                return Cover.OrganisationMissing;
            if (picture.Index.IsMasked(patient, cvr, nowMs) || picture.Units.Covers(sorId, shak))
                return Cover.Covered;
            return picture.Units.MayCover(cvr, sorId, shak) ? Cover.UnitMissing : Cover.None;
        }
        if (picture.Units.Covers(sorId, shak))
            return Cover.Covered;
        var couldBe = only is { } organisation
            ? picture.Index.IsMasked(patient, organisation, nowMs) || picture.Units.MayCover(organisation, sorId, shak)
            : picture.Index.ForPatient(patient, nowMs).Any() || picture.Units.MayCover(sorId, shak);
        return couldBe ? Cover.OrganisationMissing : Cover.None;
    }

    private static Entry Mask(Entry entry, Cover cover, ref PseudonymCache names, MaskEntriesResponse response)
    {
        if (cover == Cover.None || !NamesAnyone(entry))
            return entry;

        // Made field by field, so that a field of a newer contract that this version cannot judge is left out.
        var masked = new Entry
        {
            Id = entry.Id,
            Source = entry.Source,
            Cvr = entry.Cvr,
            SorId = entry.SorId,
            Shak = entry.Shak,
            OrganisationName = entry.OrganisationName,
            OccurredAt = entry.OccurredAt,
            Activity = entry.Activity,
            Text = entry.Text,
        };
        var found = cover switch
        {
            Cover.OrganisationMissing => Found.OrganisationMissing,
            Cover.UnitMissing => Found.UnitMissing,
            _ => Found.Nothing,
        };
        var staff = entry.Staff;
        masked.Staff.Capacity = staff.Count;
        for (var i = 0; i < staff.Count; i++)
        {
            var person = staff[i];
            masked.Staff.Add(IsMasked(person) ? person : Mask(person, entry.Text, ref names, ref found));
        }
        if (found != Found.Nothing)
            Report(found, entry, response);
        return masked;
    }

    /// <summary>Rules E2 and E3. The professional group stays: it is shown beside the pseudonym.</summary>
    private static Staff Mask(Staff person, string text, ref PseudonymCache names, ref Found found)
    {
        var masked = new Staff
        {
            Role = person.Role,
            ProfessionCode = person.ProfessionCode,
            Profession = Professions.NameOf(person.ProfessionCode),
            Masked = true,
        };
        if (!Professions.IsKnown(person.ProfessionCode))
            found |= Found.ProfessionUnknown;
        if (string.IsNullOrWhiteSpace(person.Name))
        {
            found |= Found.NameMissing;
            return masked;
        }
        try
        {
            masked.Pseudonym = names.Of(person.Name);
        }
        catch (ArgumentException) when (person.Name.Contains('\uFFFE'))
        {
            // No character in the sense of Unicode, so the name has no normal form: hidden all the same, and reported.
            found |= Found.NameMissing;
        }
        if (text.Length != 0 && NameInText.Occurs(person.Name, text))
            found |= Found.NameInText;
        return masked;
    }

    private static bool NamesAnyone(Entry entry)
    {
        var staff = entry.Staff;
        for (var i = 0; i < staff.Count; i++)
        {
            if (!IsMasked(staff[i]))
                return true;
        }
        return false;
    }

    /// <summary>Masked before, with nothing left that names the person. The mark alone proves nothing: a source may set it and leave the name.</summary>
    private static bool IsMasked(Staff person) =>
        person.Masked && (person.Name.Length | person.Cpr.Length | person.AuthorisationId.Length | person.UserId.Length | person.Email.Length) == 0;

    private static void Report(Found found, Entry entry, MaskEntriesResponse response)
    {
        for (var kind = FindingKind.NameInText; kind <= FindingKind.ProfessionUnknown; kind++)
        {
            if (found.HasFlag((Found)(1 << (int)kind)))
                response.Findings.Add(new Finding { EntryId = entry.Id, Source = entry.Source, Kind = kind });
        }
    }

    /// <summary>Findings of one entry, each told once: bit n is <see cref="FindingKind"/> n.</summary>
    [Flags]
    private enum Found
    {
        Nothing = 0,
        NameInText = 1 << FindingKind.NameInText,
        OrganisationMissing = 1 << FindingKind.OrganisationMissing,
        UnitMissing = 1 << FindingKind.UnitMissing,
        NameMissing = 1 << FindingKind.NameMissing,
        ProfessionUnknown = 1 << FindingKind.ProfessionUnknown,
    }
}
