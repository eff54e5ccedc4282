using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Core.Infrastructure;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>A numbered "no" as people read it.</summary>
public static class Refusal
{
    /// <summary>In the reader's language, with its number.</summary>
    public static string Text(this Rejection rejection) =>
        $"{(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "da" ? rejection.Da : rejection.En)} ({rejection.Code})";

    /// <summary>What a service has refused; where it gave no number, that it could not be reached or failed.</summary>
    public static Rejection Of(RpcException e) =>
        RejectionWriter.FromRpc(e) ?? (e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded ? Rejections.Busy : Rejections.Failed);

    /// <summary>A whole page that says no.</summary>
    internal static ViewResult Show(Rejection rejection) => Show("Refused", rejection, rejection);

    /// <summary>A page of its own that says no.</summary>
    /// <typeparam name="TModel">What it shows.</typeparam>
    internal static ViewResult Show<TModel>(string view, TModel model, Rejection rejection) => new()
    {
        ViewName = view,
        StatusCode = RejectionWriter.HttpStatus(rejection),
        ViewData = new ViewDataDictionary<TModel>(new EmptyModelMetadataProvider(), new ModelStateDictionary()) { Model = model },
    };
}

/// <summary>Shows as a page what no page has caught.</summary>
internal sealed class ShowRejections(ILogger<ShowRejections> log) : IExceptionFilter
{
    public void OnException(ExceptionContext context)
    {
        var rejection = context.Exception switch
        {
            RejectedException rejected => rejected.Rejection,
            RpcException rpc => Refusal.Of(rpc),
            _ => Rejections.Failed,
        };
        if (rejection.Kind == RejectionKind.Internal)
            Faults.Log(log, context.Exception, context.ActionDescriptor.DisplayName ?? "page");
        // A token that has been refused is a session that has ended: sign in anew.
        context.Result = rejection.Kind == RejectionKind.Unauthenticated ? SignIn.Anew() : Refusal.Show(rejection);
        context.ExceptionHandled = true;
    }
}

/// <summary>A form without the token of this session: from another site, from before signing in, or kept too long. One that this site's own page has sent can be looked over and sent again.</summary>
internal sealed class ShowStaleForms : IAlwaysRunResultFilter
{
    public void OnResultExecuting(ResultExecutingContext context)
    {
        if (context.Result is IAntiforgeryValidationFailedResult)
            context.Result = HeldForm.Of(context.HttpContext, Rejections.FormHeld)?.Show() ?? Refusal.Show(Rejections.FormStale);
    }

    public void OnResultExecuted(ResultExecutedContext context)
    {
    }
}
