using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Looks up which organisation has replaced which. Read anew by each use: a takeover counts for every replica from its commit.</summary>
internal static class ReplacedOrganisations
{
    private static readonly Lookup<RegistrationDb, CvrNumber, Takeover> Of = new(takeover => takeover.Replaced, [nameof(Takeover.Replaced)], isOnlyRead: true);

    /// <summary>Names the row that says whether an organisation was replaced, for a write that says what it touches.</summary>
    public static Row<RegistrationDb> Row(CvrNumber cvr) => Of.Row(cvr);

    /// <summary>The organisation that has an organisation's maskings now: itself, where it was not replaced.</summary>
    public static async Task<CvrNumber> OrganisationOf(this WriteScope<RegistrationDb> scope, CvrNumber cvr) => (await scope.Find(Of, cvr))?.By ?? cvr;

    /// <inheritdoc cref="OrganisationOf(WriteScope{RegistrationDb}, CvrNumber)"/>
    public static async Task<CvrNumber> OrganisationOf(this RegistrationDb db, CvrNumber cvr, CancellationToken cancel) =>
        (await db.Takeovers.SingleOrDefaultAsync(takeover => takeover.Replaced == cvr, cancel))?.By ?? cvr;

    /// <summary>All of them.</summary>
    public static async Task<Replacements> Replacements(this RegistrationDb db, CancellationToken cancel) =>
        new(await db.Takeovers.ToDictionaryAsync(takeover => takeover.Replaced, takeover => takeover.By, cancel));
}
