using System.Collections.ObjectModel;
using System.Globalization;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using Brink.Models;

namespace Brink.Cli.Reproduce;

/// <summary>A table of Yao et al. (2019), with the attacks that reproduce it. All attacks run in normalised space.</summary>
/// <param name="Name">The name on the command line, such as <c>table1</c>.</param>
/// <param name="Title">The title of the table.</param>
/// <param name="Images">The images that the paper uses.</param>
/// <param name="Networks">The networks of the rows.</param>
/// <param name="Sections">The sections of the table, one per norm.</param>
internal sealed record PaperTable(string Name, string Title, string Images, IReadOnlyList<PaperNetwork> Networks, IReadOnlyList<PaperSection> Sections)
{
    /// <summary>The data set.</summary>
    /// <value>CIFAR-10.</value>
    public PaperData Data { get; init; } = PaperData.Cifar10;

    /// <summary>The number of steps of a table that gives the accuracy after each step; null for a table of perturbations.</summary>
    public int? Steps { get; init; }
}

/// <summary>The part of a table for one norm.</summary>
/// <param name="Norm"><c>l2</c> or <c>linf</c>.</param>
/// <param name="Attacks">The attacks to run, in the order of the rows.</param>
/// <param name="Figures">The cells of the paper by network and column.</param>
internal sealed record PaperSection(string Norm, IReadOnlyList<PaperAttack> Attacks, IReadOnlyDictionary<(PaperNetwork Network, string Column), PaperFigures> Figures)
{
    /// <summary>The accuracies of the paper after 1, 2, … steps, in per cent, by network and column; empty for a table of perturbations.</summary>
    public IReadOnlyDictionary<(PaperNetwork Network, string Column), IReadOnlyList<decimal>> Accuracies { get; init; } =
        ReadOnlyDictionary<(PaperNetwork Network, string Column), IReadOnlyList<decimal>>.Empty;
}

/// <summary>An attack of a table. Every option is set explicitly, so that a new default of Brink does not change the table.</summary>
internal sealed record PaperAttack
{
    /// <summary>The name on the command line and of the run folder.</summary>
    public required string Key { get; init; }

    /// <summary>The name in the table.</summary>
    public required string Name { get; init; }

    /// <summary>The attack with all its options, as parsed by <see cref="AttackCatalog"/>.</summary>
    public required string Specification { get; init; }

    /// <summary>The column of the paper to compare with; null if the paper has none.</summary>
    public string? Column { get; init; }

    /// <summary>The number of correctly classified images to attack; null for all images.</summary>
    public int? CorrectImages { get; init; }

    /// <summary>A remark on the row, if any.</summary>
    public string? Remark { get; init; }
}

/// <summary>A network of the paper, and the network of Brink that replaces it.</summary>
/// <param name="Name">The name in the paper.</param>
/// <param name="Accuracy">The accuracy in the paper, in per cent; null if the paper gives none.</param>
/// <param name="Model">The name of the replacing network in <see cref="ModelCatalog"/>.</param>
/// <param name="Remark">The difference between the two networks, or the source of weights.</param>
internal sealed record PaperNetwork(string Name, decimal? Accuracy, string Model, string Remark);

/// <summary>A cell of the paper: relative perturbations in per cent, with the digits as printed.</summary>
/// <param name="Average">The average over all images, misclassified images counted as zero.</param>
/// <param name="Worst">The largest relative perturbation.</param>
internal sealed record PaperFigures(decimal Average, decimal Worst)
{
    /// <summary>Parses cells. The first line contains the names of the columns, each further line the cells <c>average/worst</c> of one network.</summary>
    /// <param name="networks">The networks, in the order of the lines.</param>
    /// <param name="cells">The lines.</param>
    public static Dictionary<(PaperNetwork Network, string Column), PaperFigures> Parse(IReadOnlyList<PaperNetwork> networks, string cells)
    {
        var lines = cells.Split('\n', StringSplitOptions.TrimEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return networks.Zip(lines.Skip(1), (network, line) => lines[0].Zip(line, (column, cell) => KeyValuePair.Create((network, column), ParseCell(cell))))
            .SelectMany(row => row)
            .ToDictionary();
    }

    private static PaperFigures ParseCell(string cell) => cell.Split('/') is [var average, var worst]
        ? new(decimal.Parse(average, CultureInfo.InvariantCulture), decimal.Parse(worst, CultureInfo.InvariantCulture))
        : throw new FormatException($"A cell is written average/worst, but is '{cell}'.");
}

/// <summary>The data set of a table.</summary>
/// <param name="Name">The name in messages.</param>
/// <param name="Kind">The name on the command line, before the colon.</param>
/// <param name="Example">An example of the value of <c>--data</c>, for error messages.</param>
/// <param name="BatchSize">The number of images in one batch.</param>
internal sealed record PaperData(string Name, string Kind, string Example, int BatchSize)
{
    /// <summary>CIFAR-10, as downloaded by <c>brink data fetch</c> or in the binary format.</summary>
    public static PaperData Cifar10 { get; } = new("CIFAR-10", "cifar10", "cifar10:FILE", AttackEvaluation.DefaultBatchSize);

    /// <summary>ImageNet in one folder per synset.</summary>
    /// <value>8 images in one batch, which keeps VGG-16 with its gradients below about 2 GB.</value>
    public static PaperData ImageNet { get; } = new("ImageNet", "imagenet", "imagenet:FOLDER", BatchSize: 8);

    /// <summary>Determines whether a value of <c>--data</c> names this data set.</summary>
    /// <param name="description">The description of the images, as parsed by <see cref="Brink.Data.DataCatalog"/>.</param>
    public bool Is(string description)
    {
        ArgumentNullException.ThrowIfNull(description);
        return description.Split(':')[0] == Kind;
    }
}
