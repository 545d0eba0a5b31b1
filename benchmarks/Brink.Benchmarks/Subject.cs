using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;

namespace Brink.Benchmarks;

/// <summary>A network and the images it is attacked on, in pixel space.</summary>
internal sealed record Subject(LoadedModel Model, ImageSet Images)
{
    public OpenedModel Opened { get; } = new(Model, InputSpace.Pixel);

    public IClassifier Classifier => Opened.Classifier;

    public static Subject Parse(string[] words)
    {
        torch.set_num_threads(Environment.ProcessorCount);
        return words switch
        {
            [] => new(ModelCatalog.Load(SampleNetwork.Name, null), TrafficSigns.Generate(TrafficSigns.TestSeed, 500)),
            [var name, var weights, var data] => new(ModelCatalog.Load(name, weights), Cifar10.Read(data)),
            _ => throw new BadInputException("A subject is nothing, or NAME WEIGHTS CIFAR10FILE."),
        };
    }

    /// <summary>The first images that the network gets right, as one batch.</summary>
    public (torch.Tensor Images, torch.Tensor Labels) CorrectBatch(int count)
    {
        using var scope = torch.NewDisposeScope();
        using var withoutGradients = torch.no_grad();
        var images = Images.Images(0, Math.Min(Images.Count, 4 * count));
        var labels = Images.Labels(0, Math.Min(Images.Count, 4 * count));
        var right = Classifier.Logits(images).argmax(1).eq(labels).nonzero().squeeze(1).slice(0, 0, count, 1);
        return (images.index_select(0, right).MoveToOuterDisposeScope(), labels.index_select(0, right).MoveToOuterDisposeScope());
    }
}
