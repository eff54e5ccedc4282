using System.Diagnostics;
using Sloring.Cluster;

namespace Sloring.Tests.Distributed.Upgrade;

/// <summary>
/// The version that an upgrade begins from: the commit in the file <c>version-before</c>, taken out of the repository's own history and built once, in a folder of its own under
/// .build/. After a release, the file names the release's commit.
/// </summary>
/// <param name="Root">Its repository, built.</param>
/// <param name="Commit">Its commit; empty where it is this version's own build that is taken in its place.</param>
/// <param name="Drains">Whether its processes know Listen:DrainSeconds. One that does not cuts off what is on its way to it in the moment in which it stops.</param>
internal sealed record VersionBefore(string Root, string Commit, bool Drains)
{
    private const string EndsWithoutDraining = "ends-without-draining";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10), Sign = TimeSpan.FromSeconds(15);

    /// <summary>Gives it; where the history has no such commit (a shallow clone, an archive), this version's own build, and says so.</summary>
    /// <exception cref="InvalidOperationException">It is there and cannot be built.</exception>
    public static async Task<VersionBefore> Built(Action<string> say, CancellationToken cancel)
    {
        var words = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "Distributed", "Upgrade", "version-before"), cancel)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var (commit, drains) = (words[0], !words.Contains(EndsWithoutDraining));
        var folder = Path.Combine(Repository.Root, ".build", "versions", commit);
        var done = Path.Combine(folder, ".built");
        if (File.Exists(done))
        {
            say($"the version before is {commit}, built already");
            return new VersionBefore(folder, commit, drains);
        }
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        var archive = folder + ".tar";
        try
        {
            await ForeignProgram.Run("git", "", "-c", "safe.directory=*", "-C", Repository.Root, "archive", "--format=tar", "--output=" + archive, commit);
        }
        catch (InvalidOperationException e)
        {
            say($"THE VERSION BEFORE IS NOT TRIED: {commit} is not in this clone's history ({e.Message.Trim()}). Fetch it all (git fetch --unshallow) to try it.");
            File.Delete(archive);
            Directory.Delete(folder);
            return new VersionBefore(Repository.Root, "", Drains: true);
        }
        await ForeignProgram.Run("tar", "", "-xf", archive, "-C", folder);
        File.Delete(archive);
        await Build(folder, commit, say, cancel);
        await File.WriteAllTextAsync(done, "", cancel);
        return new VersionBefore(folder, commit, drains);
    }

    private static async Task Build(string folder, string commit, Action<string> say, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        // What is tried is how it runs; its warnings were looked at when it was made.
        var build = await ChildProcess.Start(new ChildCommand("the build of the version before", "nice",
            ["-n", "19", "dotnet", "build", "services/Embedded", "-c", "Release", "-v", "quiet", "-clp:NoSummary", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false"],
            Path.Combine(folder, "build.log"))
        { Folder = folder });
        var ended = build.WaitForExit(cancel);
        try
        {
            while (await Task.WhenAny(ended, Task.Delay(Sign, cancel)) != ended)
            {
                say($"building the version before, {commit}: {clock.Elapsed.TotalSeconds:F0} s");
                if (clock.Elapsed > Limit)
                    throw new InvalidOperationException($"The build of the version before took too long:\n{build.LastLines()}");
            }
            await ended;
        }
        finally
        {
            await build.Kill();
        }
        if (build.ExitCode != 0)
            throw new InvalidOperationException($"The version before, {commit}, cannot be built:\n{build.LastLines(30)}");
        say($"the version before, {commit}, is built: {clock.Elapsed.TotalSeconds:F0} s");
    }
}
