using System.CommandLine;
using Brink.Cli.Inputs;
using Brink.Data;

namespace Brink.Cli.Train;

/// <summary>The flags of <c>brink train</c>.</summary>
internal sealed class TrainOptions
{
    private readonly RunOptions _run = new();

    public Option<string> Model { get; } = new("--model") { Description = "The network architecture: a name that brink models lists, except signs.", HelpName = "NAME", Required = true };

    public Option<string?> Weights { get; } = new("--weights") { Description = "Initial weights: a PyTorch checkpoint (.pt, .pth, .pkl), safetensors or a file of TorchSharp's module.save; KEY chooses one of several dictionaries in it. [default: random]", HelpName = "FILE[:KEY]" };

    public Option<string?> Mean { get; } = new("--mean") { Description = "The mean of each channel, which is subtracted, e.g. 0.49,0.48,0.45. [default: that of the architecture]", HelpName = "A,B,C" };

    public Option<string?> StandardDeviation { get; } = new("--std") { Description = "The standard deviation of each channel; requires --mean.", HelpName = "A,B,C" };

    public Option<string[]> Data { get; } = new("--data") { Description = "The training images; may be given several times to combine data sets.", HelpName = "SET", Required = true };

    public Option<string?> TestData { get; } = new("--test-data") { Description = "The test images, whose accuracy is reported after every epoch and does not influence the result.", HelpName = "SET" };

    public Option<string?> Labels { get; } = new("--labels") { Description = "A CSV file with an image file of --data and its label in each row. [default: the labels of the data sets]", HelpName = "FILE" };

    public Option<string?> TestLabels { get; } = new("--test-labels") { Description = "The same for --test-data. [default: the labels of the data set]", HelpName = "FILE" };

    public Option<int?> HoldOut { get; } = new("--hold-out") { CustomParser = WholeNumber.Parse<int>, Description = "The number of images of --data, drawn at random, that are excluded from training and determine the best epoch. [default: 0]", HelpName = "N" };

    public Option<int?> Limit { get; } = new("--limit") { CustomParser = WholeNumber.Parse<int>, Description = "The maximum number of training images, drawn at random from --data. [default: all]", HelpName = "N" };

    public Option<int?> Epochs { get; } = new("--epochs") { CustomParser = WholeNumber.Parse<int>, Description = "The number of epochs. [default: 12]", HelpName = "N" };

    public Option<int?> BatchSize { get; } = new("--batch-size") { CustomParser = WholeNumber.Parse<int>, Description = "The number of images per step. [default: 128]", HelpName = "N" };

    public Option<double?> LearningRate { get; } = new("--learning-rate") { CustomParser = RealNumberFlag.Parse, Description = "The highest learning rate. [default: 0.08]", HelpName = "NUMBER" };

    public Option<string?> Schedule { get; } = new("--schedule") { Description = "The schedule of the learning rate: one-cycle (increase, then decrease as a cosine), cosine, step or constant. [default: one-cycle]", HelpName = "NAME" };

    public Option<double?> WarmUp { get; } = new("--warm-up") { CustomParser = RealNumberFlag.Parse, Description = "The share of the run in which one-cycle increases the learning rate. [default: 0.2]", HelpName = "SHARE" };

    public Option<double?> Momentum { get; } = new("--momentum") { CustomParser = RealNumberFlag.Parse, Description = "The Nesterov momentum. [default: 0.9]", HelpName = "NUMBER" };

    public Option<double?> WeightDecay { get; } = new("--weight-decay") { CustomParser = RealNumberFlag.Parse, Description = "The weight decay λ; λ/2·‖w‖² is added to the loss. [default: 5e-4]", HelpName = "NUMBER" };

    public Option<double?> LabelSmoothing { get; } = new("--label-smoothing") { CustomParser = RealNumberFlag.Parse, Description = "The share of the label's probability that is distributed over all classes. [default: 0]", HelpName = "SHARE" };

    public Option<string?> Augment { get; } = new("--augment") { Description = "Random transformations of the images: crop,flip, crop, flip or none. A crop shifts an image by up to 4 pixels. [default: crop,flip]", HelpName = "LIST" };

    public Option<string?> Adversarial { get; } = new("--adversarial") { Description = "Adversarial training with fgsm, ifgsm, pgd or tr, with fewer and longer steps than the attacks of these names. [default: standard training]", HelpName = "NAME" };

    public Option<double?> Epsilon { get; } = new("--epsilon") { CustomParser = RealNumberFlag.Parse, Description = "The largest length of a perturbation, for pixels in [0, 1]. [default: 4/255]", HelpName = "LENGTH" };

    public Option<string?> Norm { get; } = new("--norm") { Description = "The norm of --epsilon: linf or l2. [default: linf]", HelpName = "NORM" };

    public Option<int?> AttackSteps { get; } = new("--attack-steps") { CustomParser = WholeNumber.Parse<int>, Description = "The number of steps of the attack, each of one forward and one backward pass. [default: 3; 1 for fgsm and tr]", HelpName = "N" };

    public Option<string?> Target { get; } = new("--target") { Description = "The target class of tr: most-likely (the class other than the label with the largest logit) or least-likely (the smallest). [default: least-likely]", HelpName = "CLASS" };

    public Option<double?> AdversarialShare { get; } = new("--adversarial-share") { CustomParser = RealNumberFlag.Parse, Description = "The share of each batch that is perturbed. [default: 0.5]", HelpName = "SHARE" };

    public Option<int?> AdversarialUntil { get; } = new("--adversarial-until") { CustomParser = WholeNumber.Parse<int>, Description = "The last epoch with perturbed images. [default: the last epoch]", HelpName = "EPOCH" };

    public Option<int?> MaxBatch { get; } = new("--max-batch") { CustomParser = WholeNumber.Parse<int>, Description = "Let batch size and learning rate grow, up to this batch size, as the loss becomes flatter (ABSA). [default: constant batch size]", HelpName = "N" };

    public Option<double?> Growth { get; } = new("--growth") { CustomParser = RealNumberFlag.Parse, Description = "The factor by which batch size and learning rate grow. [default: 2]", HelpName = "FACTOR" };

    public Option<double?> EigenvalueDrop { get; } = new("--eigenvalue-drop") { CustomParser = RealNumberFlag.Parse, Description = "The factor by which the top eigenvalue of the Hessian of the loss must fall for the batch to grow. [default: 2]", HelpName = "FACTOR" };

    public Option<int?> GrowthPatience { get; } = new("--growth-patience") { CustomParser = WholeNumber.Parse<int>, Description = "The number of epochs without growth after which the batch grows in any case. [default: 10]", HelpName = "EPOCHS" };

    public Option<int?> EigenvalueImages { get; } = new("--eigenvalue-images") { CustomParser = WholeNumber.Parse<int>, Description = "The number of training images on which the eigenvalue is estimated, in a single pass. [default: 128]", HelpName = "N" };

    public Option<int?> MicroBatch { get; } = new("--micro-batch") { CustomParser = WholeNumber.Parse<int>, Description = "The maximum number of images per pass; the gradients of larger batches are computed in parts. [default: 512]", HelpName = "N" };

    public Option<long?> Seed { get; } = new("--seed") { CustomParser = WholeNumber.Parse<long>, Description = "The seed of the initial weights and of all other random draws. [default: 0]", HelpName = "N" };

    public Option<string> Device { get; } = new("--device") { Description = "The device: cpu, cuda, or cuda:N for the GPU of number N.", DefaultValueFactory = _ => "cpu", HelpName = "DEVICE" };

    public Option<bool> TensorFloat32 { get; } = new("--tf32") { Description = "Compute the training on a GPU in TF32, which is faster and less precise than float32. Adversarial images and accuracies are always computed in float32." };

    public Option<int?> Threads { get; } = new("--threads") { CustomParser = WholeNumber.Parse<int>, Description = "The number of processor threads. [default: all]", HelpName = "N" };

    public Option<string> Out { get; } = new("--out") { Required = true, Description = "The folder for the checkpoint, the last and the best weights, and the history.", HelpName = "FOLDER" };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Continue the run in the folder of --out; it ends with the weights of an uninterrupted run." };

    public Option<string?> Export { get; } = new("--export") { Description = "The file for the weights after the last epoch, as safetensors.", HelpName = "FILE" };

    public Option<bool> Half { get; } = new("--half") { Description = "Write the weights of --export as float16, which halves the size." };

    public Option<bool> Json { get; } = new("--json") { Description = "Print the results as JSON, and nothing else." };

    public Option<bool> Quiet { get; } = new("--quiet") { Description = "Show no progress." };

    /// <summary>Parses the flags that prepare the images of a data set.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="labels">The flag of its labels.</param>
    public ImageOptions Images(ParseResult parsed, Option<string?> labels) => _run.Images(parsed) with { LabelFile = parsed.GetValue(labels) };

    /// <summary>All flags, in the order of the help text.</summary>
    public IEnumerable<Option> All =>
    [
        Model, Weights, Mean, StandardDeviation, Data, Labels, TestData, TestLabels, _run.Classes, _run.Resize, _run.Crop, _run.Channels, HoldOut, Limit,
        Epochs, BatchSize, LearningRate, Schedule, WarmUp, Momentum, WeightDecay, LabelSmoothing, Augment,
        Adversarial, Epsilon, Norm, AttackSteps, Target, AdversarialShare, AdversarialUntil,
        MaxBatch, Growth, EigenvalueDrop, GrowthPatience, EigenvalueImages, MicroBatch,
        Seed, Device, TensorFloat32, Threads, Out, Resume, Export, Half, Json, Quiet,
    ];
}
