using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;

namespace Brink.Benchmarks;

/// <summary>A model and the images on which it is attacked, in pixels.</summary>
internal sealed record Subject(LoadedModel Model, ImageSet Images)
{
    public OpenedModel Opened { get; } = new(Model, InputSpace.Pixel);

    public IClassifier Classifier => Opened.Classifier;

    public static Subject Parse(string[] words)
    {
        torch.set_num_threads(Environment.ProcessorCount);
        return words switch
        {
            [] => new(ModelCatalog.Load("signs", null), TrafficSigns.Generate(TrafficSigns.TestSeed, 500)),
            [var name, var weights, var data] => new(ModelCatalog.Load(name, weights), Cifar10.Read(data)),
            _ => throw new BadInputException("The model and its images must be given as NAME WEIGHTS CIFAR10FILE, or omitted for the embedded model."),
        };
    }

    /// <summary>Returns the first images that the model classifies correctly, as one batch.</summary>
    public (torch.Tensor Images, torch.Tensor Labels) CorrectBatch(int count)
    {
        using var scope = torch.NewDisposeScope();
        using var withoutGradients = torch.no_grad();
        var images = Images.Images(0, Math.Min(Images.Count, 4 * count));
        var labels = Images.Labels(0, Math.Min(Images.Count, 4 * count));
        var correct = Classifier.Logits(images).argmax(1).eq(labels).nonzero().squeeze(1).slice(0, 0, count, 1);
        return (images.index_select(0, correct).MoveToOuterDisposeScope(), labels.index_select(0, correct).MoveToOuterDisposeScope());
    }
}
