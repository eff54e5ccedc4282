using Sloring.Hosting;
using Sloring.Pseudonym;

ServiceHost.Run(args, builder => builder.AddPseudonym(), app => app.MapPseudonym());
