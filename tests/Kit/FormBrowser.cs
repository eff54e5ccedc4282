using System.Net;
using System.Text.RegularExpressions;

namespace Sloring.Tests;

/// <summary>A browser as far as pages without script need one: cookies, redirects, forms with their hidden fields.</summary>
public sealed partial class FormBrowser : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Where it is, after all redirects.</summary>
    public Uri Address { get; private set; } = new("about:blank");

    /// <summary>The page as text.</summary>
    public string Html { get; private set; } = "";

    public async Task Open(string address)
    {
        using var answer = await _http.GetAsync(new Uri(address));
        await Show(answer);
    }

    /// <summary>Opens a page as one of the demo personas, by the sign-in page that it leads to.</summary>
    public async Task SignIn(string persona, string at)
    {
        await Open(at);
        await Send("name=\"persona\"", ("persona", persona));
    }

    /// <summary>Sends the form that has <paramref name="mark"/> in it: its hidden fields, and what is filled in.</summary>
    public async Task Send(string mark, params (string Name, string Value)[] filledIn)
    {
        var form = Form().Matches(Html).Single(form => form.Value.Contains(mark, StringComparison.Ordinal)).Value;
        var fields = Input().Matches(form).Select(input => input.Value).Where(input => Attribute(input, "type") == "hidden")
            .Select(input => (Name: Attribute(input, "name"), Value: Attribute(input, "value"))).Concat(filledIn);
        using var content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var answer = await _http.PostAsync(new Uri(Address, Attribute(form, "action")), content);
        await Show(answer);
    }

    public void Dispose() => _http.Dispose();

    private async Task Show(HttpResponseMessage answer)
    {
        (Address, Html) = (answer.RequestMessage!.RequestUri!, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync()));
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{Address.AbsolutePath} answered {(int)answer.StatusCode}:\n{Html}");
    }

    private static string Attribute(string tag, string name) => Regex.Match(tag, $" {name}=\"([^\"]*)\"").Groups[1].Value;

    [GeneratedRegex("<form .*?</form>", RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex("<input [^>]*>")]
    private static partial Regex Input();
}
