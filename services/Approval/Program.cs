using Sloring.Approval;
using Sloring.Hosting;

ServiceHost.Run(args, builder => builder.AddApproval(), app => app.MapApproval());
