namespace Brink.Evaluation.Results;

/// <summary>The local optimality (LO) of attacks: how close their lengths come to the smallest ones that are known, from 0 to 1.</summary>
/// <remarks>
/// Cinà et al. (2024), "AttackBench: Evaluating Gradient-based Attacks for Adversarial Examples" (arXiv:2404.19460). Of image i, a*_i is the
/// smallest known length and d_i that of the attack, infinite if the attack did not fool it; ε₀ is the largest a*_i. Then
/// LO = Σ_i (ε₀ − min(d_i, ε₀)) / Σ_i (ε₀ − a*_i): the ratio of the areas above the curves ρ(ε), the share of the images that are still
/// classified correctly under perturbations up to ε, between 0 and ε₀. An image whose a*_i is infinite has no such area and is left out.
/// </remarks>
internal sealed class LocalOptimality
{
    private readonly double[] _smallest;

    /// <summary>Creates the measure from the smallest known lengths.</summary>
    /// <param name="smallest">The smallest known length of each attacked image, infinite if no attack fooled it.</param>
    public LocalOptimality(IEnumerable<double> smallest)
    {
        _smallest = [.. smallest];
        var fooled = _smallest.Where(double.IsFinite).ToArray();
        Images = fooled.Length;
        Largest = fooled.Length == 0 ? null : fooled.Max();
    }

    /// <summary>The number of images that an attack fooled, over which the sums are taken.</summary>
    public int Images { get; }

    /// <summary>The number of images that no attack fooled, which are left out.</summary>
    public int LeftOut => _smallest.Length - Images;

    /// <summary>The largest of the smallest lengths, ε₀, or null if no image was fooled.</summary>
    public double? Largest { get; }

    /// <summary>Computes the local optimality of an attack.</summary>
    /// <param name="lengths">The length that the attack found for each image, in the order of the smallest lengths: infinite if it did not fool the image, and null if it was not run on it, so that neither sum includes the image.</param>
    /// <returns>A number from 0 to 1, or null if all smallest lengths are equal, so that no area is left to compare.</returns>
    public double? Of(IEnumerable<double?> lengths)
    {
        var (reached, possible) = (0.0, 0.0);
        foreach (var (smallest, found) in _smallest.Zip(lengths))
        {
            if (double.IsFinite(smallest) && found is { } length)
            {
                reached += Largest!.Value - Math.Min(length, Largest.Value);
                possible += Largest.Value - smallest;
            }
        }

        return possible > 0 && double.IsFinite(possible) ? reached / possible : null;
    }
}

/// <summary>An attack of an envelope file: the lengths that another program, or an earlier comparison, found for each image.</summary>
/// <param name="Attack">The name of the attack.</param>
/// <param name="File">The file, as given by the user.</param>
/// <param name="Forwards">The mean number of forward passes for an image.</param>
/// <param name="Backwards">The mean number of backward passes for an image.</param>
/// <param name="Lengths">The length by the index of the image in the data set, infinite if the image was not fooled.</param>
internal sealed record FiledAttack(string Attack, string File, double Forwards, double Backwards, IReadOnlyDictionary<long, double> Lengths)
{
    /// <summary>Returns the length for an image, or null if the file does not have the image.</summary>
    /// <param name="index">The index of the image in the data set.</param>
    public double? Length(long index) => Lengths.TryGetValue(index, out var length) ? length : null;
}

/// <summary>The reference of the local optimality in a comparison: the smallest lengths over its attacks and those of envelope files.</summary>
/// <param name="Images">The number of images that an attack fooled.</param>
/// <param name="LeftOut">The number of attacked images that no attack fooled, and which are left out.</param>
/// <param name="Largest">The largest of the smallest lengths, ε₀, or null if no image was fooled.</param>
/// <param name="Files">The attacks of envelope files.</param>
internal sealed record Envelope(int Images, int LeftOut, double? Largest, IReadOnlyList<EnvelopeRow> Files);

/// <summary>An attack of an envelope file in a comparison.</summary>
/// <param name="Attack">The name of the attack.</param>
/// <param name="File">The file, as given by the user.</param>
/// <param name="Images">The number of images of <see cref="Envelope.Images"/> that the file has.</param>
/// <param name="ForwardsPerImage">The mean number of forward passes, as the file states it.</param>
/// <param name="BackwardsPerImage">The mean number of backward passes, as the file states it.</param>
/// <param name="LocalOptimality">The local optimality over the images that the file has, or null without a value.</param>
internal sealed record EnvelopeRow(string Attack, string File, int Images, double ForwardsPerImage, double BackwardsPerImage, double? LocalOptimality);
