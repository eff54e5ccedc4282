using System.Security;
using Microsoft.AspNetCore.Http;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>The WSDLs of contracts/wsdl, with the address that was asked and the configured namespace.</summary>
internal static class Wsdl
{
    /// <summary>What the documents themselves say, so that they are whole without a server.</summary>
    private const string Address = "http://127.0.0.1:5080";

    private static readonly SoapOptions Published = new();

    /// <summary>The document of one interface; SLR-917 where a GET asks for anything else.</summary>
    public static Task Write(HttpContext http, string name, SoapOptions options)
    {
        if (!http.Request.Query.Keys.Any(key => key.Equals("wsdl", StringComparison.OrdinalIgnoreCase)))
            throw new RejectedException(Rejections.NotHere);
        var address = options.PublicAddress.Length > 0 ? options.PublicAddress.TrimEnd('/') : $"{http.Request.Scheme}://{http.Request.Host}";
        http.Response.ContentType = "text/xml; charset=utf-8";
        return http.Response.WriteAsync(
            Text(name).Replace(Address, SecurityElement.Escape(address), StringComparison.Ordinal)
                .Replace(Published.Namespace20230601, SecurityElement.Escape(options.Namespace20230601), StringComparison.Ordinal)
                .Replace(Published.Namespace20240124, SecurityElement.Escape(options.Namespace20240124), StringComparison.Ordinal),
            http.RequestAborted);
    }

    private static string Text(string name)
    {
        using var reader = new StreamReader(typeof(Rejections).Assembly.GetManifestResourceStream($"{name}.wsdl")
            ?? throw new InvalidOperationException($"contracts/wsdl holds no {name}.wsdl."));
        return reader.ReadToEnd();
    }
}
