using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

/// <summary>README's pictures are there, small, and say in words what they show.</summary>
public sealed partial class ReadmePictureTests
{
    private const int MostBytes = 150_000;

    [Fact]
    public void EveryPicture_IsThere_IsSmall_AndHasAnAlternativeText()
    {
        var pictures = Picture().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md")));

        Assert.Equal(2, pictures.Count);
        Assert.All(pictures, picture =>
        {
            Assert.True(picture.Groups[1].Length > 40, picture.Value);
            Assert.InRange(new FileInfo(Path.Combine(Repository.Root, picture.Groups[2].Value)).Length, 1, MostBytes);
        });
    }

    [GeneratedRegex(@"!\[([^\]]*)\]\(([^)]+\.png)\)")]
    private static partial Regex Picture();
}
