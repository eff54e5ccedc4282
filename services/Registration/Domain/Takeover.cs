using Sloring.Contracts;

namespace Sloring.Registration.Domain;

/// <summary>An organisation whose maskings another has taken over, and what the takeover did: kept so that a repeat answers the same.</summary>
public sealed record Takeover
{
    /// <summary>The organisation that was replaced.</summary>
    public required CvrNumber Replaced { get; init; }

    /// <summary>The organisation that has its maskings now: the last, where one that replaced it was replaced itself.</summary>
    public required CvrNumber By { get; set; }

    /// <summary>Maskings in force that followed.</summary>
    public required int Maskings { get; init; }

    /// <summary>Patients among them who were masked by both.</summary>
    public required int Merged { get; init; }

    /// <summary>Maskings in force that the other had itself.</summary>
    public required int Held { get; init; }

    /// <summary>Maskings that were over.</summary>
    public required int Over { get; init; }

    /// <summary>Department maskings.</summary>
    public required int Units { get; init; }

    /// <summary>Journal position after the takeover.</summary>
    public long Position { get; set; }
}

/// <summary>Which organisation has replaced which. A masking of one covers the entries of all that it has replaced.</summary>
/// <param name="By">The replaced → the one that has its maskings now, never replaced itself.</param>
public sealed record Replacements(IReadOnlyDictionary<CvrNumber, CvrNumber> By)
{
    /// <summary>The organisation that has an organisation's maskings now: itself, where it was not replaced.</summary>
    public CvrNumber OrganisationOf(CvrNumber cvr) => By.GetValueOrDefault(cvr, cvr);

    /// <summary>Those that an organisation has replaced, in order.</summary>
    public IReadOnlyList<CvrNumber> ReplacedBy(CvrNumber cvr) =>
        By.Count == 0 ? [] : [.. By.Where(pair => pair.Value == cvr).Select(pair => pair.Key).OrderBy(replaced => replaced.Value)];
}
