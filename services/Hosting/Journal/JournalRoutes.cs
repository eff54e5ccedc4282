using Microsoft.AspNetCore.Builder;
using Sloring.Contracts.Journal.V1;

namespace Sloring.Hosting;

/// <summary>The audit trail over HTTP: search (POST: a CPR number never stands in an address) and verify.</summary>
internal static class JournalRoutes
{
    public static void MapJournals(this WebApplication app)
    {
        app.MapJson<SearchJournalRequest, SearchJournalResponse>("POST", "/v1/journals/{service}/search", Operations.SearchJournal,
            "Searches a service's audit trail", (http, request, caller, cancel) => http.Get<JournalRpcs>().Search(request, caller, cancel));
        app.MapJson<VerifyJournalRequest, VerifyJournalResponse>("GET", "/v1/journals/{service}/verification", Operations.VerifyJournal,
            "Recomputes a service's hash chain", (http, request, _, cancel) => http.Get<JournalRpcs>().Verify(request, cancel));
        app.MapJson<VerifyJournalRequest, VerifyJournalResponse>("POST", "/v1/journals/{service}/verification", Operations.VerifyJournal,
            "The same, and compares it with checkpoints kept outside", (http, request, _, cancel) => http.Get<JournalRpcs>().Verify(request, cancel));
        app.MapJson<ListCheckpointsRequest, ListCheckpointsResponse>("GET", "/v1/journals/{service}/checkpoints", Operations.ListCheckpoints,
            "The signed checkpoints of a service's journal, to be kept outside", (http, request, _, cancel) => http.Get<JournalRpcs>().ListCheckpoints(request, cancel));
    }
}
