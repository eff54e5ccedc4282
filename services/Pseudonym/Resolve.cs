using Sloring.Client;
using Sloring.Contracts.Events;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;
using Sloring.Pseudonym.Domain;

namespace Sloring.Pseudonym;

/// <summary>
/// An access request: which of these people is behind a pseudonym (rule C2). Whatever the outcome, the audit entry is durable before
/// the answer leaves (rule O3); whether to disclose it is the region's decision.
/// </summary>
public sealed class Resolve(Salts salts, Store<PseudonymDb> store, PatientKeys patients, Sealer sealer)
{
    public async Task<ResolveResponse> Handle(ResolveRequest request, Caller caller, CancellationToken cancel)
    {
        var resolution = ResolveRules.Check(
            request.PatientCpr, request.Pseudonym, request.From, request.To, request.Purpose, request.Candidates).Value;

        var tried = await salts.Covering(resolution.From, resolution.To, cancel);
        var pseudonyms = tried.ToDictionary(salt => salt.Id, salt => NationalPseudonym.For(resolution.Patient, salt.Text));
        var matches = ResolveRules.Matches(resolution, [.. tried.Select(salt => salt.Id)],
            (salt, index) => Compute.Of(pseudonyms[salt], resolution.Candidates[index], $"candidates[{index}]"));

        await store.Write(caller.Actor, scope => scope.Append(new PseudonymResolved
        {
            PatientKey = patients.Of(resolution.Patient).ToString(),
            Pseudonym = resolution.Pseudonym,
            SealedPurpose = sealer.Seal(resolution.Purpose, SealedFor.Purpose),
            Candidates = resolution.Candidates.Count,
            Matches = matches.Count,
            Client = caller.ClientId,
            From = caller.From,
        }), cancel);

        return new ResolveResponse
        {
            SaltsTried = tried.Count,
            Matches =
            {
                matches.Select(match => new ResolvedCandidate
                {
                    Name = resolution.Candidates[match.Index], Index = match.Index, SaltId = match.SaltId,
                }),
            },
        };
    }
}
