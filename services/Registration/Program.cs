using Sloring.Hosting;
using Sloring.Registration;

ServiceHost.Run(args, builder => builder.AddRegistration(), app => app.MapRegistration());
