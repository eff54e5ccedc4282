using System.Reflection;
using Grpc.Core;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Unit.Portal;

public sealed class MaskedLogTests
{
    private static readonly CprNumber Patient = CprNumber.Parse("7101901234");

    [Fact] // E1
    public void EntriesAsTheyCame_CanOnlyBeMasked()
    {
        const BindingFlags Reachable = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

        Assert.DoesNotContain(typeof(MaskedLog).GetConstructors(Reachable), constructor => !constructor.IsPrivate);
        Assert.Equal([nameof(MaskedLog.Unmasked.Mask)], typeof(MaskedLog.Unmasked).GetMembers(Reachable).Where(IsReachable).Select(member => member.Name));
        Assert.DoesNotContain("Testesen", new MaskedLog.Unmasked([Entry("1")]).ToString(), StringComparison.Ordinal);

        static bool IsReachable(MemberInfo member) => member is MethodInfo { IsPrivate: false } or FieldInfo { IsPrivate: false } or PropertyInfo;
    }

    [Fact]
    public async Task OnlyWhatEffectuationAnswers_IsShown_OfTheEntriesOfThePage()
    {
        var effectuation = new Answering();
        var unmasked = new MaskedLog.Unmasked(Enumerable.Range(0, 60).Select(n => Entry($"2025-01-01T00:{n:00}:00Z")));

        var newest = await unmasked.Mask(effectuation, Patient, 0, DateTime.UtcNow.AddMinutes(1), CancellationToken.None);
        var older = await unmasked.Mask(effectuation, Patient, 1, DateTime.UtcNow.AddMinutes(1), CancellationToken.None);
        var beyond = await unmasked.Mask(effectuation, Patient, int.MaxValue, DateTime.UtcNow.AddMinutes(1), CancellationToken.None);

        Assert.Equal((50, true), (newest.Entries.Count, newest.HasNext));
        Assert.Equal((10, false), (older.Entries.Count, older.HasNext));
        Assert.Equal((0, false), (beyond.Entries.Count, beyond.HasNext));
        Assert.Equal(59, newest.Entries[0].At!.Value.Minute);
        Assert.All(newest.Entries.Concat(older.Entries).SelectMany(entry => entry.Staff), staff => Assert.Equal(("kode", "Sygeplejerske", true), (staff.Name, staff.Profession, staff.IsPseudonym)));
        Assert.All(effectuation.Asked, request => Assert.Equal(Patient.Digits, request.PatientCpr));
    }

    [Theory]
    [InlineData("", "https://source.example/log")]
    [InlineData("EPJ", "http://source.example/log")]
    [InlineData("EPJ", "https://source.example/log?cpr=1")]
    [InlineData("EPJ", "ftp://source.example/log")]
    public void ASourceThatWouldBeAskedWithoutTls_OrHasNoName_IsNoSetting(string name, string address)
    {
        Assert.False(new LogSourceOptions { Name = name, Address = address }.IsUsable);
        Assert.True(new LogSourceOptions { Name = "EPJ", Address = "https://source.example/log" }.IsUsable);
        Assert.True(new LogSourceOptions { Name = "EPJ", Address = "http://127.0.0.1:1/log" }.IsUsable);
    }

    private static Entry Entry(string at) => new() { OccurredAt = at, Staff = { new Staff { Name = "Mette Holm Testesen", ProfessionCode = "5166" } } };

    /// <summary>Effectuation that masks everybody.</summary>
    private sealed class Answering : EffectuationService.EffectuationServiceClient
    {
        public List<MaskEntriesRequest> Asked { get; } = [];

        public override AsyncUnaryCall<MaskEntriesResponse> MaskEntriesAsync(MaskEntriesRequest request, Metadata? headers, DateTime? deadline, CancellationToken cancellationToken)
        {
            Asked.Add(request);
            var answer = new MaskEntriesResponse
            {
                Entries = { request.Entries.Select(entry => new Entry { OccurredAt = entry.OccurredAt, Staff = { new Staff { Masked = true, Pseudonym = "kode", Profession = "Sygeplejerske" } } }) },
            };
            return new AsyncUnaryCall<MaskEntriesResponse>(Task.FromResult(answer), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }
    }
}
