namespace Brink.Cli.Reproduce;

/// <summary>How long the attacks took on one network. Times are in seconds an image.</summary>
internal sealed record TimedNetwork
{
    /// <summary>What the paper calls the network.</summary>
    public required string Network { get; init; }

    /// <summary>What the paper says of it; null where it says nothing.</summary>
    public required string? Claim { get; init; }

    /// <summary>Its weights: a file's name, or <c>random</c>.</summary>
    public required string Weights { get; init; }

    /// <summary>Images attacked.</summary>
    public required int Attacked { get; init; }

    /// <summary>Images that the whole attack fooled.</summary>
    public required int Fooled { get; init; }

    /// <summary>The whole trust-region attack, its choice of a class included.</summary>
    public required double AttackSeconds { get; init; }

    /// <summary>How many steps it took, mean over the images attacked.</summary>
    public required double AttackSteps { get; init; }

    /// <summary>One trust-region step.</summary>
    public required double TrustRegionStepSeconds { get; init; }

    /// <summary>One step of Carlini–Wagner.</summary>
    public required double CarliniWagnerStepSeconds { get; init; }

    /// <summary>How many steps of Carlini–Wagner take as long as the whole trust-region attack.</summary>
    public double AttackInCarliniWagnerSteps => AttackSeconds / CarliniWagnerStepSeconds;
}
