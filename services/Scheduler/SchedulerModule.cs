using Quartz;
using Sloring.Contracts.Events;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;
using Sloring.Scheduler.Domain;
using SchedulerStatus = Sloring.Contracts.Scheduler.V1.SchedulerStatus;

namespace Sloring.Scheduler;

/// <summary>Scheduler's table of contents: its database, subscriptions, job, and entry points.</summary>
public static class SchedulerModule
{
    public static void AddScheduler(this WebApplicationBuilder builder)
    {
        builder.AddService<SchedulerDb>("scheduler");
        foreach (var owner in (string[])["registration", "approval"])
        {
            builder.On<SchedulerDb, DeadlineSet, OnDeadlineSet>(from: owner);
            builder.On<SchedulerDb, DeadlineCancelled, OnDeadlineCancelled>(from: owner);
        }
        builder.Erases<SchedulerDb, EraseDeadlines>();
        builder.Services.AddSingleton<LastSweep>();
        builder.Services.AddSingleton<SweepDeadlines>();
        builder.Services.AddSingleton<ListDeadlines>();
        builder.Services.AddSingleton<GetSchedulerStatus>();
        builder.Services.AddSingleton<IFigures, SchedulerFigures>();
        builder.Services.AddSingleton<SchedulerRpcs>();

        // In memory: the table is the truth, so Quartz has nothing to remember. It takes its clock from the container's TimeProvider.
        builder.Services.AddQuartz(quartz => quartz.UseInMemoryStore().ScheduleJob<SweepDeadlines>(trigger => trigger
            .WithIdentity("sweep-deadlines")
            .StartNow()
            .WithSimpleSchedule(every => every.WithInterval(DeadlineRules.SweepEvery).RepeatForever()
                // After a jump of the clock or a long sweep: at once.
                .WithMisfireInstruction(SimpleTriggerMisfireInstruction.NowWithExistingCount))));
        builder.Services.AddQuartzHostedService(quartz => quartz.WaitForJobsToComplete = true);
    }

    public static void MapScheduler(this WebApplication app)
    {
        app.MapGrpcService<SchedulerRpcs>();
        app.MapJson<ListDeadlinesRequest, ListDeadlinesResponse>("GET", "/v1/deadlines", Operations.ListDeadlines,
            "Lists deadlines, earliest due first", (http, request, caller, cancel) => http.Get<ListDeadlines>().Handle(request, caller, cancel));
        app.MapJson<GetSchedulerStatusRequest, SchedulerStatus>("GET", "/v1/scheduler", Operations.GetSchedulerStatus,
            "How the sweep of deadlines is doing", (http, _, _, cancel) => http.Get<GetSchedulerStatus>().Handle(cancel));
    }
}
