using Brink.Attacks;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Pages;
using static TorchSharp.torch;

namespace Brink.Reports.Testing;

/// <summary>Writes the folder of a run without a model: random images with random perturbations.</summary>
public sealed record ExampleRun
{
    public int Images { get; init; } = 40;

    public int Channels { get; init; } = 3;

    public int Height { get; init; } = 32;

    public int Width { get; init; } = 32;

    public int Classes { get; init; } = 10;

    public int Seed { get; init; } = 1;

    public string Attack { get; init; } = "tr";

    public string Norm { get; init; } = "l2";

    public string Space { get; init; } = "pixel";

    public string Target { get; init; } = "untargeted";

    public string Model { get; init; } = "signs";

    public string Data { get; init; } = "signs";

    public IReadOnlyList<string>? ClassNames { get; init; }

    public IReadOnlyDictionary<string, object> Options { get; init; } = new Dictionary<string, object>(StringComparer.Ordinal);

    /// <summary>The exit reason of each image, by its row.</summary>
    public Func<int, AttackExit> Exit { get; init; } = row => row % 10 == 0 ? AttackExit.Misclassified : row % 13 == 1 ? AttackExit.IterationLimit : AttackExit.Fooled;

    /// <summary>A change of the summary before it is written.</summary>
    public Func<AttackSummary, AttackSummary> Summary { get; init; } = summary => summary;

    /// <summary>Writes the folder.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>The content of its results.json.</returns>
    public AttackSummary Write(string folder)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)Seed);
        double[] mean = [.. Enumerable.Range(0, Channels).Select(channel => 0.5 - (0.1 * channel))], deviation = [.. mean.Select(_ => 0.25)];
        var normalization = new Normalization(mean, deviation);
        long[] shape = [Images, Channels, Height, Width];
        var pixels = rand(shape, generator: generator);
        var changes = randn(shape, generator: generator) * (rand([Images, 1, 1, 1], generator: generator) * 0.03);
        var exits = Enumerable.Range(0, Images).Select(Exit).ToArray();
        var fooled = tensor(exits.Select(exit => exit == AttackExit.Fooled ? 1f : 0f).ToArray()).reshape(-1, 1, 1, 1);
        var changed = (pixels + (changes * fooled)).clamp(0, 1);
        var (original, adversarial) = Space == "normalized" ? (normalization.Apply(pixels), normalization.Apply(changed)) : (pixels, changed);

        var perturbations = (adversarial - original).to(ScalarType.Float64);
        var norm = Brink.Norm.Parse(Norm);
        double[] Lengths(Brink.Norm length, Tensor tensors) => length.Of(tensors).data<double>().ToArray();
        var (l2, linf, l1) = (Lengths(Brink.Norm.L2, perturbations), Lengths(Brink.Norm.LInf, perturbations), Lengths(Brink.Norm.L1, perturbations));
        var relative = Lengths(norm, perturbations).Zip(Lengths(norm, original.to(ScalarType.Float64)), (change, length) => change / length).ToArray();
        var images = exits.Select((exit, row) => new EvaluatedImage(
            row,
            new()
            {
                Label = row % Classes,
                PredictionBefore = exit == AttackExit.Misclassified ? (row + 1) % Classes : row % Classes,
                PredictionAfter = exit == AttackExit.Fooled ? (row + 1 + (row / Classes % (Classes - 1))) % Classes : exit == AttackExit.Misclassified ? (row + 1) % Classes : row % Classes,
                Target = -1,
                Exit = exit,
                L2 = l2[row],
                LInf = linf[row],
                L1 = l1[row],
                Relative = relative[row],
                Iterations = 3 + (row % 7),
                Forwards = 4 + (row % 7),
                Backwards = 5 + (row % 7),
            },
            relative[row])).ToArray();

        using var result = new EvaluationResult([new(images, original.DetachFromDisposeScope(), adversarial.DetachFromDisposeScope(), 12.3456)], Images);
        var options = new SortedDictionary<string, object>(StringComparer.Ordinal) { ["mean"] = mean, ["std"] = deviation, ["weights"] = "embedded" };
        foreach (var (key, value) in Options)
        {
            options[key] = value;
        }

        var run = new RunDescription
        {
            Attack = Attack,
            Norm = Norm,
            Space = Space,
            Target = Target,
            Criterion = int.TryParse(Target, System.Globalization.CultureInfo.InvariantCulture, out _) ? "target-class" : "misclassified",
            Model = Model,
            Data = Data,
            ClassNames = ClassNames ?? [.. Enumerable.Range(0, Classes).Select(number => $"name {number}")],
            Seed = 0,
            Options = options,
        };
        ResultFolder.Prepare(folder);
        var summary = Summary(AttackSummary.Of(run, result));
        ResultFolder.Write(folder, summary, result);
        return summary;
    }

    /// <summary>Reads runs and renders their report.</summary>
    /// <param name="folders">Run folders or folders of comparisons.</param>
    /// <returns>The page as HTML.</returns>
    public static string Report(IReadOnlyList<string> folders)
    {
        using var saved = SavedRuns.Read(folders);
        return ReportPage.Render(saved.Runs);
    }
}
