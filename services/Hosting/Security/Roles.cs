namespace Sloring.Hosting;

/// <summary>The roles a token may carry, in claim <c>roles</c>.</summary>
public static class Roles
{
    /// <summary>An EPJ system that acts for named people of its organisation.</summary>
    public const string EpjAdapter = "epj-adapter";

    /// <summary>A health worker.</summary>
    public const string HealthWorker = "health-worker";

    /// <summary>A leader of the unit in claim <c>unit</c>.</summary>
    public const string Leader = "leader";

    /// <summary>The management of a hospital: nominates units (rule D2).</summary>
    public const string HospitalManagement = "hospital-management";

    /// <summary>The region: reviews nominations, oversees practice (rules D2, O1).</summary>
    public const string Region = "region";

    /// <summary>The national level: confirms nominations (rule D2).</summary>
    public const string National = "national";

    /// <summary>Handles access requests (rule C2).</summary>
    public const string CaseWorker = "case-worker";

    /// <summary>Searches and verifies the audit trail (rule O3).</summary>
    public const string Auditor = "auditor";

    /// <summary>A citizen-facing view: masks what it shows (rule E8).</summary>
    public const string CitizenView = "citizen-view";

    /// <summary>A data source: masks its own data (rule E8).</summary>
    public const string DataSource = "data-source";

    /// <summary>Operates the platform; sees no patient.</summary>
    public const string Operator = "operator";

    /// <summary>A service of the platform itself.</summary>
    public const string Service = "service";

    /// <summary>The token service: puts masking instructions into identity tokens (rule E8).</summary>
    public const string TokenService = "token-service";

    /// <summary>Reads a citizen's log at data sources, to have it masked and shown. Opens nothing of the platform's own: a source that keeps the token it is asked with has gained nothing.</summary>
    public const string LogReader = "log-reader";

    /// <summary>A citizen, who sees their own log.</summary>
    public const string Citizen = "citizen";

    /// <summary>Somebody with power of attorney, custody or guardianship, who sees the log of others (rule E4).</summary>
    public const string CitizenRepresentative = "citizen-representative";

    /// <summary>All roles.</summary>
    public static IReadOnlySet<string> All { get; } = new HashSet<string>
    {
        EpjAdapter, HealthWorker, Leader, HospitalManagement, Region, National, CaseWorker, Auditor, CitizenView, DataSource, Operator, Service, TokenService, LogReader,
        Citizen, CitizenRepresentative,
    };
}
