using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Registration.Domain;

/// <summary>A department masking (afdelingssløring): all staff of one unit, towards every citizen (rule D1).</summary>
public sealed record DepartmentMasking
{
    public required Guid UnitMaskingId { get; init; }

    /// <summary>SOR id as nominated; null where a SHAK code was.</summary>
    public string? SorId { get; init; }

    /// <summary>SHAK code as nominated; null where a SOR id was.</summary>
    public string? Shak { get; init; }

    /// <summary>The unit in the register, however it was nominated: one unit is masked at most once.</summary>
    public required string UnitSorId { get; init; }

    public required string Name { get; init; }

    public required CvrNumber Cvr { get; init; }

    public UnitState State { get; init; } = UnitState.Nominated;

    /// <summary>The grounds (rule D2), sealed.</summary>
    public required string SealedGrounds { get; init; }

    public DateTimeOffset? InForceFrom { get; init; }

    /// <summary>Danish day on which the need is to be reviewed (rule D3).</summary>
    public DateOnly? ReviewOn { get; init; }

    /// <summary>When it was removed, returned or refused; null before that.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Journal position of the nomination; the order of the list.</summary>
    public long Position { get; init; }
}

/// <summary>A unit as the organisation register has it.</summary>
/// <param name="SorId">SOR id.</param>
/// <param name="Name">Name.</param>
/// <param name="Cvr">The organisation it belongs to.</param>
/// <param name="IsTop">It is a whole organisation.</param>
public sealed record RegisterUnit(string SorId, string Name, CvrNumber Cvr, bool IsTop);
