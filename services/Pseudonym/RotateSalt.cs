using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;

namespace Sloring.Pseudonym;

/// <summary>Makes a new salt, in use at once; every pseudonym changes (rule E3). The old salt stays for access requests (rule C2).</summary>
public sealed class RotateSalt(Salts salts)
{
    public async Task<Salt> Handle(RotateSaltRequest request, Caller caller, CancellationToken cancel) =>
        GetCurrentSalt.Answer(await salts.Rotate(caller.Actor, cancel));
}
