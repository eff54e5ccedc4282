using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration;
using Sloring.Registration.Domain;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>kill -9 while an operator brings rows under another sealing key: run again, it goes on to the end.</summary>
public sealed class KilledRotationTests
{
    private const int Rows = 6_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KilledInTheMiddle_RotationGoesOnWithWhatIsLeft()
    {
        await using var platform = new ChildPlatform();
        platform.Start();
        await platform.Ready();
        await platform.Kill();
        var secrets = Path.Combine(platform.Folder, "secrets.json");
        await Fill(platform.Folder, new Sealer(new SecretStore(Options.Create(new SecretOptions { File = secrets }))));
        var keys = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(secrets, Cancel))!;
        keys["sealing-key-current"] = "2";
        await File.WriteAllTextAsync(secrets, JsonSerializer.Serialize(keys), Cancel);

        platform.Start();
        await platform.Ready();
        var rotating = Rotate(platform);
        await Eventually.True(async () => await Under(platform.Folder, "s1.2.") > 0, "rows are brought under the second key");
        await platform.Kill();
        await Assert.ThrowsAnyAsync<Exception>(() => rotating);
        var left = await Under(platform.Folder, "s1.1.");
        Assert.InRange(left, 1, (2 * Rows) - 1);

        platform.Start();
        await platform.Ready();
        Assert.Equal(left, await Rotate(platform));
        Assert.Equal((0, 2 * Rows), (await Under(platform.Folder, "s1.1."), await Under(platform.Folder, "s1.2.")));
        Assert.True((bool?)(await platform.Client.Must("revisor", HttpMethod.Get, "/v1/journals/registration/verification", null, Cancel))["intact"]);
    }

    /// <summary>Calls until nothing is left, as ./run rotate-keys does; how many texts were sealed anew.</summary>
    private static async Task<int> Rotate(ChildPlatform platform)
    {
        var resealed = 0;
        JsonNode answer;
        do
        {
            answer = await platform.Client.Must("drift", HttpMethod.Post, "/v1/keys/registration/rotation", new JsonObject(), Cancel);
            resealed += (int?)answer["resealed"] ?? 0;
        }
        while ((bool?)answer["more"] == true);
        return resealed;
    }

    private static async Task Fill(string folder, Sealer sealer)
    {
        var options = new DbContextOptionsBuilder<RegistrationDb>();
        new SqliteDatabase(folder).Configure(options, "registration");
        await using var db = new RegistrationDb(options.Options);
        var now = DateTimeOffset.UtcNow;
        db.Maskings.AddRange(Enumerable.Range(0, Rows).Select(i => new MaskingOrder
        {
            MaskingId = Guid.NewGuid(),
            DeadlineId = Guid.NewGuid(),
            Patient = new PatientKey(1, (ulong)i),
            SealedCpr = sealer.Seal(People.NextCpr(), SealedFor.Cpr),
            SealedReason = sealer.Seal("Truede.", SealedFor.Reason),
            Cvr = CvrNumber.Parse("29190623"),
            Trigger = Trigger.Violence,
            BehaviourOn = new DateOnly(2025, 1, 1),
            ActivatedAt = now,
            ActivatedBy = "hw-1001",
            EndsAt = now,
            State = MaskingState.Expired,
        }));
        await db.SaveChangesAsync(Cancel);
    }

    /// <summary>How many texts of Registration's maskings begin so.</summary>
    private static async Task<int> Under(string folder, string prefix)
    {
        await using var file = new SqliteConnection($"Data Source={Path.Combine(folder, "registration.db")};Pooling=false");
        await file.OpenAsync(Cancel);
        await using var count = file.CreateCommand();
        count.CommandText = $"select coalesce(sum((\"SealedCpr\" like '{prefix}%') + (\"SealedReason\" like '{prefix}%')), 0) from maskings";
        return Convert.ToInt32(await count.ExecuteScalarAsync(Cancel), null);
    }
}
