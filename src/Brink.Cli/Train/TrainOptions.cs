using System.CommandLine;
using Brink.Cli.Inputs;

namespace Brink.Cli.Train;

/// <summary>The flags of <c>brink train</c>.</summary>
internal sealed class TrainOptions
{
    public Option<string> Model { get; } = new("--model") { Description = "The network: one that brink models lists, but signs.", HelpName = "NAME", Required = true };

    public Option<string?> Weights { get; } = new("--weights") { Description = "Weights to start from instead of random ones: a PyTorch checkpoint (.pt, .pth, .pkl) or safetensors.", HelpName = "FILE" };

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean of each channel to subtract, e.g. 0.49,0.48,0.45. [default: the network's]", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation of each channel, goes with --mean.", HelpName = "A,B,C" };

    public Option<string[]> Data { get; } = new("--data") { Description = "The images to train on; given several times, all of them together.", HelpName = "SET", Required = true };

    public Option<string?> TestData { get; } = new("--test-data") { Description = "Images whose accuracy is reported after every epoch and chooses nothing.", HelpName = "SET" };

    public Option<int?> HoldOut { get; } = new("--hold-out") { CustomParser = WholeNumber.Parse<int>, Description = "How many images of --data, drawn at random, are not trained on but choose the best epoch. [default: 0]", HelpName = "N" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = "The most images to train on, drawn at random from --data. [default: all]", HelpName = "N" };

    public Option<int?> Epochs { get; } = new("--epochs") { CustomParser = WholeNumber.Parse<int>, Description = "How often each image is seen. [default: 12]", HelpName = "N" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber.Parse<int>, Description = "Images in a step. [default: 128]", HelpName = "N" };

    public Option<double?> LearningRate { get; } = new("--learning-rate") { CustomParser = RealNumberFlag.Parse, Description = "The highest learning rate. [default: 0.08]", HelpName = "NUMBER" };

    public Option<string?> Schedule { get; } = new("--schedule") { Description = "What becomes of the learning rate: one-cycle (up, then down as a cosine), cosine, step or constant. [default: one-cycle]", HelpName = "NAME" };

    public Option<double?> WarmUp { get; } = new("--warm-up") { CustomParser = RealNumberFlag.Parse, Description = "The share of the run in which one-cycle rises. [default: 0.2]", HelpName = "SHARE" };

    public Option<double?> Momentum { get; } = new("--momentum") { CustomParser = RealNumberFlag.Parse, Description = "How much of the last step a step keeps. [default: 0.9]", HelpName = "NUMBER" };

    public Option<double?> WeightDecay { get; } = new("--weight-decay") { CustomParser = RealNumberFlag.Parse, Description = "λ: λ/2·‖w‖² is added to the loss. [default: 5e-4]", HelpName = "NUMBER" };

    public Option<double?> LabelSmoothing { get; } = new("--label-smoothing") { CustomParser = RealNumberFlag.Parse, Description = "The share of the label's probability that is spread over all classes. [default: 0]", HelpName = "SHARE" };

    public Option<string?> Augment { get; } = new("--augment") { Description = "What is done to the images: crop,flip, crop, flip or none. A crop moves by up to 4 pixels. [default: crop,flip]", HelpName = "LIST" };

    public Option<string?> Adversarial { get; } = new("--adversarial") { Description = "Train on adversarial images, too: fgsm, ifgsm, pgd or tr. [default: none]", HelpName = "NAME" };

    public Option<double?> Epsilon { get; } = new("--epsilon") { CustomParser = RealNumberFlag.Parse, Description = "How long a perturbation may be, of pixels in 0 to 1. [default: 4/255]", HelpName = "LENGTH" };

    public Option<string?> Norm { get; } = new("--norm") { Description = "The norm of --epsilon: linf or l2. [default: linf]", HelpName = "NORM" };

    public Option<int?> AttackSteps { get; } = new("--attack-steps") { CustomParser = WholeNumber.Parse<int>, Description = "Steps of the attack, each one forward and one backward pass. [default: 3; fgsm and tr 1]", HelpName = "N" };

    public Option<string?> Target { get; } = new("--target") { Description = "The class that tr goes for: best (the largest other logit) or hardest (the smallest). [default: hardest]", HelpName = "CLASS" };

    public Option<double?> AdversarialShare { get; } = new("--adversarial-share") { CustomParser = RealNumberFlag.Parse, Description = "The share of each batch that is made adversarial. [default: 0.5]", HelpName = "SHARE" };

    public Option<int?> AdversarialUntil { get; } = new("--adversarial-until") { CustomParser = WholeNumber.Parse<int>, Description = "The last epoch with adversarial images. [default: the last]", HelpName = "EPOCH" };

    public Option<int?> MaxBatch { get; } = new("--max-batch") { CustomParser = WholeNumber.Parse<int>, Description = "Let batch size and learning rate grow, up to this batch size, as the loss becomes flatter (ABSA). [default: they stay]", HelpName = "N" };

    public Option<double?> Growth { get; } = new("--growth") { CustomParser = RealNumberFlag.Parse, Description = "By what factor they grow. [default: 2]", HelpName = "FACTOR" };

    public Option<double?> EigenvalueDrop { get; } = new("--eigenvalue-drop") { CustomParser = RealNumberFlag.Parse, Description = "They grow when the top eigenvalue of the loss's Hessian in the weights has fallen by this factor. [default: 2]", HelpName = "FACTOR" };

    public Option<int?> GrowthPatience { get; } = new("--growth-patience") { CustomParser = WholeNumber.Parse<int>, Description = "They also grow when they have not for so many epochs. [default: 10]", HelpName = "EPOCHS" };

    public Option<int?> EigenvalueImages { get; } = new("--eigenvalue-images") { CustomParser = WholeNumber.Parse<int>, Description = "On how many training images, all at once, the eigenvalue is measured. [default: 128]", HelpName = "N" };

    public Option<int?> MicroBatch { get; } = new("--micro-batch") { CustomParser = WholeNumber.Parse<int>, Description = "The most images at once; larger batches add up the gradients of their parts. [default: 512]", HelpName = "N" };

    public Option<long?> Seed { get; } = new("--seed") { CustomParser = WholeNumber.Parse<long>, Description = "The seed of the first weights and of all other random draws. [default: 0]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "How many processors the network uses. [default: all]", HelpName = "N" };

    public Option<string> Out { get; } = new("--out") { Required = true, Description = "A folder for the checkpoint, the last and the best weights, and the history.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue the training in the folder of --out, to the weights it would have had without the interruption." };

    public Option<string?> Export { get; } = new("--export") { Description = "Where to write the weights after the last epoch, as safetensors.", HelpName = "FILE" };

    public Option<bool> Half { get; } = new("--half") { Description = "Write --export as float16, half as large." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print the outcome as JSON, and nothing else." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    public IEnumerable<Option> All =>
    [
        Model, Weights, Mean, StandardDeviation, Data, TestData, HoldOut, Limit,
        Epochs, BatchSize, LearningRate, Schedule, WarmUp, Momentum, WeightDecay, LabelSmoothing, Augment,
        Adversarial, Epsilon, Norm, AttackSteps, Target, AdversarialShare, AdversarialUntil,
        MaxBatch, Growth, EigenvalueDrop, GrowthPatience, EigenvalueImages, MicroBatch,
        Seed, Device, Threads, Out, Resume, Export, Half, Json, Quiet,
    ];
}
