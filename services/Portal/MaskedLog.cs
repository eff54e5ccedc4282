using System.Globalization;
using Grpc.Core;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Portal;

/// <summary>
/// What may be shown of a patient's log. There is one way to it: <see cref="Unmasked"/>, which shows nothing, through effectuation's MaskEntries (rule E1). A page
/// that forgot to mask would not compile.
/// </summary>
public sealed class MaskedLog
{
    private const int PageSize = 50;

    private MaskedLog(MaskEntriesResponse masked, bool hasNext) =>
        (Entries, Explanation, HasNext) = ([.. masked.Entries.Select(LogEntry.Of)], masked.Explanation, hasNext);

    /// <summary>The newest first.</summary>
    public IReadOnlyList<LogEntry> Entries { get; }

    /// <summary>What the citizen is told while names are masked (rule C1); null where none is.</summary>
    public Explanation? Explanation { get; }

    /// <summary>There are older entries.</summary>
    public bool HasNext { get; }

    /// <summary>Entries as their sources gave them. They can be masked, and nothing else.</summary>
    public sealed class Unmasked(IEnumerable<Entry> entries)
    {
        private readonly List<Entry> _entries = [.. entries.OrderByDescending(entry => InstantOf(entry) ?? DateTimeOffset.MinValue)];

        /// <summary>Has a page of them masked for the patient whose log it is (rule E4), whoever reads it.</summary>
        /// <exception cref="RpcException">Effectuation is away or cannot know what is masked (rule E7): there is nothing to show.</exception>
        public async Task<MaskedLog> Mask(EffectuationService.EffectuationServiceClient effectuation, CprNumber patient, int page, DateTime deadline, CancellationToken cancel)
        {
            var from = Math.Min((long)page * PageSize, _entries.Count);
            var request = new MaskEntriesRequest { PatientCpr = patient.Digits, Entries = { _entries.Skip((int)from).Take(PageSize) } };
            return new MaskedLog(await effectuation.MaskEntriesAsync(request, deadline: deadline, cancellationToken: cancel), from + PageSize < _entries.Count);
        }
    }

    internal static DateTimeOffset? InstantOf(Entry entry) =>
        DateTimeOffset.TryParse(entry.OccurredAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) ? instant : null;
}

/// <summary>An entry as the citizen sees it. Deliberately absent: free text, which is never masked (rule E2), and every identifier of staff.</summary>
/// <param name="Source">The data source.</param>
/// <param name="Organisation">Name of the organisation.</param>
/// <param name="At">When; null where the source gave no instant.</param>
/// <param name="Activity">What was done.</param>
/// <param name="Staff">By whom.</param>
public sealed record LogEntry(string Source, string Organisation, DateTimeOffset? At, string Activity, IReadOnlyList<LogStaff> Staff)
{
    internal static LogEntry Of(Entry entry) => new(entry.Source, entry.OrganisationName, MaskedLog.InstantOf(entry), entry.Activity, [.. entry.Staff.Select(LogStaff.Of)]);
}

/// <summary>Somebody of the staff: by name, or by pseudonym where masked (rule E3).</summary>
/// <param name="Role">In the source's word, for example "user".</param>
/// <param name="Name">Name or pseudonym; empty where there is neither.</param>
/// <param name="Profession">The professional group.</param>
/// <param name="IsPseudonym">The name is none.</param>
public sealed record LogStaff(string Role, string Name, string Profession, bool IsPseudonym)
{
    internal static LogStaff Of(Staff staff) => staff.Masked
        ? new(staff.Role, staff.Pseudonym, staff.Profession, IsPseudonym: true)
        : new(staff.Role, staff.Name, Professions.NameOf(staff.ProfessionCode), IsPseudonym: false);
}
