using System.Text.Json;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports;

namespace Brink.Cli.Compare;

/// <summary>The finished runs of earlier commands that take part in a comparison.</summary>
internal sealed class EarlierRuns
{
    private readonly JsonElement? _description;

    private EarlierRuns(IReadOnlyList<ComparedRun> runs, IReadOnlyList<string> folders, JsonElement? description) => (Runs, Folders, _description) = (runs, folders, description);

    /// <summary>The runs, in the order of their folders.</summary>
    public IReadOnlyList<ComparedRun> Runs { get; }

    /// <summary>The paths of the folders.</summary>
    public IReadOnlyList<string> Folders { get; }

    /// <summary>Reads runs and checks that they can be compared with each other.</summary>
    /// <param name="folders">Run folders, or folders of comparisons.</param>
    /// <param name="attacks">The names of the attacks that the comparison runs, from which the names of the runs differ.</param>
    /// <param name="outFolder">The folder of the comparison, to which the folders of the runs are written relatively; null for none.</param>
    /// <exception cref="BadInputException">A folder contains no readable run, or the runs cannot be compared.</exception>
    public static EarlierRuns Read(IReadOnlyList<string> folders, IReadOnlyCollection<string> attacks, string? outFolder)
    {
        var paths = ComparisonFolder.Runs(folders);
        var distinct = new HashSet<string>(StringComparer.Ordinal);
        var (runs, summaries) = (new List<ComparedRun>(), new List<(string Folder, AttackSummary Summary)>());
        JsonElement? first = null;
        foreach (var path in paths)
        {
            using var saved = SavedRun.Read(path);
            if (!distinct.Add(FullPath(path)))
            {
                throw new BadInputException($"Each run of a comparison may be given once, but {path} is given twice; remove one.");
            }

            var description = RunFolder.ReadComplete(path, saved.Summary);
            var run = saved.Compared(saved.Summary.Attack, string.IsNullOrEmpty(outFolder) ? path : Path.GetRelativePath(outFolder, path));
            if (first is { } other)
            {
                Check(path, description, run, paths[0], other, runs[0].Run, runs[0].Images.Select(image => image.Index));
            }

            first ??= description;
            runs.Add(run);
            summaries.Add((path, saved.Summary));
        }

        var names = RunLabels.Of(summaries, attacks);
        return new([.. runs.Select((run, number) => run with { Attack = Excerpt.Line(names[number]) })], paths, first);
    }

    /// <summary>Checks, before an attack is run, that its results can be compared with the runs and do not replace them.</summary>
    /// <param name="run">The description of the attack's run.</param>
    /// <param name="input">The model and the images.</param>
    /// <param name="outFolders">The folders that the results of the attacks are written to.</param>
    /// <exception cref="BadInputException">The runs cannot be compared, or one would be replaced.</exception>
    public void CheckAgainst(RunDescription run, Inputs.RunInput input, IEnumerable<string> outFolders)
    {
        if (_description is not { } first)
        {
            return;
        }

        Check(Folders[0], first, Runs[0], $"the run of {run.Attack}", RunFolder.Describe(run, input.Loaded, input.Images), run, Enumerable.Range(0, input.Images.Count).Select(row => (long)input.Images.FirstIndex + row));
        var written = outFolders.Select(FullPath).ToHashSet(StringComparer.Ordinal);
        if (Folders.FirstOrDefault(folder => written.Contains(FullPath(folder))) is { } replaced)
        {
            throw new BadInputException($"The results of an attack would replace the run in {replaced}, which is compared; give another folder as --out, or leave the folder out and add --resume to keep its finished runs.");
        }
    }

    private static void Check(string folder, JsonElement here, ComparedRun run, string other, JsonElement there, RunDescription otherRun, IEnumerable<long> indices)
    {
        string Text(RunDescription description) => Goal.Text(description.Criterion, description.Target, description.Options);
        string Key(RunDescription description) => Goal.Key(description.Criterion, description.Target, description.Options);
        var differences = RunFolder.ComparedDifferences(here, there) is { Length: > 0 } settings ? settings
            : Key(run.Run) != Key(otherRun) ? $"criterion for fooled images: here {Text(run.Run)}, there {Text(otherRun)}"
            : !run.Images.Select(image => image.Index).SequenceEqual(indices) ? "other images"
            : null;
        if (differences is not null)
        {
            throw new BadInputException($"The runs of a comparison need one model, the same images, one norm, one space and one criterion, but the run in {folder} differs from {other} ({differences}); leave one of them out.");
        }
    }

    private static string FullPath(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
