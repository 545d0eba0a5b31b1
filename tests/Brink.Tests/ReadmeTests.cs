using System.Text.RegularExpressions;

namespace Brink.Tests;

/// <summary>Tests that the examples of the README are compiled and run.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Root = SharedFiles.Repository ?? throw new InvalidOperationException("$XunitDynamicSkip$runs in a clone of the repository only");

    [Fact]
    public void The_example_equals_the_sample_program()
    {
        var example = CSharpBlock().Match(Read("README.md")).Groups["code"].Value;
        Assert.Equal(Read("samples", "FirstPerturbation", "Program.cs"), example);
    }

    [Fact]
    public void The_two_commands_are_run_by_the_continuous_integration()
    {
        var readme = Read("README.md");
        var script = Read(".ci", "run");
        // The script uses a temporary output folder instead of results.
        foreach (var (command, folder) in new[] { ("dotnet run -c Release --project src/Brink.Cli -- attack --out ", "results"), ("dotnet test -c Release", "") })
        {
            Assert.Contains($"```sh\n{command}{folder}\n```", readme, StringComparison.Ordinal);
            Assert.Contains(command, script, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Links_point_to_existing_files()
    {
        var documents = Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Root, "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Combine(Root, "benchmarks"), "*.md"));
        foreach (var document in documents)
        {
            foreach (Match link in RelativeLink().Matches(File.ReadAllText(document)))
            {
                var target = Path.Combine(Path.GetDirectoryName(document)!, link.Groups["path"].Value);
                Assert.True(Path.Exists(target), $"{document} links to {link.Groups["path"].Value}, which does not exist");
            }
        }
    }

    private static string Read(params string[] path) => File.ReadAllText(Path.Combine([Root, .. path])).ReplaceLineEndings("\n");

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex(@"\]\((?<path>[^)#:]+)(#[^)]*)?\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RelativeLink();
}
