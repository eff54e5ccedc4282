using System.Text;

namespace Sloring.Tests;

/// <summary>Reads all that a platform has left in its folder and its databases: no CPR number of this process's patients, no name.</summary>
public static class KeptScan
{
    /// <exception cref="InvalidOperationException">Something personal lies there readable: the message says in which file or table, not what.</exception>
    public static async Task Check(string folder)
    {
        var findings = (await TestDatabase.Kept(folder)).Select(kept => (kept.Key, What: PersonalText.Finding(Encoding.UTF8.GetString(kept.Value), packed: true))).Where(found => found.What is not null).ToList();
        if (findings.Count > 0)
            throw new InvalidOperationException(string.Join('\n', findings.Select(found => $"{found.Key} holds {found.What}.")));
    }
}
