using static Sloring.Hosting.Roles;

namespace Sloring.Hosting;

/// <summary>Every operation and the one table that says which roles may call it. What is not in the table is denied.</summary>
public static class Operations
{
    public const string Activate = nameof(Activate);
    public const string AddReason = nameof(AddReason);
    public const string End = nameof(End);
    public const string RenewMasking = nameof(RenewMasking);
    public const string ListMaskings = nameof(ListMaskings);
    public const string NominateUnit = nameof(NominateUnit);
    public const string ReviewUnit = nameof(ReviewUnit);
    public const string ConfirmUnit = nameof(ConfirmUnit);
    public const string RemoveUnit = nameof(RemoveUnit);
    public const string ListUnits = nameof(ListUnits);
    public const string WatchMaskings = nameof(WatchMaskings);
    public const string TakeOverOrganisation = nameof(TakeOverOrganisation);
    public const string ReadJournal = nameof(ReadJournal);
    public const string SearchJournal = nameof(SearchJournal);
    public const string VerifyJournal = nameof(VerifyJournal);
    public const string ListCheckpoints = nameof(ListCheckpoints);
    public const string RotateKeys = nameof(RotateKeys);
    public const string GetServiceStatus = nameof(GetServiceStatus);
    public const string ReplayErrors = nameof(ReplayErrors);
    public const string ListCases = nameof(ListCases);
    public const string GetCase = nameof(GetCase);
    public const string Decide = nameof(Decide);
    public const string Ask = nameof(Ask);
    public const string Answer = nameof(Answer);
    public const string RenewCase = nameof(RenewCase);
    public const string ListNotices = nameof(ListNotices);
    public const string GetOverview = nameof(GetOverview);
    public const string RegisterComplaint = nameof(RegisterComplaint);
    public const string ListComplaints = nameof(ListComplaints);
    public const string GetComplaint = nameof(GetComplaint);
    public const string TreatComplaint = nameof(TreatComplaint);
    public const string AnswerComplaint = nameof(AnswerComplaint);
    public const string GetPractice = nameof(GetPractice);
    public const string ChangePractice = nameof(ChangePractice);
    public const string ListDeadlines = nameof(ListDeadlines);
    public const string GetSchedulerStatus = nameof(GetSchedulerStatus);
    public const string GetCurrentSalt = nameof(GetCurrentSalt);
    public const string ComputePseudonyms = nameof(ComputePseudonyms);
    public const string ResolvePseudonym = nameof(ResolvePseudonym);
    public const string RotateSalt = nameof(RotateSalt);
    public const string MaskEntries = nameof(MaskEntries);
    public const string GetMaskingInstructions = nameof(GetMaskingInstructions);
    public const string GetEffectuationStatus = nameof(GetEffectuationStatus);
    public const string RevokeClient = nameof(RevokeClient);
    public const string RestoreClient = nameof(RestoreClient);
    public const string RotateSigningKey = nameof(RotateSigningKey);
    public const string ListSigningKeys = nameof(ListSigningKeys);
    public const string MoveDemoClock = nameof(MoveDemoClock);
    public const string ReadDemoLog = nameof(ReadDemoLog);

    /// <summary>Operation → roles that may call it.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Allowed { get; } = new Dictionary<string, IReadOnlySet<string>>
    {
        [Activate] = Any(EpjAdapter, HealthWorker, Leader),
        [AddReason] = Any(EpjAdapter, HealthWorker, Leader),
        [End] = Any(EpjAdapter, Leader),
        [RenewMasking] = Any(Service),
        [ListMaskings] = Any(EpjAdapter, HealthWorker, Leader),
        [NominateUnit] = Any(HospitalManagement),
        [ReviewUnit] = Any(Region),
        [ConfirmUnit] = Any(National),
        [RemoveUnit] = Any(HospitalManagement, Region, National),
        [ListUnits] = Any(HospitalManagement, Region, National),
        [WatchMaskings] = Any(Service, DataSource),
        [TakeOverOrganisation] = Any(Operator),
        [ReadJournal] = Any(Service),
        [SearchJournal] = Any(Auditor),
        [VerifyJournal] = Any(Auditor, Operator),
        [ListCheckpoints] = Any(Auditor, Operator),
        [RotateKeys] = Any(Operator),
        [GetServiceStatus] = Any(Operator),
        [ReplayErrors] = Any(Operator),
        [ListCases] = Any(Leader, HospitalManagement, Region),
        [GetCase] = Any(HealthWorker, Leader),
        [Decide] = Any(Leader),
        [Ask] = Any(Leader),
        [Answer] = Any(HealthWorker, Leader),
        [RenewCase] = Any(Leader),
        [ListNotices] = Any(HealthWorker, Leader),
        [GetOverview] = Any(HospitalManagement, Region, National),
        [RegisterComplaint] = Any(HospitalManagement, Region),
        [ListComplaints] = Any(HospitalManagement, Region),
        [GetComplaint] = Any(Leader, HospitalManagement, Region),
        [TreatComplaint] = Any(HospitalManagement, Region),
        [AnswerComplaint] = Any(HospitalManagement, Region),
        [GetPractice] = Any(HospitalManagement, Region),
        [ChangePractice] = Any(Region),
        [ListDeadlines] = Any(Operator),
        [GetSchedulerStatus] = Any(Operator),
        [GetCurrentSalt] = Any(Service, DataSource, TokenService),
        [ComputePseudonyms] = Any(Service, DataSource, CitizenView),
        [ResolvePseudonym] = Any(CaseWorker),
        [RotateSalt] = Any(Operator),
        [MaskEntries] = Any(CitizenView, DataSource),
        [GetMaskingInstructions] = Any(CitizenView, DataSource, TokenService),
        [GetEffectuationStatus] = Any(Operator),
        [RevokeClient] = Any(Operator),
        [RestoreClient] = Any(Operator),
        [RotateSigningKey] = Any(Operator),
        [ListSigningKeys] = Any(Operator),
        [MoveDemoClock] = Any(Operator),
        [ReadDemoLog] = Any(LogReader),
    };

    private static HashSet<string> Any(params string[] roles) => [.. roles];
}
