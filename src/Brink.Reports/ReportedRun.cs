using System.Text.Json;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Reports;

/// <summary>A run with the data that reports use: the summary, the row of each image and the images.</summary>
internal sealed class ReportedRun
{
    /// <summary>The number of brightness levels of an 8-bit value above 0.</summary>
    /// <value>255.</value>
    public const int Levels = 255;

    private const int Chunk = 64;
    private const int LongestName = 60;

    private readonly SavedRun _run;

    /// <summary>Reads the table of a run.</summary>
    /// <param name="run">The run, which the caller still owns and which must outlive this object.</param>
    /// <exception cref="BadInputException">The files of the run are damaged or from different runs.</exception>
    public ReportedRun(SavedRun run)
    {
        _run = run;
        Images = run.ReadTable();
        Attacked = [.. Images.Where(image => image.Attacked)];
        Fooled = [.. Images.Where(image => image.Fooled)];
        (MeanLevels, LargestLevels) = MeasureLevels();
    }

    /// <summary>The path of the run folder.</summary>
    public string Folder => _run.Folder;

    /// <summary>The summary of the run, from <c>results.json</c>.</summary>
    public AttackSummary Summary => _run.Summary;

    /// <summary>The row of each image.</summary>
    public IReadOnlyList<SavedImage> Images { get; }

    /// <summary>The images that were attacked.</summary>
    public IReadOnlyList<SavedImage> Attacked { get; }

    /// <summary>The images that were fooled.</summary>
    public IReadOnlyList<SavedImage> Fooled { get; }

    /// <summary>The root mean square of the perturbation of an image in brightness levels of 255, as the median over the fooled images, or null without fooled images.</summary>
    public double? MeanLevels { get; }

    /// <summary>The largest entry of the perturbation of an image in brightness levels of 255, as the median over the fooled images, or null without fooled images.</summary>
    public double? LargestLevels { get; }

    /// <summary>The norm of the attack.</summary>
    public Norm Norm => Norm.Parse(Summary.Norm);

    /// <summary>The largest length ε of the perturbations of a budgeted attack, or null for a minimal attack.</summary>
    public double? Epsilon => Summary.Describe().Epsilon;

    /// <summary>Returns the length of the perturbation of an image in the norm of the attack.</summary>
    public double Length(SavedImage image) => image.Length(Summary.Norm);

    /// <summary>Returns the lengths of the perturbation of an image as text: L2 and L∞, and before them L1 if it is the norm of the attack.</summary>
    public string Lengths(SavedImage image) => $"{(Norm == Norm.L1 ? $"L1 {NumberText.Length(image.L1)} · " : "")}L2 {NumberText.Length(image.L2)} · L∞ {NumberText.Length(image.LInf)}";

    /// <summary>Returns the name of a class, or its number if it has no name, or a dash for no prediction.</summary>
    /// <param name="label">The class, or −1 for no prediction.</param>
    /// <param name="longest">The maximum number of characters. Longer names are shortened.</param>
    /// <returns>The name.</returns>
    public string ClassName(long label, int longest = LongestName)
    {
        var name = label < 0 ? "–" : label < Summary.ClassNames.Count ? Summary.ClassNames[(int)label] : FormattableString.Invariant($"class {label}");
        return name.Length <= longest ? name : $"{name[..(longest - 1)]}…";
    }

    /// <summary>Returns the run as a comparison uses it.</summary>
    /// <param name="label">The label of the run in the comparison.</param>
    public ComparedRun Compared(string label) => _run.Compared(label, Folder);

    /// <summary>Returns the original and the adversarial image.</summary>
    /// <param name="image">The row of the image.</param>
    /// <returns>Pixels in [0, 1], float32 [channels, height, width]. The caller disposes both tensors.</returns>
    public (Tensor Original, Tensor Adversarial) Pixels(SavedImage image)
    {
        using var scope = NewDisposeScope();
        var row = tensor(new[] { (long)Row(image) });
        return (_run.OriginalPixels(row).squeeze(0).MoveToOuterDisposeScope(), _run.AdversarialPixels(row).squeeze(0).MoveToOuterDisposeScope());
    }

    private int Row(SavedImage image)
    {
        for (var row = 0; row < Images.Count; row++)
        {
            if (Images[row] == image)
            {
                return row;
            }
        }

        throw new ArgumentException("The image is not part of this run.", nameof(image));
    }

    /// <summary>Measures the perturbations in brightness levels, whatever the space of the attack.</summary>
    private (double? Mean, double? Largest) MeasureLevels()
    {
        using var levels = Scalars.Of(Levels);
        var (means, largest) = (new List<double>(), new List<double>());
        foreach (var rows in Enumerable.Range(0, Images.Count).Where(row => Images[row].Fooled).Select(row => (long)row).Chunk(Chunk))
        {
            using var scope = NewDisposeScope();
            var indices = tensor(rows);
            var changes = (_run.AdversarialPixels(indices).to(ScalarType.Float64) - _run.OriginalPixels(indices).to(ScalarType.Float64)).flatten(1).abs().mul(levels);
            means.AddRange(changes.pow(Scalars.Two).mean([1]).sqrt().data<double>().ToArray());
            largest.AddRange(changes.amax([1]).data<double>().ToArray());
        }

        return (Distribution.Of(means).Median, Distribution.Of(largest).Median);
    }
}

/// <summary>Creates labels that distinguish several runs.</summary>
internal static class RunLabels
{
    // The settings that users set. Other settings often follow from these, so these are preferred in labels.
    private static readonly string[] Preferred = ["target", "refine", "preset", "radius", "epsilon", "objective", "norm", "max-iterations", "max-passes", "seed"];

    /// <summary>Creates a label for each run: the attack with the settings that differ among the runs of that attack, and with the folder if labels would be equal.</summary>
    /// <param name="runs">The runs.</param>
    /// <returns>One label per run.</returns>
    public static IReadOnlyList<string> Of(IReadOnlyList<ReportedRun> runs) => Of([.. runs.Select(run => (run.Folder, run.Summary))], []);

    /// <summary>Creates a label for each run that is also none of the given ones.</summary>
    /// <param name="runs">The folders and summaries of the runs.</param>
    /// <param name="taken">The labels that the runs must not have.</param>
    /// <returns>One label per run, distinct if the folders are.</returns>
    public static IReadOnlyList<string> Of(IReadOnlyList<(string Folder, AttackSummary Summary)> runs, IReadOnlyCollection<string> taken)
    {
        var labels = runs.Select(run => Label(run.Summary)).ToArray();
        var names = runs.Select(run => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run.Folder)))).ToArray();
        var named = labels.Zip(names, (label, name) => labels.Count(other => other == label) == 1 && !taken.Contains(label, StringComparer.Ordinal) ? label : $"{label} ({name})").ToArray();
        return [.. named.Select((label, number) => named.Count(other => other == label) == 1 ? label : $"{labels[number]} ({runs[number].Folder})")];

        string Label(AttackSummary run)
        {
            var same = runs.Select(other => other.Summary).Where(other => other.Attack == run.Attack).ToArray();
            bool AreDistinct(string[] keys) => same.Select(other => string.Join('\n', keys.Select(key => Settings(other).GetValueOrDefault(key)))).Distinct(StringComparer.Ordinal).Count() == same.Length;
            var different = same.SelectMany(other => Settings(other).Keys).Distinct(StringComparer.Ordinal)
                .Where(key => same.Select(other => Settings(other).GetValueOrDefault(key)).Distinct(StringComparer.Ordinal).Count() > 1)
                .OrderBy(key => Array.IndexOf(Preferred, key) is >= 0 and var place ? place : Preferred.Length).ThenBy(key => key, StringComparer.Ordinal).ToArray();
            var keys = different.Where(key => Preferred.Contains(key, StringComparer.Ordinal)).ToArray();
            for (var count = keys.Length; !AreDistinct(keys) && count < different.Length; count++)
            {
                keys = different[..(count + 1)];
            }

            // The ε of a budgeted attack is always shown, since its results are those of that length.
            var epsilon = run.Describe().Epsilon;
            keys = [.. keys.Union(epsilon is null ? [] : ["epsilon"], StringComparer.Ordinal)];
            return keys.Length == 0 ? run.Attack : $"{run.Attack}[{string.Join(",", keys.Where(Settings(run).ContainsKey).Select(key => $"{key}={(key == "epsilon" ? NumberText.Length(epsilon) : Settings(run)[key])}"))}]";
        }
    }

    private static Dictionary<string, string> Settings(AttackSummary run) =>
        run.Options.Where(option => option.Value is not JsonElement { ValueKind: JsonValueKind.Array }).Append(new("target", run.Target)).DistinctBy(option => option.Key, StringComparer.Ordinal)
            .ToDictionary(option => option.Key, option => $"{option.Value}", StringComparer.Ordinal);
}
