using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>How old the signing key is.</summary>
internal sealed class KeyFigures(TokenSigner signer, TimeProvider clock) : IFigures
{
    public Task Look(CancellationToken cancel) => Task.CompletedTask;

    public IEnumerable<Figure> Now() => [new Figure(Metrics.SigningKeyAge, Math.Max(0, (clock.GetUtcNow() - signer.NewestFrom).TotalSeconds))];
}
