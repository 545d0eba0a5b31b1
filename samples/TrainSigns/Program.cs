using System.CommandLine;
using Brink.Data;
using Brink.Models;
using Brink.Training;
using TorchSharp;
using TrainSigns;

// Trains the network embedded in Brink.Models on drawn traffic signs and writes its weights:
// dotnet run -c Release --project samples/TrainSigns -- --out src/Brink.Models/Samples/signs.safetensors
var file = new Option<string>("--out") { Description = "The safetensors file to write.", Required = true };
var images = new Option<int>("--images") { Description = "How many images to train on.", DefaultValueFactory = _ => 12_000 };
var epochs = new Option<int>("--epochs") { Description = "How often each is seen.", DefaultValueFactory = _ => 10 };
var seed = new Option<int>("--seed") { Description = "Of the first weights and the order of the images.", DefaultValueFactory = _ => 0 };
var epsilon = new Option<double>("--epsilon") { Description = "Train on images perturbed by up to this much in each pixel, of 1. 0 trains on the images themselves.", DefaultValueFactory = _ => 0 };
var command = new RootCommand("Trains the traffic-sign network of Brink.Models.") { file, images, epochs, seed, epsilon };

command.SetAction(options =>
{
    // Before the minutes of training, not after: a folder that cannot be made should say so at once.
    var path = Path.GetFullPath(options.GetValue(file)!);
    Directory.CreateDirectory(Path.GetDirectoryName(path)!);

    torch.set_num_threads(Environment.ProcessorCount);
    var training = TrafficSigns.Generate(TrafficSigns.TrainingSeed, options.GetValue(images));
    var fresh = TrafficSigns.Generate(TrafficSigns.TestSeed, 2_000);
    Console.WriteLine($"mean and deviation per channel: {ChannelStatistics.Measure(training)}");

    using var network = Untrained(options.GetValue(seed));
    var settings = new TrainingOptions
    {
        Epochs = options.GetValue(epochs),
        BatchSize = 64,
        LearningRate = 0.1,
        Augmentation = Augmentation.None,
        Seed = options.GetValue(seed),
        Adversarial = options.GetValue(epsilon) > 0 ? new() { Epsilon = options.GetValue(epsilon), Share = 1 } : null,
    };
    new Trainer(network, settings).Run(new ImagePool(training).Split(settings.Seed, heldOut: 0), new ImagePool(fresh), progress: new EpochLines());
    WeightsFile.Write(path, network.Module);
});

return command.Parse(args).Invoke();

static LoadedModel Untrained(long seed)
{
    using var random = new SeededTorch(seed);
    return new(SampleNetwork.Name, SampleNetwork.Untrained(), TrafficSigns.ClassNames.Count, SampleNetwork.Normalization);
}
