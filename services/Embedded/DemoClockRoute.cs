using System.Text.Json;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary>Reads and moves the demo clock; embedded mode only, operators only.</summary>
public static class DemoClockRoute
{
    private sealed record ClockNow(DateTimeOffset Now);

    private sealed record ClockMove(DateTimeOffset? To, double? AdvanceSeconds);

    private static async Task<ClockMove?> Read(HttpRequest request)
    {
        try
        {
            return await request.ReadFromJsonAsync<ClockMove>(request.HttpContext.RequestAborted);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new RejectedException(Rejections.Malformed);
        }
    }

    public static void MapDemoClock(this WebApplication app)
    {
        app.MapGet("/demo/clock", (DemoClock clock) => new ClockNow(clock.GetUtcNow())).RequireAuthorization(Operations.MoveDemoClock);
        app.MapPost("/demo/clock", async (HttpRequest request, DemoClock clock) =>
        {
            clock.MoveTo(await Read(request) switch
            {
                { To: { } to, AdvanceSeconds: null } => to,
                { To: null, AdvanceSeconds: { } seconds } when seconds is > 0 and < 1e9 => clock.GetUtcNow().AddSeconds(seconds),
                _ => throw new RejectedException(Rejections.Malformed),
            });
            return new ClockNow(clock.GetUtcNow());
        }).RequireAuthorization(Operations.MoveDemoClock);
    }
}
