namespace Brink.Evaluation.Results;

/// <summary>What was run, in the words of the command line.</summary>
public sealed record RunDescription
{
    /// <summary>The attack.</summary>
    public required string Attack { get; init; }

    /// <summary><c>l2</c> or <c>linf</c>.</summary>
    public required string Norm { get; init; }

    /// <summary><c>pixel</c> or <c>normalized</c>.</summary>
    public required string Space { get; init; }

    /// <summary><c>best</c>, <c>hardest</c> or the number of a class.</summary>
    public required string Target { get; init; }

    /// <summary>When an image counted as fooled: <c>misclassified</c> or <c>target-class</c>.</summary>
    public required string Criterion { get; init; }

    /// <summary>The network.</summary>
    public required string Model { get; init; }

    /// <summary>The data set.</summary>
    public required string Data { get; init; }

    /// <summary>What is questionable about the data set and the network, as sentences.</summary>
    /// <value>None.</value>
    public IReadOnlyList<string> InputWarnings { get; init; } = [];

    /// <summary>The lengths at which <see cref="AttackSummary.RobustAccuracy"/> is asked for.</summary>
    /// <value>None.</value>
    public IReadOnlyList<double> RobustAt { get; init; } = [];

    /// <summary>The name of each class, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>The seed of random draws.</summary>
    public required long Seed { get; init; }

    /// <summary>Every setting of the attack and of the run, by its name in kebab case.</summary>
    public required IReadOnlyDictionary<string, object> Options { get; init; }

    /// <summary>What is questionable about the data, the network and the settings, as sentences.</summary>
    internal IEnumerable<string> Warnings()
    {
        foreach (var warning in InputWarnings)
        {
            yield return warning;
        }

        if (Options.TryGetValue("labels", out var labels) && labels is "predicted")
        {
            yield return "The labels are the network's own predictions, so that it is right about every image to begin with by construction.";
        }

        if (Space == "pixel" && Options.TryGetValue("preset", out var preset) && preset is "authors")
        {
            yield return "The preset authors has constants for normalised CIFAR-10, but this run is in pixel space; use --space normalized for the authors' figures.";
        }
    }
}
