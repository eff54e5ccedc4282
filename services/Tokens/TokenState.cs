using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;
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
/// Keeps what the token service remembers in the file Tokens:StateFile. A database would hold one row: a file that replicas share, read every second and when it has
/// changed, replaced as a whole under a lock, is enough, and the token service starts before any database does.
/// </summary>
public sealed class TokenState(IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);

    /// <summary>On a network file system what is known of a file without opening it may be a minute old; what is opened is what was written last.</summary>
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromSeconds(1);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly Lock _lock = new();
    private readonly Remembered _nothing = new(clock.GetUtcNow(), [], ImmutableDictionary<string, DateTimeOffset>.Empty, []);
    private Known? _known;
    private bool _wasThere;

    private string Path => options.Value.StateFile;

    /// <summary>Whether anything can be remembered.</summary>
    public bool Remembers => Path.Length > 0;

    /// <summary>Whether anything has been remembered yet.</summary>
    public bool IsThere => File.Exists(Path);

    /// <summary>What is remembered now, by whichever replica.</summary>
    /// <exception cref="InvalidOperationException">The file is damaged, or gone after it was there: it is not passed over, since it may say who is revoked.</exception>
    public Remembered Now()
    {
        if (!Remembers)
            return _nothing;
        lock (_lock)
            return _known is { } known && TimeProvider.System.GetElapsedTime(known.ReadAt) < ReadAgainAfter && known.Seen == See() ? known.What : Read();
    }

    private Remembered Read()
    {
        lock (_lock)
        {
            var (seen, readAt) = (See(), TimeProvider.System.GetTimestamp());
            try
            {
                var text = File.ReadAllText(Path);
                _wasThere = true;
                _known = new Known(seen, readAt, text, _known is { } before && before.Text == text ? before.What : Parse(text));
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                if (_wasThere)
                    throw new InvalidOperationException("The file that Tokens:StateFile names is gone. Put it back, or its volume: it says which clients are revoked.");
                _known = new Known(seen, readAt, "", _nothing);
            }
            return _known.What;
        }
    }

    /// <summary>What shows a change at once on a disk of this machine's own.</summary>
    private (DateTime Written, long Length)? See() => new FileInfo(Path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : null;

    /// <summary>Changes what is remembered; on disk when this returns.</summary>
    /// <exception cref="RejectedException">SLR-617: there is no file; or what <paramref name="change"/> throws, and nothing has changed.</exception>
    public async Task<Remembered> Change(Func<Remembered, Remembered> change, CancellationToken cancel)
    {
        if (!Remembers)
            throw new RejectedException(Rejections.NoTokenState);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);
        await using var turn = await Turn(cancel);
        var changed = change(Read());
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
            (_known, _wasThere) = (null, true);
        }
        FlushFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);
        return changed;
    }

    /// <summary>The file's new name too outlives a loss of power. .NET opens no folder; Windows writes names through by itself.</summary>
    private static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new SafeFileHandle(open(path, 0), ownsHandle: true);
        if (folder.IsInvalid)
            throw new IOException("The folder of the file that Tokens:StateFile names cannot be opened.");
        RandomAccess.FlushToDisk(folder);
    }

#pragma warning disable SYSLIB1054, CA5392, CA2101, IDE1006 // One call of libc, by its own name.
    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
#pragma warning restore SYSLIB1054, CA5392, CA2101, IDE1006

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

    private sealed record Known((DateTime Written, long Length)? Seen, long ReadAt, string Text, Remembered What);
}

/// <summary>Not ready while what is remembered cannot be read: nobody gets a token then, since nobody knows who is revoked.</summary>
internal sealed class TokenStateCheck(TokenState state) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        state.Now();
        return Task.FromResult(HealthCheckResult.Healthy());
    }
}
