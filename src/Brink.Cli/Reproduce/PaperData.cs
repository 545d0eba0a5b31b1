using Brink.Evaluation.Runs;

namespace Brink.Cli.Reproduce;

/// <summary>The data set of a table.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Kind">What the command line calls it, before the colon.</param>
/// <param name="Example">How its images are given, for those who gave none.</param>
/// <param name="BatchSize">How many images are attacked at once.</param>
internal sealed record PaperData(string Name, string Kind, string Example, int BatchSize)
{
    /// <summary>CIFAR-10 as it was fetched, or in its binary format.</summary>
    public static PaperData Cifar10 { get; } = new("CIFAR-10", "cifar10", "cifar10:FILE", AttackEvaluation.DefaultBatchSize);

    // Eight of the larger images keep VGG-16 with its gradients within about 2 GB.

    /// <summary>ImageNet in folders of synsets.</summary>
    public static PaperData ImageNet { get; } = new("ImageNet", "imagenet", "imagenet:FOLDER", BatchSize: 8);

    /// <summary>Whether a description of images means this data set.</summary>
    /// <param name="description">As <see cref="Brink.Data.DataCatalog"/> takes it.</param>
    public bool Is(string description)
    {
        ArgumentNullException.ThrowIfNull(description);
        return description.Split(':')[0] == Kind;
    }
}
