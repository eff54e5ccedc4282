namespace Sloring.Approval.Domain;

/// <summary>What people ask of a case (the first five) and what Registration reports about its masking (the rest).</summary>
public enum CaseCommand
{
    /// <summary>Opretholde.</summary>
    Uphold,

    /// <summary>Ophæve.</summary>
    Lift,

    /// <summary>A question to the activator.</summary>
    Ask,

    /// <summary>The answer.</summary>
    Answer,

    /// <summary>A further period.</summary>
    Renew,

    /// <summary>A later activation took the masking's place.</summary>
    Supersede,

    /// <summary>The organisation ended the masking.</summary>
    End,

    /// <summary>The masking ran out.</summary>
    Expire,
}
