using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary>Reads and moves the demo clock; embedded mode only, operators only.</summary>
public static class DemoClockRoute
{
    private sealed record ClockNow(DateTimeOffset Now);

    private sealed record ClockMove(DateTimeOffset? To, double? AdvanceSeconds);

    public static void MapDemoClock(this WebApplication app)
    {
        app.MapGet("/demo/clock", (DemoClock clock) => new ClockNow(clock.GetUtcNow())).RequireAuthorization(Operations.MoveDemoClock);
        app.MapPost("/demo/clock", (ClockMove move, DemoClock clock) =>
        {
            clock.MoveTo(move switch
            {
                { To: { } to, AdvanceSeconds: null } => to,
                { To: null, AdvanceSeconds: { } seconds } when seconds is > 0 and < 1e9 => clock.GetUtcNow().AddSeconds(seconds),
                _ => throw new RejectedException(Rejections.Malformed),
            });
            return new ClockNow(clock.GetUtcNow());
        }).RequireAuthorization(Operations.MoveDemoClock);
    }
}
