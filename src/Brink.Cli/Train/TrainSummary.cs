using System.Globalization;
using System.Text.Json;
using Brink.Training;

namespace Brink.Cli.Train;

/// <summary>A finished training in numbers.</summary>
/// <param name="Model">The network.</param>
/// <param name="Data">The sets it was trained on, as the user named them.</param>
/// <param name="Images">How many images it was trained on.</param>
/// <param name="HeldOut">How many were held out.</param>
/// <param name="Settings">How.</param>
/// <param name="State">Where it ended.</param>
internal sealed record TrainSummary(string Model, IReadOnlyList<string> Data, int Images, int HeldOut, TrainingOptions Settings, TrainingState State)
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The file of the weights; null where none was asked for.</summary>
    public string? Export { get; init; }

    /// <summary>The accuracy on the test images of the network in that file.</summary>
    public double? ExportTestAccuracy { get; init; }

    /// <summary>What is questionable about the images, as sentences.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    private EpochRecord Last => State.History[^1];

    private double Seconds => State.History.Sum(epoch => epoch.Seconds);

    private double Waiting => Seconds > 0 ? State.History.Sum(epoch => epoch.Waiting * epoch.Seconds) / Seconds : 0;

    public void Print(TextWriter output, bool json, string folder)
    {
        if (json)
        {
            output.WriteLine(Json());
            return;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Model}: {Settings.Epochs} epochs of {Images} images in {Seconds:F0} s, of which {Waiting:P1} waiting for data"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"loss {Last.Loss:F4}, accuracy on the training images {Last.TrainAccuracy:P2}{Measured("held-out", Last.HeldOutAccuracy)}{Measured("test", Last.TestAccuracy)}"));
        if (State.Best is { } best)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"best epoch {best.Epoch}, by the {(best.HeldOutAccuracy is null ? "training" : "held-out")} images"));
        }

        if (Export is not null)
        {
            output.WriteLine($"weights in {Export}{Measured("test", ExportTestAccuracy)}");
        }

        foreach (var warning in Warnings)
        {
            output.WriteLine($"Note: {warning}");
        }

        output.WriteLine($"history and weights in {folder}");
    }

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
            BestEpoch = State.Best?.Epoch,
            Seconds,
            Waiting,
            Export,
            ExportTestAccuracy,
            State.History,
            Warnings,
            BrinkVersion = Evaluation.Results.AttackSummary.Version,
        },
        Format);

    private static string Measured(string images, double? accuracy) =>
        accuracy is null ? "" : string.Create(CultureInfo.InvariantCulture, $", on the {images} images {accuracy:P2}");
}
