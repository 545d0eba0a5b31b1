using System.CommandLine;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>What the shared flags name, opened: the images and the network on its device.</summary>
internal sealed class RunInput : IDisposable
{
    private readonly string _dataName;
    private readonly SortedDictionary<string, object> _settings;
    private readonly long _seed;
    private IReadOnlyList<string> _warnings;

    /// <summary>Brings a network and images together.</summary>
    /// <param name="network">The network, which the input owns from now on.</param>
    /// <param name="weights">Its weights as the user named them; null where it brings its own.</param>
    /// <param name="dataName">The images as the user named them.</param>
    /// <param name="images">The images.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="space">The space of the attacks.</param>
    /// <param name="batchSize">How many images are attacked at once.</param>
    /// <param name="seed">The seed of random draws.</param>
    public RunInput(LoadedModel network, string? weights, string dataName, ImageSet images, torch.Device device, InputSpace space, int batchSize = AttackEvaluation.DefaultBatchSize, long seed = 0)
    {
        (Network, _dataName, Images, Device, BatchSize, _seed, _warnings) = (network, dataName, images, device, batchSize, seed, [.. images.Warnings, .. Unprepared(network)]);
        network.Module.to(device);
        Model = new(network, space);
        _settings = new(StringComparer.Ordinal)
        {
            ["batch-size"] = batchSize,
            ["skip"] = images.FirstIndex,
            ["mean"] = network.Normalization.Mean,
            ["std"] = network.Normalization.StandardDeviation,
            ["weights"] = weights ?? "embedded",
            ["threads"] = torch.get_num_threads(),
            ["device"] = $"{device.type}".ToLowerInvariant(),
        };
    }

    public ImageSet Images { get; private set; }

    public LoadedModel Network { get; }

    /// <summary><see cref="Network"/> opened in the space that was asked for, on <see cref="Device"/>.</summary>
    public OpenedModel Model { get; }

    public torch.Device Device { get; }

    public int BatchSize { get; }

    /// <summary>Opens the images, then the network: everything that can be wrong with them is found out before the first pass.</summary>
    /// <param name="parsed">The flags.</param>
    /// <param name="options">Which they can be.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <param name="index">The only image wanted; null for those that the flags name.</param>
    /// <exception cref="BadInputException">A flag, the images or the network cannot be used.</exception>
    public static RunInput Open(ParseResult parsed, RunOptions options, CancellationToken cancellationToken, int? index = null)
    {
        var space = parsed.GetValue(options.Space) switch
        {
            "pixel" => InputSpace.Pixel,
            "normalized" => InputSpace.Normalized,
            var other => throw new BadInputException($"The space must be pixel or normalized, but '{other}' was given."),
        };
        var labels = parsed.GetValue(options.Labels) ?? "file";
        if (labels is not ("file" or "predicted"))
        {
            throw new BadInputException($"The labels must be file or predicted, but '{labels}' was given.");
        }

        var (modelName, dataName) = ModelAndData(parsed.GetValue(options.Model), parsed.GetValue(options.Data));
        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        if (parsed.GetValue(options.Resume) && parsed.GetValue(options.Out) is null)
        {
            throw new BadInputException("A run is resumed in the folder that it was written to, but none was given; add --out FOLDER.");
        }

        var batchSize = AttackEvaluation.CheckBatchSize(parsed.GetValue(options.BatchSize) ?? AttackEvaluation.DefaultBatchSize);
        var images = DataCatalog.Open(dataName, index ?? parsed.GetValue(options.Skip) ?? 0, index is null ? parsed.GetValue(options.Limit) : 1, cancellationToken);

        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads));
        var weights = parsed.GetValue(options.Weights);
        var loaded = Load(modelName, weights, preprocessing, images);
        try
        {
            var input = new RunInput(loaded, IsFile(modelName) ? modelName : weights, dataName, images, device, space, batchSize, parsed.GetValue(options.Seed) ?? 0);
            if (labels == "predicted")
            {
                input.Images = PredictedLabels.Of(input.Model, images, input.BatchSize, device, cancellationToken);
                input._settings["labels"] = labels;
            }

            input._warnings = [.. input._warnings, .. NetworkChecks.Of(input.Model, input.Images, input.BatchSize, device)];
            return input;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>What a run of an attack over this input is called in its results.</summary>
    public RunDescription Describe(ConfiguredAttack configured) => new()
    {
        Attack = configured.Attack.Name,
        Norm = configured.Attack.Norm.Name,
        Space = Model.Space == InputSpace.Pixel ? "pixel" : "normalized",
        Target = configured.Target.Name,
        Criterion = configured.Target.Criterion,
        Model = Network.Name,
        Data = _dataName,
        InputWarnings = _warnings,
        ClassNames = Images.ClassNames,
        // In brackets an attack may have a seed of its own.
        Seed = configured.Options.TryGetValue("seed", out var seed) ? (long)seed : _seed,
        // Where an attack has an option of the same name, the run's own stands.
        Options = new SortedDictionary<string, object>(_settings.Concat(configured.Options).DistinctBy(option => option.Key, StringComparer.Ordinal).ToDictionary(), StringComparer.Ordinal),
    };

    public void Dispose() => Network.Dispose();

    private static string[] Unprepared(LoadedModel network) => network.Normalization == TorchScriptModel.NoNormalization
        ? [$"{network.Name} was given pixels in [0, 1] as they are; add --mean and --std if it expects normalised images."]
        : [];

    private static LoadedModel Load(string model, string? weights, Normalization? preprocessing, ImageSet images) => (IsFile(model), weights) switch
    {
        (true, null) => TorchScriptModel.Load(DataLocations.Resolve(model), [images.Channels, images.Height, images.Width], preprocessing),
        (true, _) => throw new BadInputException($"A TorchScript file holds its own weights, but {model} was given others with --weights {weights}; drop them, or name the network whose weights they are as --model."),
        _ => ModelCatalog.Load(model, weights is null ? null : DataLocations.Resolve(weights), preprocessing),
    };

    /// <summary>Whether <c>--model</c> means a file: no name in the catalogue has a dot or a slash.</summary>
    private static bool IsFile(string model) => Path.GetExtension(model).Length > 0 || model.Contains('/', StringComparison.Ordinal) || model.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static (string Model, string Data) ModelAndData(string? model, string? data) => (model, data) switch
    {
        (null, null) => (SampleNetwork.Name, "signs"),
        (SampleNetwork.Name, null) => (SampleNetwork.Name, "signs"),
        (null, "signs") => (SampleNetwork.Name, "signs"),
        (null, _) => throw new BadInputException($"The data {data} needs a network that was made for it; add --model NAME."),
        (_, null) => throw new BadInputException($"The model {model} needs images it was made for; add --data SET."),
        _ => (model, data),
    };
}
