using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Effectuation;
using Xunit;

namespace Sloring.Tests.Unit.Client;

/// <summary>An update that came as a message is answered as the same entries by gRPC are, however its JSON is written (rules E1–E5).</summary>
public sealed class RawUpdateTests
{
    private const string Salt = "c2FsdEZyYUlkc2Fz";
    private const string Sor = "672281000016001";
    private const long Now = 1_000;
    private const int Most = 1_000;

    private static readonly CvrNumber Own = CvrNumber.Parse("33257872");
    private static readonly byte[] Secret = new byte[32];
    private static readonly string[] Cprs = ["2512489996", "6703701234", "0101010101"];
    private static readonly string[] Texts =
        ["", "Jens Hansen", "Set af jens  hansen i går", "Æøå", "\"\\/\b\f\n\r\t", "\u0001\u007f\u2028", "\U0001F600 x", "e\u0301", "\uFFFE", "null", "{}", "a,b]", new string('x', 300)];

    [Fact]
    public void Answer_is_what_the_same_entries_get_by_gRPC() => // E1, E2, E3, E5, M1, D1, D4
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var (body, given) = new Writer(random).AnyUpdate();
            var picture = AnyPicture(random);
            CvrNumber? only = random.Next(2) == 0 ? Own : null;

            var update = RawUpdate.Read(body, Most);
            var answer = new RawMaskedUpdate(update);
            var (expected, findings, marked) = (new List<List<Entry>>(), new List<Finding>(), false);
            for (var i = 0; i < given.Count; i++)
            {
                var patient = CprNumber.Parse(Cprs[i]);
                var (key, pseudonyms) = (picture.KeyOf(patient), NationalPseudonym.For(patient, Salt));
                var byGrpc = Masker.Mask(given[i].ConvertAll(JsonParser.Default.Parse<Entry>), picture, key, pseudonyms, Now, only);
                expected.Add([.. byGrpc.Entries]);
                findings.AddRange(byGrpc.Findings);
                var isMarked = byGrpc.Entries.Any(entry => entry.Staff.Any(person => person.Masked));
                Assert.Equal(isMarked, RawMasker.Mask(update, update.Patients[i], answer, picture, key, pseudonyms, Now, only).IsAnyoneMasked);
                marked |= isMarked;
            }
            answer.Explanation = marked ? new Explanation { Da = "da", En = "en", Link = "https://x.dk" } : null;
            var json = Written(answer);

            // As whoever reads strictly reads it, and as protobuf does.
            var read = JsonSerializer.Deserialize<MaskedUpdate>(json, EdgeJson.Options)!;
            Assert.Equal("update-1", read.UpdateId);
            Assert.Equal(expected, read.Entries.Select(patient => patient.Entries.ToList()));
            Assert.Equal(Cprs[..given.Count], read.Entries.Select(patient => patient.PatientCpr));
            Assert.Equal(findings, read.Findings);
            Assert.Equal((given.Count == 0 ? 0 : 7, marked), (read.Position, read.Explanation is not null));
            var entries = JsonNode.Parse(json)!["entries"]!.AsArray().Select(patient => patient!["entries"]!.AsArray().ToList()).ToList();
            Assert.Equal(expected, entries.ConvertAll(patient => patient.ConvertAll(entry => JsonParser.Default.Parse<Entry>(entry!.ToJsonString()))));
            // What leaves is as the contract says, whatever came: no null, one form of each name.
            Assert.All(entries.SelectMany(patient => patient), entry => Assert.All(Fields(entry!), field => Assert.True(field.Value is not null && !field.Key.Contains('_'))));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithEndSize(1_000_000));

    [Fact]
    public void Whatever_is_no_update_is_found_out_without_making_its_texts() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var body = Spoilt(random, new Writer(random).AnyUpdate().Body);

            var whole = Outcome(() => JsonSerializer.Deserialize<DataSourceUpdate>(body, EdgeJson.Options));
            var raw = Outcome(() => RawUpdate.Read(body, Most));

            Assert.True((whole is null) == (raw is null), Encoding.UTF8.GetString(body));
            if (whole is null || raw is null)
                return;
            Assert.Equal(whole.UpdateId, raw.UpdateId);
            Assert.Equal(whole.Entries?.All(patient => patient?.Entries?.All(entry => entry is not null) == true) == true, raw.IsWhole);
            if (raw.IsWhole)
            {
                Assert.Equal(whole.Entries!.Select(patient => patient.PatientCpr), raw.Patients.Select(patient => patient.Cpr));
                Assert.Equal(whole.Entries!.Select(patient => patient.Entries.ToList()), raw.Patients.Select(patient => raw.EntriesOf(patient).ToArray().Select(entry => raw.Whole(entry)).ToList()));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000).WithEndSize(1_000_000));

    [Theory]
    [InlineData("""{"updateId":"u","entries":[]} {}""")]
    [InlineData("""{"updateId":"u","updateId":"u","entries":[]}""")]
    [InlineData("""{"updateId":"u","entries":[],"cvr":"33257872"}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[],"entries":[]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"sorId":"1","sor_id":"1"}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"staff":[null]}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"staff":[{"masked":"true"}]}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"activity":"\ud83d"}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"activity":"\ud83d\n\ude00"}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"activity":"\ude00"}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"staff":[{"email":"\ud83d\ud83d\ude00"}]}]}]}""")]
    [InlineData("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"staff":{}}]}]}""")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("")]
    public void What_is_no_update_is_none(string body) => Assert.Null(Outcome(() => RawUpdate.Read(Encoding.UTF8.GetBytes(body), Most)));

    [Fact]
    public void Bytes_that_are_no_text_are_none()
    {
        var body = Encoding.UTF8.GetBytes("""{"updateId":"u","entries":[{"patientCpr":"2512489996","entries":[{"activity":"x"}]}]}""");
        body[body.AsSpan().LastIndexOf((byte)'x')] = 0xE6;

        Assert.Null(Outcome(() => RawUpdate.Read(body, Most)));
    }

    [Fact]
    public void More_entries_than_asked_for_are_counted_and_not_kept()
    {
        var update = RawUpdate.Read(Encoding.UTF8.GetBytes("""{"updateId":"u","entries":[{"entries":[{},{},{}]},{"entries":[{}]}]}"""), 2);

        Assert.Equal((4, 2), (update.Count, update.Patients.Sum(patient => patient.Count)));
    }

    [Fact]
    public void What_is_not_masked_leaves_byte_for_byte()
    {
        const string Entries = """{ "id":"a\u00e6" ,"staff":[ {"name":"Jens Hansen"} ], "text":"\/"} , {"cvr":"33257872","staff":[]}""";
        var update = RawUpdate.Read(Encoding.UTF8.GetBytes($$"""{"updateId":"update-1","entries":[{"entries":[ {{Entries}} ],"patientCpr":"2512489996"}]}"""), Most);
        var answer = new RawMaskedUpdate(update);
        answer.Add(update.Patients[0], null, 7, []);

        Assert.Equal($$"""{"updateId":"update-1","entries":[{"patientCpr":"2512489996","entries":[{{Entries}}]}],"findings":[],"position":7}""", Encoding.UTF8.GetString(Written(answer)));
    }

    private static byte[] Written(RawMaskedUpdate answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        answer.Write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Null where it is no message: what is then answered does not depend on why.</summary>
    private static T? Outcome<T>(Func<T?> read) where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Fields(JsonNode node) => node switch
    {
        JsonObject o => o.SelectMany(field => field.Value is null ? [field] : Fields(field.Value).Prepend(field)),
        JsonArray a => a.SelectMany(item => Fields(item!)),
        _ => [],
    };

    private static MaskingPicture AnyPicture(Random random)
    {
        var maskings = Cprs.Where(_ => random.Next(2) == 0).Select(cpr => new PatientMasking(PatientKey.Compute(Secret, CprNumber.Parse(cpr)), Own, Now + 1)).ToArray();
        UnitMasking[] units = random.Next(3) == 0 ? [new UnitMasking("1", Own, random.Next(2) == 0 ? [Sor] : [], "1301")] : [];
        return new MaskingPicture(MaskingIndex.FromSnapshot(maskings), MaskedUnits.FromSnapshot(units), 7, Secret);
    }

    /// <summary>With a byte or two changed, a piece taken out or written twice, or one word put for another.</summary>
    private static byte[] Spoilt(Random random, byte[] body)
    {
        var (at, length) = (random.Next(body.Length), random.Next(1, 12));
        var end = Math.Min(at + length, body.Length);
        switch (random.Next(6))
        {
            case 0:
                body[at] = (byte)random.Next(256);
                return body;
            case 1:
                body[at] = (byte)"{}[],:\"\\u0nt "[random.Next(13)];
                return body;
            case 2:
                return [.. body[..at], .. body[end..]];
            case 3:
                return [.. body[..end], .. body[at..]];
            default:
                (string, string)[] words =
                    [("null", "1"), ("\"", "null"), ("[", "[null,"), ("{", "{\"id\":\"\\ud83d\","), ("{", "{\"masked\":true,"), ("true", "0"), ("[]", "null"), ("{}", "null"), ("entries", "updateId"), ("\\u", "\\ud83d\\u"), ("\\u", "\\u00"), ("}", "}}")];
                var (word, other) = words[random.Next(words.Length)];
                var text = Encoding.UTF8.GetString(body);
                var found = text.IndexOf(word, Math.Min(text.Length - 1, random.Next(text.Length)), StringComparison.Ordinal);
                return found < 0 ? body : Encoding.UTF8.GetBytes(text[..found] + other + text[(found + word.Length)..]);
        }
    }

    /// <summary>Writes an update in any of the ways that JSON allows; half of the entries as the platform itself names fields and leaves them out.</summary>
    private sealed class Writer(Random random)
    {
        private bool _isPlain;

        /// <summary>An update, and each patient's entries as they stand in it.</summary>
        public (byte[] Body, List<List<string>> Entries) AnyUpdate()
        {
            var patients = Enumerable.Range(0, random.Next(Cprs.Length + 1)).Select(_ => Enumerable.Range(0, random.Next(5)).Select(_ => AnyEntry()).ToList()).ToList();
            var json = Object(
                ("updateId", Text("update-1")),
                ("entries", Array(patients.Select((entries, i) => Object(("patientCpr", Text(Cprs[i])), ("entries", Array(entries)))))));
            return (Encoding.UTF8.GetBytes(json), patients);
        }

        private string AnyEntry()
        {
            _isPlain = random.Next(2) == 0;
            return Object(Some(
                ("id", Any()),
                ("source", Any()),
                ("cvr", Any("33257872", "33257872", "24256790", "1")),
                (Either("sorId", "sor_id"), Any(Sor, "678401000016005", "1")),
                ("shak", Any("130111", "200112", "1")),
                (Either("organisationName", "organisation_name"), Any()),
                (Either("occurredAt", "occurred_at"), Any()),
                ("activity", Any()),
                ("text", Any()),
                ("staff", !_isPlain && random.Next(8) == 0 ? "null" : Array(Enumerable.Range(0, random.Next(4)).Select(_ => AnyStaff())))));
        }

        private string AnyStaff() => Object(Some(
            ("role", Any("user")),
            ("name", Any("Jens Hansen", "Bo Eksempel")),
            ("cpr", Any("", "", "7101901234")),
            (Either("authorisationId", "authorisation_id"), Any("", "", "6QF17")),
            (Either("userId", "user_id"), Any("", "", "mho")),
            ("email", Any("", "", "a@b.dk")),
            (Either("professionCode", "profession_code"), Any("5166", "7170", "x")),
            ("profession", Any("Læge")),
            ("pseudonym", Any("9a4b9e05-4172-533e-819b-fad8da5642ea")),
            ("masked", _isPlain ? OneOf(["true", "false"]) : "null")));

        private (string, string)[] Some(params (string, string)[] fields)
        {
            var some = fields.Where(_ => random.Next(4) > 0).ToArray();
            random.Shuffle(some);
            return some;
        }

        private string Either(string plain, params string[] odd) => _isPlain || random.Next(2) == 0 ? plain : OneOf(odd);

        private string OneOf(string[] of) => of[random.Next(of.Length)];

        private string Any(params string[] likely) => random.Next(16) switch
        {
            0 when !_isPlain => "null",
            < 5 => Text(OneOf(Texts)),
            _ => Text(OneOf(likely.Length == 0 ? Texts : likely)),
        };

        private string Text(string text)
        {
            var written = new StringBuilder("\"");
            var escaping = random.Next(3) switch { 0 => 1.0, 1 => 0.2, _ => 0.0 };
            for (var i = 0; i < text.Length; i++)
            {
                // Both halves of a character in one way: half of it alone is no UTF-8.
                var length = char.IsHighSurrogate(text[i]) ? 2 : 1;
                if (random.NextDouble() < escaping || text[i] < ' ' || text[i] is '"' or '\\' || text[i] == '\uFFFE')
                    text.AsSpan(i, length).ToArray().ToList().ForEach(c => written.Append(CultureInfo.InvariantCulture, $"\\u{(random.Next(2) == 0 ? ((int)c).ToString("x4", CultureInfo.InvariantCulture) : ((int)c).ToString("X4", CultureInfo.InvariantCulture))}"));
                else
                    written.Append(text.AsSpan(i, length));
                i += length - 1;
            }
            return written.Append('"').ToString();
        }

        private string Object(params (string Name, string Value)[] fields) =>
            $"{{{Space()}{string.Join($"{Space()},{Space()}", fields.Select(field => $"\"{field.Name}\"{Space()}:{Space()}{field.Value}"))}{Space()}}}";

        private string Array(IEnumerable<string> items) => $"[{Space()}{string.Join($"{Space()},{Space()}", items)}{Space()}]";

        private string Space() => random.Next(4) switch { 0 => " ", 1 => "\r\n\t", _ => "" };
    }
}
