namespace Brink.Cli.Reproduce;

/// <summary>The tables of Yao, Gholami, Xu, Keutzer, Mahoney: <i>Trust Region Based Adversarial Attack on Neural Networks</i>, CVPR 2019, as printed.</summary>
internal static class PaperTables
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<PaperTable> All { get; } = [Cifar10Tables.Best, Cifar10Tables.Hardest, ImageNetTables.Best, ImageNetTables.Hardest, Table5.Whole];

    /// <summary>The table of that name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static PaperTable Named(string name) => All.FirstOrDefault(table => table.Name == name)
        ?? throw new BadInputException($"There is no table named '{name}' to reproduce; choose {string.Join(", ", All.Select(table => table.Name))} or {Figure4.Name}.");
}
