using System.Globalization;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Results;

/// <summary>The description of a run: attack, model, data and settings, as they are named on the command line.</summary>
public sealed record RunDescription
{
    /// <summary>The name of the attack.</summary>
    public required string Attack { get; init; }

    /// <summary>The norm of the attack: <c>l2</c>, <c>linf</c> or <c>l1</c>.</summary>
    public required string Norm { get; init; }

    /// <summary>The space of the attack: <c>pixel</c> or <c>normalized</c>.</summary>
    public required string Space { get; init; }

    /// <summary>The target: <c>untargeted</c>, <c>best</c>, <c>hardest</c>, the number of a class, or <c>per-image</c>.</summary>
    public required string Target { get; init; }

    /// <summary>The criterion for fooled images: <c>misclassified</c>, <c>target-class</c>, or <c>custom</c> for one of the user's own.</summary>
    public required string Criterion { get; init; }

    /// <summary>The name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>The name of the data set.</summary>
    public required string Data { get; init; }

    /// <summary>Warnings about the data set and the model.</summary>
    /// <value>An empty list by default.</value>
    public IReadOnlyList<string> InputWarnings { get; init; } = [];

    /// <summary>The lengths at which <see cref="AttackSummary.RobustAccuracy"/> is computed.</summary>
    /// <value>An empty list by default.</value>
    public IReadOnlyList<double> RobustAt { get; init; } = [];

    /// <summary>The name of each class, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>The seed of the random numbers.</summary>
    public required long Seed { get; init; }

    /// <summary>Every setting of the attack and of the run, by its name in kebab case.</summary>
    public required IReadOnlyDictionary<string, object> Options { get; init; }

    /// <summary>The largest length ε of the perturbations of a budgeted attack, or null for a minimal attack.</summary>
    internal double? Epsilon => AttackSettings.Numbers(Options, "epsilon") is [var epsilon] ? epsilon : null;

    /// <summary>The tolerance with which lengths of the run are compared.</summary>
    internal LengthTolerance Tolerance => LengthTolerance.Of(Space, Options);

    /// <summary>Determines whether the attack gives an accuracy under perturbations up to a length: not if it is budgeted with a larger ε.</summary>
    /// <param name="length">The length.</param>
    internal bool Covers(double length) => Epsilon is not { } epsilon || Tolerance.IsAtMost(epsilon, length);

    /// <summary>Returns the warnings about the data set, the model and the settings.</summary>
    internal IEnumerable<string> Warnings()
    {
        foreach (var warning in InputWarnings)
        {
            yield return warning;
        }

        if (Options.TryGetValue("labels", out var labels) && labels is "predicted")
        {
            yield return "The labels are the model's own predictions, so every image is classified correctly before the attack by definition.";
        }

        if (Epsilon is { } epsilon && AttackSettings.Numbers(Options, "max-iterations") is [1])
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{Attack} takes a single step of length {epsilon:G4}, so its accuracy is not one under perturbations up to that length (a longer step may leave more images correct); use pgd, or an attack without epsilon.");
        }

        if (Space == "pixel" && Options.TryGetValue("preset", out var preset) && preset is "authors")
        {
            yield return "The preset authors has constants for normalised CIFAR-10, but this run is in pixel space; use --space normalized for the authors' figures.";
        }
    }
}
