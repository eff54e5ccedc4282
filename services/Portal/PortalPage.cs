using Grpc.Core;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Sloring.Contracts;

namespace Sloring.Portal;

/// <summary>What pages have in common: a form that is refused is shown again as it was filled in, with the reason on top and at its field.</summary>
public abstract class PortalPage : PageModel
{
    /// <summary>Why the form was refused; null where it was not.</summary>
    public Rejection? Refused { get; private set; }

    /// <summary>The same names as the contracts' fields: a refusal finds its field.</summary>
    public bool IsAt(string field) => Refused?.Field == field;

    /// <summary>A key for a form that is shown: what is sent twice with it is done once (rule M9).</summary>
    protected static string NewIdempotencyKey() => "portal-" + Guid.NewGuid().ToString("N");

    /// <summary>Does what a form asks for, then goes to <paramref name="then"/>, so that a reload sends nothing twice; or shows the form with the refusal.</summary>
    protected async Task<IActionResult> Do(Func<Task> call, Func<IActionResult> then, Func<Task<IActionResult>> again)
    {
        try
        {
            await call();
            return then();
        }
        catch (RpcException e) when (Refusal.Of(e) is { Kind: not RejectionKind.Unauthenticated } rejection)
        {
            return await Again(rejection, again);
        }
        catch (RejectedException e)
        {
            return await Again(e.Rejection, again);
        }
    }

    private Task<IActionResult> Again(Rejection rejection, Func<Task<IActionResult>> again)
    {
        Refused = rejection;
        Response.StatusCode = Hosting.RejectionWriter.HttpStatus(rejection);
        return again();
    }
}
