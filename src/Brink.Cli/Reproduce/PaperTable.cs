namespace Brink.Cli.Reproduce;

/// <summary>A table of Yao et al. (2019), and what has to be run to have one's own beside it. All in normalised space.</summary>
/// <param name="Name">What the command line calls it: <c>table1</c>.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Images">The paper's images.</param>
/// <param name="Networks">The paper's rows.</param>
/// <param name="Sections">Its halves.</param>
internal sealed record PaperTable(string Name, string Title, string Images, IReadOnlyList<PaperNetwork> Networks, IReadOnlyList<PaperSection> Sections)
{
    /// <summary>Where the images come from.</summary>
    /// <value>CIFAR-10.</value>
    public PaperData Data { get; init; } = PaperData.Cifar10;

    /// <summary>Where the table counts accuracy after each of so many steps instead of perturbations; null where it does not.</summary>
    public int? Steps { get; init; }
}
