using System.CommandLine;
using Brink.Data;
using Brink.Models;
using Brink.Training;
using TorchSharp;
using TrainSigns;

// Trains the model that is embedded in Brink.Models on synthetic traffic signs and writes its weights:
// dotnet run -c Release --project samples/TrainSigns -- --out src/Brink.Models/Samples/signs.safetensors
var file = new Option<string>("--out") { Description = "The safetensors file to write.", Required = true };
var images = new Option<int>("--images") { Description = "The number of training images.", DefaultValueFactory = _ => 12_000 };
var epochs = new Option<int>("--epochs") { Description = "The number of epochs.", DefaultValueFactory = _ => 10 };
var seed = new Option<int>("--seed") { Description = "The seed of the initial weights and of the order of the images.", DefaultValueFactory = _ => 0 };
var epsilon = new Option<double>("--epsilon") { Description = "The largest perturbation of each pixel in adversarial training, for pixels in [0, 1]; 0 for standard training.", DefaultValueFactory = _ => 0 };
var command = new RootCommand("Trains the traffic-sign model of Brink.Models.") { file, images, epochs, seed, epsilon };

command.SetAction(options =>
{
    // Before the training, so that an error does not cost minutes.
    var path = Path.GetFullPath(options.GetValue(file)!);
    Directory.CreateDirectory(Path.GetDirectoryName(path)!);

    torch.set_num_threads(Environment.ProcessorCount);
    var training = TrafficSigns.Generate(TrafficSigns.TrainingSeed, options.GetValue(images));
    var test = TrafficSigns.Generate(TrafficSigns.TestSeed, 2_000);
    Console.WriteLine($"mean ± standard deviation per channel: {ChannelStatistics.Measure(training)}");

    using var model = Untrained(options.GetValue(seed));
    var settings = new TrainingOptions
    {
        Epochs = options.GetValue(epochs),
        BatchSize = 64,
        LearningRate = 0.1,
        Augmentation = Augmentation.None,
        Seed = options.GetValue(seed),
        Adversarial = options.GetValue(epsilon) > 0 ? new() { Epsilon = options.GetValue(epsilon), Share = 1 } : null,
    };
    var trainer = new Trainer(model, settings);
    trainer.Run(new ImagePool(training).Split(settings.Seed, heldOut: 0), new ImagePool(test), progress: new EpochLines());
    trainer.SaveWeights(path);
});

return command.Parse(args).Invoke();

static LoadedModel Untrained(long seed)
{
    torch.manual_seed(seed);
    return new(SampleNetwork.Name, SampleNetwork.Untrained(), TrafficSigns.ClassNames.Count, SampleNetwork.Normalization);
}
