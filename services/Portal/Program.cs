using Sloring.Hosting;
using Sloring.Portal;

ServiceHost.Run(args, builder => builder.AddPortal(), app => app.MapPortal());
