using System.Globalization;
using System.Text.Json;
using Brink.Training;

namespace Brink.Cli.Train;

/// <summary>The results of a finished training run.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Data">The training data sets, as the user named them.</param>
/// <param name="Images">The number of training images.</param>
/// <param name="HeldOut">The number of held-out images.</param>
/// <param name="Settings">The settings of the run.</param>
/// <param name="History">The results of all epochs, at least one.</param>
internal sealed record TrainSummary(string Model, IReadOnlyList<string> Data, int Images, int HeldOut, TrainingOptions Settings, IReadOnlyList<EpochRecord> History)
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The file of the exported weights; null if none were exported.</summary>
    public string? Export { get; init; }

    /// <summary>The accuracy of the exported weights on the test images, between 0 and 1; null without export or test images.</summary>
    public double? ExportTestAccuracy { get; init; }

    /// <summary>Warnings about the images, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    private EpochRecord Last => History[^1];

    private double Seconds => History.Sum(epoch => epoch.Seconds);

    private double Waiting => Seconds > 0 ? History.Sum(epoch => epoch.Waiting * epoch.Seconds) / Seconds : 0;

    /// <summary>Prints the results.</summary>
    /// <param name="output">The writer for the results.</param>
    /// <param name="json">Whether to print JSON instead of text.</param>
    /// <param name="folder">The folder of the run.</param>
    public void Print(TextWriter output, bool json, string folder)
    {
        if (json)
        {
            output.WriteLine(Json());
            return;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Model}: {Settings.Epochs} epochs of {Images} images in {Seconds:F0} s, of which {Waiting:P1} waiting for data"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"loss {Last.Loss:F4}, accuracy on the training images {Last.TrainAccuracy:P2}{Measured("held-out", Last.HeldOutAccuracy)}{Measured("test", Last.TestAccuracy)}"));
        if (EpochRecord.BestOf(History) is { } best)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"best epoch {best.Epoch}, by accuracy on the {(best.HeldOutAccuracy is null ? "training" : "held-out")} images"));
        }

        if (Export is not null)
        {
            output.WriteLine($"weights in {Export}{Measured("test", ExportTestAccuracy)}");
        }

        foreach (var warning in Warnings)
        {
            output.WriteLine(Excerpt.Line($"Note: {warning}"));
        }

        output.WriteLine($"checkpoint, weights and history in {folder}");
    }

    // The names of the properties are the keys of the JSON output.
    private string Json() => JsonSerializer.Serialize(
        new
        {
            Model,
            Data,
            Images,
            HeldOut,
            Options = TrainSettings.Describe(Settings),
            Last.Loss,
            Last.TrainAccuracy,
            Last.HeldOutAccuracy,
            Last.TestAccuracy,
            BestEpoch = EpochRecord.BestOf(History)?.Epoch,
            Seconds,
            Waiting,
            Export,
            ExportTestAccuracy,
            History,
            Warnings,
            BrinkVersion = Evaluation.Results.AttackSummary.Version,
        },
        Format);

    private static string Measured(string images, double? accuracy) =>
        accuracy is null ? "" : string.Create(CultureInfo.InvariantCulture, $", on the {images} images {accuracy:P2}");
}
