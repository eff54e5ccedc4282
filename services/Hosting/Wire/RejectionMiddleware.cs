using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Turns what an HTTP handler throws into problem details. gRPC has its own translation in <see cref="RejectionInterceptor"/>.</summary>
internal sealed class RejectionMiddleware(RequestDelegate next, ILogger<RejectionMiddleware> log)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (RejectedException rejected)
        {
            await RejectionWriter.Write(http, rejected.Rejection);
        }
        catch (BadHttpRequestException bad)
        {
            await RejectionWriter.Write(http, bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? Rejections.TooLarge : Rejections.Malformed);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone; there is nobody to answer.
        }
        catch (Exception e)
        {
            Faults.Log(log, e, http.GetEndpoint()?.DisplayName ?? "request");
            await RejectionWriter.Write(http, Rejections.Failed);
        }
    }
}
