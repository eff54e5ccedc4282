using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Pseudonym.Domain;

namespace Sloring.Pseudonym;

/// <summary>The salts of the database, opened; and the making of new ones.</summary>
public sealed class Salts(Store<PseudonymDb> store, Sealer sealer, IOptions<PseudonymOptions> options, TimeProvider clock)
{
    private const int SaltBytes = 32;

    /// <summary>The salt in use, with the one announced to follow. The first is made when it is first needed, by exactly one of those who need it.</summary>
    /// <exception cref="RejectedException">SLR-401: there is none, and it may not be made here.</exception>
    public async Task<OpenSalt> Current(string actor, CancellationToken cancel)
    {
        var salts = await store.Read(All, cancel);
        if (salts.Count == 0 && options.Value.CreateFirstSalt)
            // Looked up again inside the transaction: of several first callers one makes the salt, the others find it.
            salts = await store.Write(actor, async scope => await All(scope.Db) is { Count: > 0 } made ? made : [await InUseNow(scope, [])], cancel);
        return Current(salts, clock.GetUtcNow());
    }

    /// <summary>The salts that may have been in use between two Danish days, newest first.</summary>
    /// <exception cref="RejectedException">SLR-407: one of them is erased, so that nothing found would say nothing.</exception>
    public async Task<IReadOnlyList<OpenSalt>> Covering(DateOnly from, DateOnly to, CancellationToken cancel)
    {
        var salts = await store.Read(All, cancel);
        var covering = SaltRules.Covering(Periods(salts), from, to, options.Value.Lag);
        if (covering.Any(period => salts.Single(salt => salt.Id == period.Id).IsErased))
            throw new RejectedException(Rejections.SaltErased.For("from"));
        return [.. covering.Select(period => Open(salts, period))];
    }

    /// <summary>Makes a new salt, in use from now.</summary>
    public async Task<OpenSalt> Rotate(string actor, CancellationToken cancel) =>
        Open(await store.Write(actor, async scope => await InUseNow(scope, await All(scope.Db)), cancel));

    /// <summary>Announces the next salt when it is time, and tells once of one that has come into use.</summary>
    public async Task Announce(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (await store.Read(async db => await All(db) is var salts && (ToAnnounce(salts, now) is not null || await ToTell(db, salts, now, cancel) is not null), cancel))
        {
            await store.Write(store.Service, async scope =>
            {
                var salts = await All(scope.Db);
                if (await ToTell(scope.Db, salts, scope.Now, scope.Cancel) is { } begun)
                    await scope.Append(new SaltRotated { SaltId = begun.Id, ValidFrom = begun.ValidFrom });
                if (ToAnnounce(salts, scope.Now) is { } next)
                {
                    var row = Make(scope, next);
                    await scope.Append(new SaltAnnounced { SaltId = row.Id, ValidFrom = row.ValidFrom });
                }
            }, cancel);
        }
    }

    private SaltPeriod? ToAnnounce(List<SaltRow> salts, DateTimeOffset now) => options.Value.RotationDays == 0
        ? null
        : SaltRules.ToAnnounce(Periods(salts), now, TimeSpan.FromDays(options.Value.RotationDays), TimeSpan.FromDays(options.Value.AnnounceDays));

    /// <summary>The salt in use, where nobody has been told of it yet.</summary>
    private static async Task<SaltPeriod?> ToTell(PseudonymDb db, List<SaltRow> salts, DateTimeOffset now, CancellationToken cancel)
    {
        if (salts.Count == 0)
            return null;
        var type = EventNames.Of<SaltRotated>();
        var told = await db.Journal.AsNoTracking().Where(entry => entry.Type == type).OrderByDescending(entry => entry.Position).FirstOrDefaultAsync(cancel);
        var current = SaltRules.Current(Periods(salts), now).Value;
        // Told so long ago that the journal has lost it, it is told again: to hear of the salt in use twice changes nothing.
        return told is null || current.Id > ((SaltRotated)EventJson.Read(told.Type, told.Data)).SaltId ? current : null;
    }

    private async Task<SaltRow> InUseNow(WriteScope<PseudonymDb> scope, List<SaltRow> before)
    {
        var row = Make(scope, SaltRules.Next(Periods(before), scope.Now));
        await scope.Append(new SaltRotated { SaltId = row.Id, ValidFrom = row.ValidFrom });
        return row;
    }

    private SaltRow Make(WriteScope<PseudonymDb> scope, SaltPeriod period)
    {
        // Text, because the national algorithm uses the BASE64 text as it stands and never decodes it.
        var text = Convert.ToBase64String(RandomNumberGenerator.GetBytes(SaltBytes));
        // Whole milliseconds, as stored: the first answer and all later ones say the same.
        var validFrom = DateTimeOffset.FromUnixTimeMilliseconds(period.ValidFrom.ToUnixTimeMilliseconds());
        var row = new SaltRow { Id = period.Id, Sealed = sealer.Seal(text, SealedFor.Salt), ValidFrom = validFrom };
        scope.Db.Salts.Add(row);
        return row;
    }

    private OpenSalt Current(List<SaltRow> salts, DateTimeOffset now)
    {
        var periods = Periods(salts);
        var current = Open(salts, SaltRules.Current(periods, now).Value);
        return SaltRules.Announced(periods, now) is { } next ? current with { Next = Open(salts, next) } : current;
    }

    private OpenSalt Open(List<SaltRow> salts, SaltPeriod period) => Open(salts.Single(salt => salt.Id == period.Id));

    private OpenSalt Open(SaltRow row) => new(row.Id, sealer.Open(row.Sealed, SealedFor.Salt), row.ValidFrom);

    internal static List<SaltPeriod> Periods(List<SaltRow> rows) => rows.ConvertAll(row => new SaltPeriod(row.Id, row.ValidFrom));

    private static Task<List<SaltRow>> All(PseudonymDb db) => db.Salts.OrderBy(salt => salt.Id).ToListAsync();
}

/// <summary>A salt that can be computed with. Prints without its text.</summary>
public sealed record OpenSalt(int Id, string Text, DateTimeOffset ValidFrom)
{
    /// <summary>The salt announced to follow; null when none is.</summary>
    public OpenSalt? Next { get; init; }

    public override string ToString() => $"salt {Id}";
}
