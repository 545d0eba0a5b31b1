using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>How the accuracy of a network falls with the steps of an attack, and what the steps cost.</summary>
internal sealed record StepFigures
{
    /// <summary>The accuracy after 1, 2, … steps, in per cent: over all images, those wrong to begin with counted as wrong.</summary>
    public required IReadOnlyList<double> Accuracies { get; init; }

    /// <summary>Hessian-vector products a step of an image; 0 for attacks of first order.</summary>
    public required double ProductsPerStep { get; init; }

    /// <summary>How long a step of an image takes, in seconds, its share of all else included.</summary>
    public required double SecondsPerStep { get; init; }

    /// <summary>How long the first 1, 2, … steps take, in seconds an image: images that are fooled take no more steps.</summary>
    public required IReadOnlyList<double> Seconds { get; init; }

    /// <summary>Reads the figures off an attack that was just run.</summary>
    /// <param name="result">The run.</param>
    /// <param name="steps">The most steps of an image.</param>
    public static StepFigures Of(EvaluationResult result, int steps)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Of([.. result.Images.Select(image => image.Outcome).Select(image => (image.Attacked, image.Fooled, (long)image.Iterations, (long)image.Products))], result.Seconds, steps);
    }

    /// <summary>Reads the figures off a finished run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="steps">The most steps of an image.</param>
    /// <exception cref="BadInputException">The run cannot be read.</exception>
    public static StepFigures Of(SavedRun run, int steps)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Of([.. run.ReadTable().Select(image => (image.Attacked, image.Fooled, image.Iterations, image.Products))], run.Summary.Seconds, steps);
    }

    private static StepFigures Of((bool Attacked, bool Fooled, long Iterations, long Products)[] images, double seconds, int steps)
    {
        var attacked = images.Where(image => image.Attacked).ToArray();
        var all = Math.Max(1, attacked.Sum(image => image.Iterations));
        double Taken(int step) => attacked.Sum(image => Math.Min(image.Iterations, step));
        return new()
        {
            Accuracies = [.. Enumerable.Range(1, steps).Select(step => 100.0 * attacked.Count(image => !image.Fooled || image.Iterations > step) / Math.Max(1, images.Length))],
            ProductsPerStep = (double)attacked.Sum(image => image.Products) / all,
            SecondsPerStep = seconds / all,
            Seconds = [.. Enumerable.Range(1, steps).Select(step => seconds / all * Taken(step) / Math.Max(1, images.Length))],
        };
    }

    /// <summary>How long it takes, in seconds an image, until the accuracy is below a target; null where it never is.</summary>
    /// <param name="target">In per cent.</param>
    public double? SecondsUntilBelow(double target)
    {
        var step = Accuracies.Select((accuracy, number) => (accuracy, number)).FirstOrDefault(pair => pair.accuracy < target, (0, -1)).Item2;
        return step < 0 ? null : Seconds[step];
    }
}
