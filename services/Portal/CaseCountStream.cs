using System.Globalization;
using System.Text.Encodings.Web;
using Grpc.Core;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>The live count of a work list, as server-sent events of HTML. It ends with the access token; the browser comes again, with the next one.</summary>
internal static class CaseCountStream
{
    public const string Path = "/cases/counts";

    /// <summary>A browser that is refused comes again after so long, and ever more seldom.</summary>
    private static readonly TimeSpan ComeAgain = TimeSpan.FromSeconds(5);

    public static async Task Send(HttpContext http, [FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval)
    {
        CultureInfo.CurrentUICulture = Language.Of(http);
        http.Response.ContentType = "text/event-stream";
        using var counts = approval.WatchCaseCounts(new WatchCaseCountsRequest(), cancellationToken: http.RequestAborted);
        try
        {
            await foreach (var count in counts.ResponseStream.ReadAllAsync(http.RequestAborted))
            {
                await http.Response.WriteAsync(
                    $"data: {Wording.OpenCasesNow}: <strong>{count.Open}</strong>, {Wording.OverdueNow}: <strong>{count.Overdue}</strong>\n\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        catch (RpcException) when (http.Response.HasStarted || http.RequestAborted.IsCancellationRequested)
        {
            // Over, for one reason or another: what has been shown stays until the browser has come again.
        }
        catch (RpcException e)
        {
            await Refuse(http, Refusal.Of(e));
        }
    }

    /// <summary>As an event too, shown where the count would stand: what is no stream of events, no browser asks for again.</summary>
    private static Task Refuse(HttpContext http, Rejection rejection)
    {
        http.Response.StatusCode = RejectionWriter.HttpStatus(rejection);
        return http.Response.WriteAsync(
            $"retry: {ComeAgain.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}\ndata: {HtmlEncoder.Default.Encode(rejection.Text())}\n\n", http.RequestAborted);
    }
}
