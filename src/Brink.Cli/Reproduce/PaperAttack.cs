using Brink.Evaluation.Catalog;

namespace Brink.Cli.Reproduce;

/// <summary>An attack of a table, with every option pinned: a changed default never changes the table.</summary>
internal sealed record PaperAttack
{
    /// <summary>The name that the command line and folders use.</summary>
    public required string Key { get; init; }

    /// <summary>The name in the table.</summary>
    public required string Name { get; init; }

    /// <summary>The attack as <see cref="AttackCatalog"/> makes it.</summary>
    public required string Specification { get; init; }

    /// <summary>The paper's column beside it; null where the paper has none.</summary>
    public string? Column { get; init; }

    /// <summary>The attack runs on the images up to this many correct ones; null for all.</summary>
    public int? CorrectImages { get; init; }

    /// <summary>What a reader of its row must know, if anything.</summary>
    public string? Remark { get; init; }
}
