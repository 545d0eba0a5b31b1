using System.CommandLine;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;

namespace Brink.Cli.Inputs;

/// <summary>The opened images and model of a run, from the shared flags.</summary>
internal sealed class RunInput : IDisposable
{
    private readonly string _dataName;
    private readonly SortedDictionary<string, object> _settings;
    private readonly long _seed;
    private IReadOnlyList<string> _warnings;

    /// <summary>Combines a model and images, and moves the model to the device.</summary>
    /// <param name="loaded">The loaded model; this object disposes it.</param>
    /// <param name="weights">The weights as given by the user; null for embedded weights.</param>
    /// <param name="dataName">The data set as given by the user.</param>
    /// <param name="images">The images.</param>
    /// <param name="device">The device to compute on.</param>
    /// <param name="space">The input space of the attacks.</param>
    /// <param name="batchSize">The number of images in one batch.</param>
    /// <param name="seed">The seed of random draws.</param>
    public RunInput(LoadedModel loaded, string? weights, string dataName, ImageSet images, torch.Device device, InputSpace space, int batchSize = AttackEvaluation.DefaultBatchSize, long seed = 0)
    {
        (Loaded, _dataName, Images, Device, BatchSize, _seed, _warnings) = (loaded, dataName, images, device, batchSize, seed, [.. images.Warnings, .. loaded.Warnings, .. MissingPreprocessing(loaded), .. Preprocessing.Warnings(loaded.Normalization)]);
        loaded.Module.to(device);
        Model = new(loaded, space);
        _settings = new(StringComparer.Ordinal)
        {
            ["batch-size"] = batchSize,
            ["skip"] = images.FirstIndex,
            ["mean"] = loaded.Normalization.Mean,
            ["std"] = loaded.Normalization.StandardDeviation,
            ["weights"] = weights ?? "embedded",
            ["threads"] = torch.get_num_threads(),
            ["device"] = ComputeDevice.Name(device),
        };
        if (device.type != DeviceType.CPU)
        {
            _settings["tf32"] = ForwardPass.AllowTensorFloat32;
        }
    }

    /// <summary>The images, with the labels selected by <c>--labels</c>.</summary>
    public ImageSet Images { get; private set; }

    /// <summary>The loaded model: network, weights and preprocessing.</summary>
    public LoadedModel Loaded { get; }

    /// <summary>The model of <see cref="Loaded"/> as a classifier in the input space of the attacks.</summary>
    public OpenedModel Model { get; }

    /// <summary>The device that the model is on.</summary>
    public torch.Device Device { get; }

    /// <summary>The number of images in one batch.</summary>
    public int BatchSize { get; }

    /// <summary>The function that opens the images of the data set from which an attack may start; null from the function if they cannot be read again or have another size.</summary>
    public Func<ImageSet?>? OpenStartingImages { get; private init; }

    /// <summary>Opens the images and loads the model, so that invalid input is reported before the first pass.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="options">The flags.</param>
    /// <param name="attacks">The function that creates the attacks that follow, from the names of the classes. It is called first with null, before the images are opened.</param>
    /// <param name="lengths">The lengths at which results are requested.</param>
    /// <param name="cancellationToken">Cancels the reading of images and the computation of predicted labels.</param>
    /// <param name="index">The index of a single image; null for the images selected by <c>--skip</c> and <c>--limit</c>.</param>
    /// <exception cref="BadInputException">A flag, the images or the model cannot be used.</exception>
    public static RunInput Open(ParseResult parsed, RunOptions options, Func<IReadOnlyList<string>?, IReadOnlyList<ConfiguredAttack>> attacks, IReadOnlyList<double> lengths, CancellationToken cancellationToken, int? index = null)
    {
        var space = InputSpaces.Parse(parsed.GetValue(options.Space));
        var configured = attacks(null);
        var imageOptions = options.Images(parsed);
        var (modelName, dataName) = ModelAndData(parsed.GetValue(options.Model), parsed.GetValue(options.Data));
        var output = parsed.GetValue(options.Script.Output);
        if (output is not null && !ScriptOptions.IsFile(modelName))
        {
            throw new BadInputException($"The flag --output chooses an output of a TorchScript file, but the model {modelName} has only one; remove it.");
        }

        var preprocessing = Preprocessing.Parse(parsed.GetValue(options.Mean), parsed.GetValue(options.StandardDeviation));
        if (parsed.GetValue(options.Resume) && parsed.GetValue(options.Out) is null)
        {
            throw new BadInputException("The flag --resume needs the folder of the run, but none was given; add --out FOLDER.");
        }

        var batchSize = AttackEvaluation.CheckBatchSize(parsed.GetValue(options.BatchSize) ?? AttackEvaluation.DefaultBatchSize);
        var images = DataCatalog.Open(dataName, index ?? parsed.GetValue(options.Skip) ?? 0, index is null ? parsed.GetValue(options.Limit) : 1, imageOptions, cancellationToken);
        var memory = parsed.GetValue(options.Memory);

        TorchLibrary.Require();
        var device = ComputeDevice.Set(parsed.GetValue(options.Device)!, parsed.GetValue(options.Threads), parsed.GetValue(options.TensorFloat32));
        var weights = parsed.GetValue(options.Weights);
        var loaded = Load(modelName, weights, preprocessing, file => options.Script.Load(
            parsed,
            file,
            new() { ImageShape = [images.Channels, images.Height, images.Width], Output = output, ClassCount = images.ClassNames.Count, NeedsGradients = true },
            preprocessing,
            device,
            cancellationToken));
        try
        {
            // The memory of a GPU is not that of the process.
            (batchSize, var memoryNote) = device.type == DeviceType.CPU && (memory is not null || parsed.GetResult(options.BatchSize) is null) ? MemoryBound.Apply(new(loaded, space), images, configured, batchSize, memory) : (batchSize, null);
            // The first images of the data set, whichever part of it is attacked. A pipe cannot be read again.
            ImageSet? Starts()
            {
                try
                {
                    var first = DataCatalog.Open(dataName, 0, AttackEvaluation.MostStartingImages, imageOptions, cancellationToken);
                    return (first.Channels, first.Height, first.Width) == (images.Channels, images.Height, images.Width) ? first : null;
                }
                catch (BadInputException)
                {
                    return null;
                }
            }

            var input = new RunInput(loaded, ScriptOptions.IsFile(modelName) ? modelName : weights, dataName, images, device, space, batchSize, parsed.GetValue(options.Seed) ?? 0) { OpenStartingImages = Starts };
            foreach (var (name, value) in options.ImageSettings(parsed))
            {
                input._settings[name] = value;
            }

            AttackLengths.Check(input.Model, images, configured, lengths);
            if (output is not null)
            {
                input._settings["output"] = output;
            }

            if (!imageOptions.NeedsLabels)
            {
                input.Images = PredictedLabels.Of(input.Model, images, input.BatchSize, device, cancellationToken);
            }
            else
            {
                (input.Images, var doubts) = ClassLabels.Match(images, loaded);
                input._warnings = [.. input._warnings, .. doubts];
            }

            configured = attacks(input.Images.ClassNames);
            input._warnings = [.. input._warnings, .. memoryNote is null ? Array.Empty<string>() : [memoryNote], .. ModelChecks.Of(input.Model, input.Images, configured, input.BatchSize, device, input._seed)];
            return input;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Describes a run of an attack over this input, for its results.</summary>
    public RunDescription Describe(ConfiguredAttack configured) => new()
    {
        Attack = configured.Attack.Name,
        Norm = configured.Attack.Norm.Name,
        Space = InputSpaces.Name(Model.Space),
        Target = configured.Target,
        Criterion = configured.Criterion.Name,
        Model = Loaded.Name,
        Data = _dataName,
        InputWarnings = _warnings,
        ClassNames = Images.ClassNames,
        // An attack may set its own seed in brackets.
        Seed = configured.Options.FirstOrDefault(option => option.Key == "seed" || option.Key.EndsWith("-seed", StringComparison.Ordinal)).Value is long seed ? seed : _seed,
        // If an attack has an option of the same name, the setting of the run takes precedence.
        Options = new SortedDictionary<string, object>(_settings.Concat(configured.Options).DistinctBy(option => option.Key, StringComparer.Ordinal).ToDictionary(), StringComparer.Ordinal),
    };

    /// <summary>Returns a warning about a TorchScript file without preprocessing.</summary>
    /// <param name="loaded">The model.</param>
    public static string[] MissingPreprocessing(LoadedModel loaded) => loaded.Normalization == TorchScriptModel.NoNormalization
        ? [$"{loaded.Name} received pixels in [0, 1] without normalisation; add --mean and --std if it expects normalised images."]
        : [];

    public void Dispose() => Loaded.Dispose();

    private static LoadedModel Load(string model, string? weights, Normalization? preprocessing, Func<string, LoadedModel> loadScript) => (ScriptOptions.IsFile(model), weights) switch
    {
        (true, null) => loadScript(model),
        (true, _) => throw new BadInputException($"A TorchScript file contains its weights, but --model {model} was given together with --weights {weights}; remove --weights, or give the name of the loaded architecture as --model."),
        _ => NamedModel.Load(model, weights, preprocessing),
    };

    private static (string Model, string Data) ModelAndData(string? model, string? data) => (model, data) switch
    {
        (null, null) => (SampleNetwork.Name, "signs"),
        (SampleNetwork.Name, null) => (SampleNetwork.Name, "signs"),
        (null, "signs") => (SampleNetwork.Name, "signs"),
        (null, _) => throw new BadInputException($"The data set {data} needs a model that was trained for it; add --model NAME."),
        (_, null) => throw new BadInputException($"The model {model} needs images that it was trained for; add --data SET."),
        _ => (model, data),
    };
}
