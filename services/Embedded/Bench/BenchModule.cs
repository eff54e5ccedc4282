using Microsoft.AspNetCore.Mvc.RazorPages;
using Sloring.Hosting;
using Sloring.Tokens;

namespace Sloring.Embedded;

/// <summary>
/// The test bench: synthetic data, any request, the demo clock. It is in this assembly, so that no other host can have it, and has a route only where anybody may be
/// anybody anyway.
/// </summary>
internal static class BenchModule
{
    private const string Page = "/Bench";

    public static void AddBench(this WebApplicationBuilder builder)
    {
        var isThere = builder.Configuration["Tokens:SignIn"] == SignInWays.Demo;
        builder.Services.Configure<RazorPagesOptions>(pages => pages.Conventions.AddPageRouteModelConvention(Page, page =>
        {
            if (!isThere)
                page.Selectors.Clear();
        }));
        if (!isThere)
            return;
        builder.Services.AddMvcCore().AddApplicationPart(typeof(BenchModule).Assembly);
        var here = (builder.Configuration.GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions()).Http;
        builder.Services.AddHttpClient(BenchCalls.Client, http => http.BaseAddress = new Uri(here))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false });
        builder.Services.AddSingleton<BenchCalls>();
    }
}
