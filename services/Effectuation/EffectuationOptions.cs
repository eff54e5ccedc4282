namespace Sloring.Effectuation;

/// <summary>Settings of effectuation, section <c>Effectuation</c>.</summary>
public sealed class EffectuationOptions
{
    /// <summary>Seconds without a sign of life from Registration after which nothing is masked or shown (rule E7); 2 to 60.</summary>
    public double StalenessBoundSeconds { get; set; } = 10;

    /// <summary>Address of the general explanation for citizens (rule C1).</summary>
    public string ExplanationLink { get; set; } = "https://www.sundhed.dk/borger/min-side/sloering-af-navne/";

    /// <summary>Seconds between two looks at the current salt. A rotation is also told by an event, but only one of several replicas hears it.</summary>
    public double SaltRefreshSeconds { get; set; } = 5;
}
