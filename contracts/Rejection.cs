namespace Sloring.Contracts;

/// <summary>What a rejection is on each wire: gRPC status and HTTP status are derived from it in one place.</summary>
public enum RejectionKind
{
    /// <summary>The request itself is wrong: INVALID_ARGUMENT, 400.</summary>
    Invalid,

    /// <summary>No valid token: UNAUTHENTICATED, 401.</summary>
    Unauthenticated,

    /// <summary>The caller may not: PERMISSION_DENIED, 403.</summary>
    Forbidden,

    /// <summary>Not there, or not the caller's: NOT_FOUND, 404.</summary>
    NotFound,

    /// <summary>Used before with other content: ALREADY_EXISTS, 409.</summary>
    Conflict,

    /// <summary>Right request at the wrong time or in the wrong state: FAILED_PRECONDITION, 409.</summary>
    State,

    /// <summary>Too much at once: RESOURCE_EXHAUSTED, 413.</summary>
    TooMuch,

    /// <summary>Too often: RESOURCE_EXHAUSTED, 429, with Retry-After.</summary>
    TooOften,

    /// <summary>Try again: UNAVAILABLE, 503.</summary>
    Unavailable,

    /// <summary>Our fault: INTERNAL, 500.</summary>
    Internal,
}

/// <summary>A numbered "no": what is wrong and what to do, in Danish and English. Texts never repeat the caller's value.</summary>
/// <param name="Code">"SLR-nnn"; never reused for another meaning.</param>
/// <param name="Kind">How it travels.</param>
/// <param name="Da">Danish text.</param>
/// <param name="En">English text.</param>
/// <param name="Field">The request field at fault, in the contract's snake_case; null where no single field is.</param>
public sealed record Rejection(string Code, RejectionKind Kind, string Da, string En, string? Field = null)
{
    /// <summary>The same rejection, naming the field at fault.</summary>
    public Rejection For(string field) => this with { Field = field };
}

/// <summary>Carries a rejection from where a rule said no to the wire. Its message holds no caller's value.</summary>
public sealed class RejectedException(Rejection rejection) : Exception($"{rejection.Code} {rejection.En}")
{
    public Rejection Rejection { get; } = rejection;
}

/// <summary>A rule's answer: a value, or a rejection.</summary>
public readonly record struct Decided<T>
{
    private readonly T? _value;

    private Decided(T? value, Rejection? rejection) => (_value, Rejection) = (value, rejection);

    /// <summary>Why not; null when there is a value.</summary>
    public Rejection? Rejection { get; }

    /// <summary>The value.</summary>
    /// <exception cref="RejectedException">The rule said no.</exception>
    public T Value => Rejection is null ? _value! : throw new RejectedException(Rejection);

    public static implicit operator Decided<T>(T value) => new(value, null);

    public static implicit operator Decided<T>(Rejection rejection) => new(default, rejection);
}
