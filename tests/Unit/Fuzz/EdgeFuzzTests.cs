using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Effectuation;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Fuzz;

/// <summary>Bodies of the edge's messages, against what reads them before a use case does: a message, or SLR-904.</summary>
[Trait("kind", "fuzz")]
public sealed class EdgeFuzzTests(ITestOutputHelper output)
{
    private const string Cpr = "2512489996";
    private const string Name = "Bo Eksempel";
    private static readonly byte[] Secret = new byte[32];
    private static readonly CvrNumber Own = CvrNumber.Parse("29190623");

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true", "0", "-1", "1e999", "7.5", "{}", "[]", "\\ud83d", "\\ude00", "\\u0000", "\\u00e6", "\"cvr\":\"29190623\",", "\"sor_id\":\"1\",", "\"sorId\"", "\"staff\"", "\"masked\":true,",
        "\"name\"", "\"text\"", "\"entries\"", "\"patientCpr\"", "\"updateId\"", "\"afterPosition\":9223372036854775807,", "\"endsAt\":\"9999-12-31T23:59:59Z\",", "\"endsAt\":\"0001-01-01T00:00:00+14:00\",", "\"reason\"", "\"activator\"", "\ufeff", "//", "/*",
        "[[[[[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1",
    ];

    private static readonly byte[] Update = Encoding.UTF8.GetBytes($$"""
        {"updateId":"update-0001","afterPosition":7,"entries":[{"patientCpr":"{{Cpr}}","entries":[
        {"id":"e-1","source":"EPJ","cvr":"29190623","sorId":"1000111000016001","shak":"130111","activity":"Opslag \u00e6","staff":[{"role":"user","name":"{{Name}}","cpr":"6101701234","userId":"mho","professionCode":"5166","masked":false}],"text":"Set af {{Name}}"},
        {"id":"e-2","cvr":"29190623","staff":[]},{"id":"e-3","staff":[{"name":"{{Name}}","professionCode":"7170"}]}]},{"patientCpr":"7101901234","entries":[{}]}]}
        """);

    private static readonly byte[] Activation = """
        {"idempotencyKey":"key-00000001","patientCpr":"7101901234","trigger":"threats","behaviourOn":"2025-01-15","reason":"Truede \u00e6 ved døren.","activator":{"personId":"hw-1001","role":"health-worker","unitSorId":"1000111000016001"},"endsAt":"2026-12-31T10:00:00+01:00"}
        """u8.ToArray();

    private static readonly byte[] Reason = """{"maskingId":"0197b0a0-0000-7000-8000-000000000000","reason":"Slog.","activator":{"personId":"ld-1","role":"leader"}}"""u8.ToArray();

    [Fact]
    public async Task Updates()
    {
        // Everything of the one patient and of whoever names no organisation is masked.
        var picture = new MaskingPicture(MaskingIndex.FromSnapshot([new PatientMasking(PatientKey.Compute(Secret, CprNumber.Parse(Cpr)), Own, long.MaxValue)]), MaskedUnits.FromSnapshot([]), 7, Secret);
        var (read, masked) = (0, 0);
        await Fuzzing.Begin(output.WriteLine).Each(random => random.Mutated(Update, Pieces), body =>
        {
            if (Read(body, OnDataSourceUpdate.Read) is not { IsWhole: true } update)
                return;
            read++;
            var answer = new RawMaskedUpdate(update);
            foreach (var patient in update.Patients)
            {
                if (!CprNumber.TryParse(patient.Cpr, out var cpr))
                    return;
                RawMasker.Mask(update, patient, answer, picture, picture.KeyOf(cpr), NationalPseudonym.For(cpr, "c2FsdEZyYUlkc2Fz"), 1_000, null);
            }
            var written = new ArrayBufferWriter<byte>();
            answer.Write(written);
            var said = JsonSerializer.Deserialize<MaskedUpdate>(written.WrittenSpan, EdgeJson.Options)!;
            Assert.Equal(update.Patients.Select(patient => patient.Cpr), said.Entries.Select(patient => patient.PatientCpr));
            foreach (var person in said.Entries.Where(patient => patient.PatientCpr == Cpr).SelectMany(patient => patient.Entries)
                .Where(entry => entry.Cvr == Own.ToString() || (entry.Cvr.Length == 0 && entry.SorId.Length == 0 && entry.Shak.Length == 0)).SelectMany(entry => entry.Staff))
            {
                masked++;
                Assert.True(person.Name.Length == 0 && person.Cpr.Length == 0 && person.UserId.Length == 0, "a name that should be hidden");
            }
        });
        // Mutations that reach no further than the first character prove little.
        Assert.True((read > 0 && masked > 0) || Fuzzing.IsAlone);
    }

    [Fact]
    public Task Activations() => Each<ActivateMasking>(Activation);

    [Fact]
    public Task Reasons() => Each<AddReason>(Reason);

    [Fact]
    public Task Ends() => Each<EndMasking>(Reason);

    private Task Each<TMessage>(byte[] good, [CallerMemberName] string test = "") where TMessage : class => Fuzzing.Begin(output.WriteLine, test: test).Each(random => random.Mutated(good, Pieces), body =>
    {
        if (Read(body, EdgeBus.Whole<TMessage>) is { } message)
            Assert.Equal(message, JsonSerializer.Deserialize<TMessage>(JsonSerializer.SerializeToUtf8Bytes(message, EdgeJson.Options), EdgeJson.Options));
    });

    /// <summary>As the edge reads; null for what it refuses as SLR-904, anything else would be our fault.</summary>
    private static T? Read<T>(byte[] body, Func<ReadOnlyMemory<byte>, T?> read) where T : class
    {
        try
        {
            return EdgeBus.Read(body, read);
        }
        catch (RejectedException e) when (e.Rejection.Code == Rejections.Malformed.Code)
        {
            return null;
        }
    }
}
