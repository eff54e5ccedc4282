using System.Net.Http.Headers;
using Google.Protobuf;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>A data source that is asked for a patient's log (docs/log-sources.md).</summary>
public sealed class LogSourceOptions
{
    /// <summary>What people call it.</summary>
    public string Name { get; set; } = "";

    /// <summary>Where it is asked, by POST.</summary>
    public string Address { get; set; } = "";

    /// <summary>Whether it can be asked: a CPR number and names go over TLS, or stay on this machine.</summary>
    public bool IsUsable => Name.Length > 0 && Uri.TryCreate(Address, UriKind.Absolute, out var uri) && uri.Query.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));
}

/// <summary>
/// Asks every source for a patient's log, in the portal's own name and with a token that opens nothing here. What a source answers is never logged: a text that cannot be
/// read may hold names.
/// </summary>
public sealed class LogSources(IHttpClientFactory http, ServiceTokens tokens, IOptions<PortalOptions> options, ILogger<LogSources> log)
{
    internal const string Client = "log-source-";

    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The largest answer that is read.</summary>
    internal const int LargestAnswer = 16 * 1024 * 1024;

    /// <summary>Their messages may say more than ours.</summary>
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>There are sources to ask.</summary>
    public bool Any => options.Value.LogSources.Count > 0;

    /// <summary>All entries of all sources that answer, and the names of those that do not.</summary>
    public async Task<(MaskedLog.Unmasked Entries, IReadOnlyList<string> Away)> Read(CprNumber patient, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(options.Value.LogSources.Select(async source => (source.Name, Entries: await Read(source, patient, cancel))));
        return (new MaskedLog.Unmasked(answers.SelectMany(answer => answer.Entries ?? [])), [.. answers.Where(answer => answer.Entries is null).Select(answer => answer.Name)]);
    }

    /// <summary>Null where the source is away, or answers anything but this patient's log.</summary>
    private async Task<IReadOnlyList<Entry>?> Read(LogSourceOptions source, CprNumber patient, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, source.Address)
            {
                Content = JsonContent.Create(new { patientCpr = patient.Digits }),
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", await tokens.With(Roles.LogReader, options.Value.ClientId, cancel)) },
            };
            using var client = http.CreateClient(Client + new Uri(source.Address).Scheme);
            using var response = await client.SendAsync(request, cancel);
            response.EnsureSuccessStatusCode();
            var answer = Parser.Parse<MaskEntriesRequest>(await response.Content.ReadAsStringAsync(cancel));
            if (answer.PatientCpr.Length > 0 && answer.PatientCpr != patient.Digits)
                throw new InvalidDataException();
            foreach (var entry in answer.Entries.Where(entry => entry.Source.Length == 0))
                entry.Source = source.Name;
            return answer.Entries;
        }
        catch (Exception e) when (e is HttpRequestException or InvalidDataException or InvalidProtocolBufferException or InvalidJsonException
            || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            log.LogWarning("Log source {Source} gave no log: {Kind}", source.Name, e.GetType().Name);
            return null;
        }
    }
}
