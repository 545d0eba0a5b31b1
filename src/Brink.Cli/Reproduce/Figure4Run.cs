using System.CommandLine;
using System.Runtime.ExceptionServices;
using System.Text;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Reproduce;

/// <summary><c>brink reproduce figure4</c>: measures the times of the attacks on the ImageNet networks, one after the other.</summary>
internal static class Figure4Run
{
    /// <summary>Measures the times, and prints and writes them.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(ParseResult parsed, ReproduceOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var steps = parsed.GetValue(options.Steps) ?? Figure4.DefaultSteps;
        if (steps < 1)
        {
            throw new BadInputException(FormattableString.Invariant($"The number of steps to time must be at least 1, but {steps} was given."));
        }

        if (parsed.GetValue(options.Resume))
        {
            throw new BadInputException($"The times of {Figure4.Name} must come from one run, so it cannot be resumed; remove --resume.");
        }

        if (parsed.GetValue(options.Labels) is not null)
        {
            throw new BadInputException($"The labels of {Figure4.Name} are the predictions of each network; remove --labels.");
        }

        var networks = Networks(parsed.GetValue(options.Without));
        var weights = ReproduceCommand.Weights(Figure4.Name, [.. Figure4.Networks.Select(pair => pair.Network)], parsed.GetValue(options.Weights) ?? []);
        var data = parsed.GetValue(options.Data);
        if (data is null || !PaperData.ImageNet.Is(data))
        {
            throw new BadInputException($"{Figure4.Name} needs images of {PaperData.ImageNet.Name}, but {(data is null ? "none were" : $"'{data}' was")} given; add --data {PaperData.ImageNet.Example}.");
        }

        var folder = parsed.GetValue(options.Out);
        if (folder is not null)
        {
            ResultFolder.Prepare(folder);
        }

        // The labels are predicted, so the images need no folders of synsets.
        var images = DataCatalog.Open(data, 0, parsed.GetValue(options.Limit) ?? Figure4.DefaultImages, new() { NeedsLabels = false }, cancellationToken);
        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        var timed = new List<TimedNetwork>();
        try
        {
            foreach (var (network, claim) in networks)
            {
                if (Time(network, claim) is not { } times)
                {
                    break;
                }

                timed.Add(times);
            }
        }
        finally
        {
            // The times of finished networks are printed even if a later one fails.
            Print(new() { Networks = timed, Images = images.Count, Steps = steps, Threads = torch.get_num_threads(), Device = parsed.GetValue(options.Device)! }, folder, parsed.GetValue(options.Json), output);
        }

        return timed.Count == networks.Count ? ExitCode.Done : ExitCode.Cancelled;

        // Returns null if the measurement was cancelled.
        TimedNetwork? Time(PaperNetwork network, string? claim)
        {
            var file = weights.GetValueOrDefault(network);
            using var loaded = file is null ? ModelCatalog.WithRandomWeights(network.Model) : NamedModel.Load(network.Model, file);
            loaded.Module.to(device);
            var model = new OpenedModel(loaded, InputSpace.Normalized);
            var labelled = PredictedLabels.Of(model, images, PaperData.ImageNet.BatchSize, device);
            if (Attack(Figure4.WholeAttack, "whole attack") is not { } whole || Attack(Figure4.TrustRegionSteps(steps), "trust-region steps") is not { } trustRegion || Attack(Figure4.CarliniWagnerSteps(steps), "steps of Carlini–Wagner") is not { } carliniWagner)
            {
                return null;
            }

            return new()
            {
                Network = network.Name,
                Claim = claim,
                Weights = file is null ? "random" : Path.GetFileName(file),
                Attacked = whole.Attacked,
                Fooled = whole.Fooled,
                AttackSeconds = whole.Seconds / whole.Attacked,
                AttackSteps = (double)whole.Steps / whole.Attacked,
                TrustRegionStepSeconds = trustRegion.Seconds / trustRegion.Steps,
                CarliniWagnerStepSeconds = carliniWagner.Seconds / carliniWagner.Steps,
            };

            (double Seconds, long Steps, int Attacked, int Fooled)? Attack(string specification, string name)
            {
                var evaluation = new AttackEvaluation(model, AttackCatalog.Create(specification).Attack, PaperData.ImageNet.BatchSize, device);
                evaluation.WarmUp(labelled);
                using var result = ProgressDisplay.Run(error, parsed.GetValue(options.Quiet), progress => evaluation.Run(labelled, progress, cancellationToken: cancellationToken), $"{network.Model}, {name}");
                if (result.Failure is { } failure)
                {
                    ExceptionDispatchInfo.Throw(failure);
                }

                var attacked = result.Images.Where(image => image.Outcome.Attacked).ToArray();
                return result.IsComplete ? (result.Seconds, attacked.Sum(image => (long)image.Outcome.Iterations), attacked.Length, attacked.Count(image => image.Outcome.Fooled)) : null;
            }
        }
    }

    /// <summary>Returns the networks to time, without those of <c>--without</c>.</summary>
    private static List<(PaperNetwork Network, string? Claim)> Networks(string? list)
    {
        var without = (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (without.Except(Figure4.Networks.Select(pair => pair.Network.Model), StringComparer.Ordinal).FirstOrDefault() is { } unknown)
        {
            throw new BadInputException($"{Figure4.Name} has no network '{unknown}' to leave out; it has {string.Join(", ", Figure4.Networks.Select(pair => pair.Network.Model))}.");
        }

        var left = Figure4.Networks.Where(pair => !without.Contains(pair.Network.Model, StringComparer.Ordinal)).ToList();
        return left.Count > 0 ? left : throw new BadInputException("At least one network is needed, but there is no network left; give fewer names to --without.");
    }

    private static void Print(ReproducedFigure4 times, string? folder, bool json, TextWriter output)
    {
        var (markdown, data) = (times.ToMarkdown(), times.ToJson());
        try
        {
            if (folder is not null)
            {
                Write("md", Encoding.UTF8.GetBytes(markdown + "\n"));
                if (StepTimes.Of(times) is { } figure)
                {
                    Write("svg", Encoding.UTF8.GetBytes(figure.ToSvg()));
                    Write("png", figure.ToPng());
                }

                Write("json", Encoding.UTF8.GetBytes(data + "\n"));
            }
        }
        finally
        {
            output.WriteLine(json ? data : markdown);
        }

        void Write(string extension, byte[] content) => AtomicFile.Write(Path.Combine(folder, $"{Figure4.Name}.{extension}"), stream => stream.Write(content));
    }
}
