using System.CommandLine;
using Brink.Data;
using Brink.Models.Checkpoints;
using Brink.Models.Samples;
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
    torch.manual_seed(options.GetValue(seed));

    var training = TrafficSigns.Generate(TrafficSigns.TrainingSeed, options.GetValue(images));
    var fresh = TrafficSigns.Generate(TrafficSigns.TestSeed, 2_000);
    Console.WriteLine($"mean and deviation per channel: {ChannelStatistics.Measure(training)}");

    using var network = SampleNetwork.Untrained();
    var trainer = new Trainer(network, training, options.GetValue(seed), options.GetValue(epsilon));
    trainer.Run(options.GetValue(epochs), (epoch, loss) =>
        Console.WriteLine(FormattableString.Invariant($"epoch {epoch}: loss {loss:F4}, accuracy on {fresh.Count} fresh images {Accuracy.Of(network, fresh):P2}")));

    using var stream = File.Create(path);
    Safetensors.Write(stream, network.state_dict());
});

return command.Parse(args).Invoke();
