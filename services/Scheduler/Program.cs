using Sloring.Hosting;
using Sloring.Scheduler;

ServiceHost.Run(args, builder => builder.AddScheduler(), app => app.MapScheduler());
