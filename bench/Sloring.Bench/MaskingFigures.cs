using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf.Collections;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Bench;

/// <summary>What masking an entry costs, beside one SHA-1 over the bytes that its pseudonym is made of.</summary>
public static class MaskingFigures
{
    private const int Entries = 1_000;
    private const string Salt = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string OidNamespace = "6ba7b8129dad11d180b400c04fd430c8";

    private static readonly string[] FirstNames = ["Karen", "Søren", "Anne-Marie", "Jens Peter", "Åse", "Mohammed", "Kirsten", "Lars", "Bodil Kærgård", "Ida"];
    private static readonly string[] LastNames = ["Hansen", "Møller", "Sørensen", "Nielsen", "Østergaard", "Christensen", "Bæk", "Kjær Pedersen", "Holm", "Lund"];

    public static IEnumerable<Figure> Measure()
    {
        var patient = CprNumber.Parse("2512489996");
        var cvr = CvrNumber.Parse("33257872");
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        var masking = new PatientMasking(PatientKey.Compute(secret, patient), cvr, long.MaxValue);
        var picture = new MaskingPicture(MaskingIndex.FromSnapshot([masking]), MaskedUnits.None, 1, secret);

        var fresh = Batch(i => $"{FirstNames[i % 10]} {LastNames[i / 10 % 10]} {(char)('A' + (i / 100))}", cvr);
        var repeated = Batch(i => $"{FirstNames[i % 10]} {LastNames[i % 10]}", cvr);

        yield return Figure.Timed("mask an entry, name not seen before / one SHA-1", 1.5, Entries, () => Mask(fresh), Yardstick(fresh));
        yield return Figure.Timed("mask an entry, name seen before / one SHA-1", 0.25, Entries, () => Mask(repeated), Yardstick(repeated));
        yield return Allocated("memory of masking fresh names / of its result", fresh);
        yield return Allocated("memory of masking repeated names / of its result", repeated);

        MaskEntriesResponse Mask(RepeatedField<Entry> entries) => Masker.Mask(entries, picture, patient, Salt, 0);

        Figure Allocated(string name, RepeatedField<Entry> entries)
        {
            var took = BytesOf(() => Mask(entries));
            var made = BytesOf(() => Remake(Mask(entries))) - took;
            return new Figure(name, (double)took / made, 1.01, $"{(double)took / Entries:F1} bytes against {(double)made / Entries:F1}, an entry");
        }
    }

    private static long BytesOf(Func<MaskEntriesResponse> work)
    {
        work();
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>The objects of a result and nothing else, each pseudonym's text as often as the result holds it.</summary>
    private static MaskEntriesResponse Remake(MaskEntriesResponse result)
    {
        var remade = new MaskEntriesResponse();
        remade.Entries.Capacity = result.Entries.Count;
        for (var i = 0; i < result.Entries.Count; i++)
        {
            var entry = new Entry { Id = result.Entries[i].Id };
            entry.Staff.Capacity = 1;
            var pseudonym = result.Entries[i].Staff[0].Pseudonym;
            var seen = i >= 10 && ReferenceEquals(pseudonym, result.Entries[i - 10].Staff[0].Pseudonym);
            entry.Staff.Add(new Staff { Pseudonym = seen ? pseudonym : new string(pseudonym.AsSpan()) });
            remade.Entries.Add(entry);
        }
        return remade;
    }

    private static RepeatedField<Entry> Batch(Func<int, string> name, CvrNumber cvr) =>
        [.. Enumerable.Range(0, Entries).Select(i => new Entry
        {
            Id = i.ToString(CultureInfo.InvariantCulture),
            Source = "EPJ",
            Cvr = cvr.ToString(),
            SorId = "672281000016001",
            OccurredAt = "2026-01-01T12:00:00Z",
            Activity = "Opslag",
            Staff = { new Staff { Role = "user", Name = name(i), UserId = "ABC123", AuthorisationId = "6QF17", ProfessionCode = "5166" } },
        })];

    [SuppressMessage("Security", "CA5350", Justification = "The yardstick is the hash that UUID version 5 is made of.")]
    private static Action Yardstick(RepeatedField<Entry> entries)
    {
        var inputs = entries
            .Select(e => e.Staff[0].Name.ToUpperInvariant().Replace(' ', '+'))
            .Select(name => (byte[])[.. Convert.FromHexString(OidNamespace), .. Encoding.UTF8.GetBytes($"{name}+2512489996+{Salt}")])
            .ToArray();
        return () =>
        {
            Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
            foreach (var input in inputs)
                SHA1.HashData(input, hash);
        };
    }
}
