using System.CommandLine;
using Brink.Cli.Running;

namespace Brink.Cli.Train;

/// <summary>The flags of <c>brink train</c>.</summary>
internal sealed class TrainOptions
{
    public Option<string> Model { get; } = new("--model") { Description = "The network: resnet20, resnet32, resnet44, resnet56, resnet110, mlp-swish, alexlike, alexlike-s.", HelpName = "NAME", Required = true };

    public Option<string?> Weights { get; } = new("--weights") { Description = "Weights to start from instead of random ones: a PyTorch checkpoint (.pt, .pth, .pkl) or safetensors.", HelpName = "FILE" };

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean of each channel to subtract, e.g. 0.49,0.48,0.45. [default: the network's]", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation of each channel, goes with --mean.", HelpName = "A,B,C" };

    public Option<string[]> Data { get; } = new("--data") { Description = "The images to train on; given several times, all of them together.", HelpName = "SET", Required = true };

    public Option<string?> TestData { get; } = new("--test-data") { Description = "Images whose accuracy is reported after every epoch and chooses nothing.", HelpName = "SET" };

    public Option<int?> HoldOut { get; } = new("--hold-out") { CustomParser = WholeNumber.Parse<int>, Description = "How many images of --data, drawn at random, are not trained on but choose the best epoch. [default: 0]", HelpName = "N" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = "The most images to train on, drawn at random from --data. [default: all]", HelpName = "N" };

    public Option<int?> Epochs { get; } = new("--epochs") { CustomParser = WholeNumber.Parse<int>, Description = "How often each image is seen. [default: 12]", HelpName = "N" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber.Parse<int>, Description = "Images in a step. [default: 128]", HelpName = "N" };

    public Option<double?> LearningRate { get; } = new("--learning-rate") { CustomParser = RealNumber.Parse, Description = "The highest learning rate. [default: 0.08]", HelpName = "NUMBER" };

    public Option<string?> Schedule { get; } = new("--schedule") { Description = "What becomes of the learning rate: one-cycle (up, then down as a cosine), cosine, step or constant. [default: one-cycle]", HelpName = "NAME" };

    public Option<double?> WarmUp { get; } = new("--warm-up") { CustomParser = RealNumber.Parse, Description = "The share of the run in which one-cycle rises. [default: 0.2]", HelpName = "SHARE" };

    public Option<double?> Momentum { get; } = new("--momentum") { CustomParser = RealNumber.Parse, Description = "How much of the last step a step keeps. [default: 0.9]", HelpName = "NUMBER" };

    public Option<double?> WeightDecay { get; } = new("--weight-decay") { CustomParser = RealNumber.Parse, Description = "λ: λ/2·‖w‖² is added to the loss. [default: 5e-4]", HelpName = "NUMBER" };

    public Option<double?> LabelSmoothing { get; } = new("--label-smoothing") { CustomParser = RealNumber.Parse, Description = "The share of the label's probability that is spread over all classes. [default: 0]", HelpName = "SHARE" };

    public Option<string?> Augment { get; } = new("--augment") { Description = "What is done to the images: crop,flip, crop, flip or none. A crop moves by up to 4 pixels. [default: crop,flip]", HelpName = "LIST" };

    public Option<long?> Seed { get; } = new("--seed") { CustomParser = WholeNumber.Parse<long>, Description = "The seed of the first weights and of all other random draws. [default: 0]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "How many processors the network uses. [default: all]", HelpName = "N" };

    public Option<string?> Out { get; } = new("--out") { Description = "A folder for the checkpoint, the last and the best weights, and the history.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue the training in the folder of --out, to the weights it would have had without the interruption." };

    public Option<string?> Export { get; } = new("--export") { Description = "Where to write the weights after the last epoch, as safetensors.", HelpName = "FILE" };

    public Option<bool> Half { get; } = new("--half") { Description = "Write --export as float16, half as large." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print the outcome as JSON, and nothing else." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    public IEnumerable<Option> All =>
    [
        Model, Weights, Mean, StandardDeviation, Data, TestData, HoldOut, Limit,
        Epochs, BatchSize, LearningRate, Schedule, WarmUp, Momentum, WeightDecay, LabelSmoothing, Augment,
        Seed, Device, Threads, Out, Resume, Export, Half, Json, Quiet,
    ];
}
