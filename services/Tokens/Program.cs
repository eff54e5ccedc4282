using Sloring.Hosting;
using Sloring.Tokens;

ServiceHost.Run(args, builder => builder.AddTokens(), app => app.MapTokens());
