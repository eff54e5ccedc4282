namespace Sloring.Tests;

/// <summary>Where the repository is, seen from a test.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Folder for everything that the suite's hosts write.</summary>
    public static string Captured { get; } = Directory.CreateDirectory(Path.Combine(Root, ".build", "captured")).FullName;

    /// <summary>The built program that <c>./run</c> starts, of the configuration under test.</summary>
    public static string EmbeddedProgram { get; } = Path.Combine(AppContext.BaseDirectory, "Sloring.Embedded.dll");

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "sloring-platform.sln")))
                return at.FullName;
        }
        throw new InvalidOperationException("The tests run from a checkout of the repository.");
    }
}
