using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Journal.V1;
using Sloring.Contracts.Operation.V1;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>The portal: pages for people. It holds no data and no rules: every page is calls to the services with the person's own token.</summary>
public static class PortalModule
{
    public const string Name = "portal";

    public static void AddPortal(this WebApplicationBuilder builder)
    {
        builder.AddSignIn();
        builder.AddPersonClient<RegistrationService.RegistrationServiceClient>(to: "registration", SignIn.TokenOf);
        builder.AddPersonClient<ApprovalService.ApprovalServiceClient>(to: "approval", SignIn.TokenOf);
        builder.AddPersonClient<PseudonymService.PseudonymServiceClient>(to: "pseudonym", SignIn.TokenOf);
        builder.AddPersonClient<EffectuationService.EffectuationServiceClient>(to: "effectuation", SignIn.TokenOf);
        builder.AddPersonClient<SchedulerService.SchedulerServiceClient>(to: "scheduler", SignIn.TokenOf);
        foreach (var service in ServiceNames.WithJournal)
        {
            builder.AddPersonClient<JournalService.JournalServiceClient>(to: service, SignIn.TokenOf);
            builder.AddPersonClient<OperationService.OperationServiceClient>(to: service, SignIn.TokenOf);
        }

        var services = builder.Services;
        builder.AddCitizenLog();
        services.AddHttpContextAccessor();
        services.AddSingleton<Assets>();
        services.AddSingleton<PagesHere>();
        services.AddSingleton<PageHeaders>();
        services.AddRazorPages(options => options.Conventions.AddPageAccess()).AddMvcOptions(mvc =>
        {
            mvc.Filters.Add<InTheirLanguage>();
            mvc.Filters.Add<OnlyTheirPages>();
            mvc.Filters.Add<ShowRejections>();
            mvc.Filters.Add<ShowStaleForms>();
            mvc.Filters.AddService<PageHeaders>();
        }).AddApplicationPart(typeof(PortalModule).Assembly);
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "sloring-portal-form";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            // The headers of PageHeaders say more.
            options.SuppressXFrameOptionsHeader = true;
        });
    }

    /// <summary>The one page that is not asked for with the person's own token: a citizen's opens nothing, the portal is the citizen-facing view.</summary>
    private static void AddCitizenLog(this WebApplicationBuilder builder)
    {
        var clientId = builder.Configuration["Portal:ClientId"] is { Length: > 0 } id ? id : Name;
        builder.AddServiceClient<EffectuationService.EffectuationServiceClient>(from: clientId, to: "effectuation");
        builder.Services.AddSingleton(provider => new Pages.CitizenView(provider.GetRequiredKeyedService<EffectuationService.EffectuationServiceClient>(clientId)));
        builder.Services.AddSingleton<LogSources>();
        // Whoever the settings name is asked, and nobody whom it names in turn.
        foreach (var scheme in (ReadOnlySpan<string>)[Uri.UriSchemeHttp, Uri.UriSchemeHttps])
            builder.Services.AddHttpClient(LogSources.Client + scheme, http => (http.Timeout, http.MaxResponseContentBufferSize) = (LogSources.Patience, LogSources.LargestAnswer))
                .ConfigurePrimaryHttpMessageHandler(() =>
                {
                    var handler = Outgoing.To(scheme);
                    (handler.AllowAutoRedirect, handler.UseCookies) = (false, false);
                    return handler;
                });
    }

    public static void MapPortal(this WebApplication app)
    {
        app.MapRazorPages();
        app.MapSignIn();
        app.MapGet(CaseCountStream.Path, CaseCountStream.Send).RequireAuthorization(SignIn.Policy);
        app.MapGet("/language/{code}", Language.Switch).AllowAnonymous();
        app.MapGet("/assets/{version}/{**path}", app.Services.GetRequiredService<Assets>().Serve).AllowAnonymous();
    }
}
