using System.Globalization;
using Brink.Evaluation.Results;

namespace Brink.Cli.Terminal;

/// <summary>Accuracies as text for tables.</summary>
internal static class AccuracyText
{
    /// <summary>Formats an accuracy with its count and its 95 % interval.</summary>
    /// <param name="accuracy">The accuracy.</param>
    /// <param name="isBound">True if the accuracy is an upper bound.</param>
    public static string Of(AccuracyInterval accuracy, bool isBound = false) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(isBound ? "at most " : "")}{accuracy.Share * 100:F2} %, {accuracy.Correct} of {accuracy.Images} (95 %: {accuracy.Lower * 100:F2} to {accuracy.Upper * 100:F2} %)");

    /// <summary>Formats the heading of an accuracy under perturbations up to a length.</summary>
    /// <param name="norm">The name of the norm.</param>
    /// <param name="length">The length.</param>
    public static string Within(string norm, double length) => string.Create(CultureInfo.InvariantCulture, $"within {norm} {length:G4}");
}
