namespace Sloring.Tests;

/// <summary>What an answer may not tell of how the platform is made.</summary>
public static class Disclosure
{
    private static readonly string[] Telling = ["   at ", "Exception", "Sqlite", "Npgsql", "EntityFramework", "Sloring.", ".cs:", "no such table", "does not exist", "SELECT ", "stack", "gone_"];

    /// <summary>An answer to what failed holds a number of ours, and no type, place, path or message.</summary>
    /// <exception cref="InvalidOperationException">It does not, or it holds one.</exception>
    public static void Tells(string code, string answer, Platform platform)
    {
        if (!answer.Contains(code, StringComparison.Ordinal))
            throw new InvalidOperationException($"{code} is not in: {answer}");
        if (Telling.Append(platform.Folder).FirstOrDefault(told => answer.Contains(told, StringComparison.Ordinal)) is { } told)
            throw new InvalidOperationException($"\"{told}\" is in: {answer}");
    }
}
