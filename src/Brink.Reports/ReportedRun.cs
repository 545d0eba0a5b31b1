using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Reports;

/// <summary>A run as a report needs it: its summary, the row of each image, and the images themselves.</summary>
internal sealed class ReportedRun
{
    /// <summary>255: the steps of a pixel from dark to light.</summary>
    public const int Levels = 255;

    private const int Chunk = 64;
    private const int LongestName = 60;

    private readonly SavedRun _run;

    /// <summary>Reads the table of a run.</summary>
    /// <param name="run">The run; stays the caller's.</param>
    /// <exception cref="BadInputException">The files of the run are damaged or do not belong together.</exception>
    public ReportedRun(SavedRun run)
    {
        _run = run;
        if (run.Summary is not { Warnings: not null, RobustAccuracy: not null, ClassNames: not null, RelativePerturbation: not null, RelativePerturbationNormalized: not null, Perturbation: { L2: not null, LInf: not null } })
        {
            throw new BadInputException($"The run in {run.Folder} cannot be reported: its results.json has null where numbers belong; write it anew with brink attack --out.");
        }

        Images = run.ReadTable();
        Attacked = [.. Images.Where(image => image.Attacked)];
        Fooled = [.. Images.Where(image => image.Fooled)];
        (MeanLevels, LargestLevels) = MeasureLevels();
    }

    /// <summary>The folder.</summary>
    public string Folder => _run.Folder;

    /// <summary>What <c>results.json</c> holds.</summary>
    public AttackSummary Summary => _run.Summary;

    /// <summary>One row an image.</summary>
    public IReadOnlyList<SavedImage> Images { get; }

    /// <summary>The images that were attacked.</summary>
    public IReadOnlyList<SavedImage> Attacked { get; }

    /// <summary>The images that were fooled.</summary>
    public IReadOnlyList<SavedImage> Fooled { get; }

    /// <summary>By how many of 255 levels the values of a pixel change, the root of the mean square over an image, median over fooled images; null where there are none.</summary>
    public double? MeanLevels { get; }

    /// <summary>The most levels by which a value changes, median over fooled images; null where there are none.</summary>
    public double? LargestLevels { get; }

    /// <summary>Whether the attack kept the largest entry small rather than the length.</summary>
    public bool IsLInf => Summary.Norm == "linf";

    /// <summary>The length that the attack kept small.</summary>
    public double Length(SavedImage image) => IsLInf ? image.LInf : image.L2;

    /// <summary>The name of a class, or its number where it has no name; a dash for no prediction.</summary>
    /// <param name="label">The class.</param>
    /// <param name="longest">The letters there is room for.</param>
    public string ClassName(long label, int longest = LongestName)
    {
        var name = label < 0 ? "–" : label < Summary.ClassNames.Count ? Summary.ClassNames[(int)label] : FormattableString.Invariant($"class {label}");
        return name.Length <= longest ? name : $"{name[..(longest - 1)]}…";
    }

    /// <summary>The images as a comparison needs them.</summary>
    public IReadOnlyList<ComparedImage> Compared() => _run.Compared();

    /// <summary>An image before and after, pixels in [0, 1], [channels, height, width].</summary>
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

        throw new ArgumentException("The image is not of this run.", nameof(image));
    }

    /// <summary>In pixels whatever the space of the attack: of those everyone has an idea.</summary>
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
