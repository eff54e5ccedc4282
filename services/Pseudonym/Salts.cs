using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Pseudonym.Domain;

namespace Sloring.Pseudonym;

/// <summary>The salts of the database, opened; and the making of new ones.</summary>
public sealed class Salts(Store<PseudonymDb> store, Sealer sealer, IOptions<PseudonymOptions> options)
{
    private const int SaltBytes = 32;

    /// <summary>The salt in use. The first is made when it is first needed, by exactly one of those who need it.</summary>
    /// <exception cref="RejectedException">SLR-401: there is none, and it may not be made here.</exception>
    public async Task<OpenSalt> Current(string actor, CancellationToken cancel)
    {
        var salts = await store.Read(All, cancel);
        if (salts.Count == 0 && options.Value.CreateFirstSalt)
            // Looked up again inside the transaction: of several first callers one makes the salt, the others find it.
            salts = [await store.Write(actor, async scope => (await All(scope.Db)).LastOrDefault() ?? await Append(scope, null), cancel)];
        var current = SaltRules.Current(salts.Select(Period)).Value;
        return Open(salts.Single(salt => salt.Id == current.Id));
    }

    /// <summary>The salts that may have been in use between two Danish days, newest first.</summary>
    public async Task<IReadOnlyList<OpenSalt>> Covering(DateOnly from, DateOnly to, CancellationToken cancel)
    {
        var salts = await store.Read(All, cancel);
        return [.. SaltRules.Covering(salts.Select(Period), from, to).Select(period => Open(salts.Single(salt => salt.Id == period.Id)))];
    }

    /// <summary>Makes a new salt, in use from now.</summary>
    public async Task<OpenSalt> Rotate(string actor, CancellationToken cancel) =>
        Open(await store.Write(actor, async scope => await Append(scope, (await All(scope.Db)).LastOrDefault()), cancel));

    private async Task<SaltRow> Append(WriteScope<PseudonymDb> scope, SaltRow? before)
    {
        // Whole milliseconds, as stored: the first answer and all later ones say the same.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(scope.Now.ToUnixTimeMilliseconds());
        var next = SaltRules.Next(before is null ? null : Period(before), now);
        // Text, because the national algorithm uses the BASE64 text as it stands and never decodes it.
        var text = Convert.ToBase64String(RandomNumberGenerator.GetBytes(SaltBytes));
        var row = new SaltRow { Id = next.Id, Sealed = sealer.Seal(text, SealedFor.Salt), ValidFrom = next.ValidFrom };
        scope.Db.Salts.Add(row);
        await scope.Append(new SaltRotated { SaltId = row.Id, ValidFrom = row.ValidFrom });
        return row;
    }

    private OpenSalt Open(SaltRow row) => new(row.Id, sealer.Open(row.Sealed, SealedFor.Salt), row.ValidFrom);

    private static SaltPeriod Period(SaltRow row) => new(row.Id, row.ValidFrom);

    private static Task<List<SaltRow>> All(PseudonymDb db) => db.Salts.OrderBy(salt => salt.Id).ToListAsync();
}

/// <summary>A salt that can be computed with. Prints without its text.</summary>
public sealed record OpenSalt(int Id, string Text, DateTimeOffset ValidFrom)
{
    public override string ToString() => $"salt {Id}";
}
