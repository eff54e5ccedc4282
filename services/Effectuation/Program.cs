using Sloring.Effectuation;
using Sloring.Hosting;

ServiceHost.Run(args, builder => builder.AddEffectuation(), app => app.MapEffectuation());
