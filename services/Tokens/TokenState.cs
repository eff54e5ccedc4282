using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>What the token service remembers. Private keys are sealed.</summary>
/// <param name="Began">When it was first written: how old the secret store's key may be taken to be.</param>
/// <param name="Keys">Signing keys after the secret store's, oldest first.</param>
/// <param name="Revoked">Client, or person → when it was revoked; of one that is restored, when that was, since tokens issued up to then stay refused.</param>
/// <param name="Restored">Revoked clients and people that get tokens again.</param>
public sealed record Remembered(DateTimeOffset Began, ImmutableList<RememberedKey> Keys, ImmutableDictionary<string, DateTimeOffset> Revoked, ImmutableHashSet<string> Restored)
{
    /// <summary>Sessions that are over before their time → when they would have been.</summary>
    public ImmutableDictionary<string, DateTimeOffset> Ended { get; init; } = ImmutableDictionary<string, DateTimeOffset>.Empty;

    /// <summary>In place of an instant while somebody is revoked: what was issued while that was being written, or by a clock that is ahead, is refused too.</summary>
    private static readonly DateTimeOffset NoBound = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    /// <summary>Client, or person → tokens issued up to then are refused.</summary>
    public IEnumerable<KeyValuePair<string, DateTimeOffset>> Refused => Revoked.Select(one => KeyValuePair.Create(one.Key, RefusedUpTo(one.Key)!.Value));

    public bool IsRevoked(string client) => Revoked.ContainsKey(client) && !Restored.Contains(client);

    /// <summary>Up to when tokens of a client or a person are refused; null where none are.</summary>
    public DateTimeOffset? RefusedUpTo(string id) => IsRevoked(id) ? NoBound : Revoked.TryGetValue(id, out var restored) ? restored : null;

    /// <summary>Whether what is given to a client or a person at an instant is refused; restored or not, as with tokens.</summary>
    public bool Refuses(string id, DateTimeOffset given) => RefusedUpTo(id) is { } upTo && given.ToUnixTimeSeconds() <= upTo.ToUnixTimeSeconds();
}

/// <summary>A signing key that a rotation made.</summary>
/// <param name="From">When it begins to sign.</param>
/// <param name="Sealed">Its PKCS #8 PEM, sealed.</param>
public sealed record RememberedKey(DateTimeOffset From, string Sealed);

/// <summary>
/// Keeps what the token service remembers in the file Tokens:StateFile. A database would hold one row: a file that replicas share, read when it has changed and
/// replaced as a whole under a lock, is enough, and the token service starts before any database does.
/// </summary>
public sealed class TokenState(IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly Lock _lock = new();
    private readonly Remembered _nothing = new(clock.GetUtcNow(), [], ImmutableDictionary<string, DateTimeOffset>.Empty, []);
    private (DateTime Written, long Length, Remembered What)? _read;

    private string Path => options.Value.StateFile;

    /// <summary>Whether anything can be remembered.</summary>
    public bool Remembers => Path.Length > 0;

    /// <summary>Whether anything has been remembered yet.</summary>
    public bool IsThere => File.Exists(Path);

    /// <summary>What is remembered now, by whichever replica.</summary>
    /// <exception cref="InvalidOperationException">The file is damaged: it is not passed over, since it may say who is revoked.</exception>
    public Remembered Now()
    {
        if (!Remembers)
            return _nothing;
        lock (_lock)
        {
            var file = new FileInfo(Path);
            if (!file.Exists)
                return _nothing;
            if (_read is { } read && (read.Written, read.Length) == (file.LastWriteTimeUtc, file.Length))
                return read.What;
            var what = Parse(File.ReadAllText(Path));
            _read = (file.LastWriteTimeUtc, file.Length, what);
            return what;
        }
    }

    /// <summary>Changes what is remembered; on disk when this returns.</summary>
    /// <exception cref="RejectedException">SLR-617: there is no file; or what <paramref name="change"/> throws, and nothing has changed.</exception>
    public async Task<Remembered> Change(Func<Remembered, Remembered> change, CancellationToken cancel)
    {
        if (!Remembers)
            throw new RejectedException(Rejections.NoTokenState);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);
        await using var turn = await Turn(cancel);
        var changed = change(Now());
        var next = Path + ".next";
        File.Delete(next);
        var owner = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            owner.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var file = new FileStream(next, owner))
        {
            await JsonSerializer.SerializeAsync(file, changed, Json, cancel);
            file.Flush(flushToDisk: true);
        }
        lock (_lock)
        {
            File.Move(next, Path, overwrite: true);
            _read = null;
        }
        return changed;
    }

    /// <summary>One change at a time, of all replicas: whoever dies meanwhile lets go.</summary>
    private async Task<FileStream> Turn(CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(LockLimit);
        while (true)
        {
            try
            {
                return new FileStream(Path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(20, cancel);
            }
            catch (IOException)
            {
                throw new RejectedException(Rejections.Busy);
            }
        }
    }

    private static Remembered Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Remembered>(text, Json) is { Keys: not null, Revoked: not null, Restored: not null } what ? what : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new InvalidOperationException("The file that Tokens:StateFile names is damaged. Restore it from a copy: it says which clients are revoked.");
        }
    }
}
