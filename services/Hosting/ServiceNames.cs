namespace Sloring.Hosting;

/// <summary>The platform's services by name.</summary>
public static class ServiceNames
{
    /// <summary>Those with a database, and so with a journal, keys and a status; in the order in which they are shown.</summary>
    public static IReadOnlyList<string> WithJournal { get; } = ["registration", "approval", "scheduler", "pseudonym", "effectuation"];
}
