using Brink.Evaluation.Results;

namespace Brink.Evaluation.Tests.Results;

/// <summary>The measure of Cinà et al. (2024): LO = Σ (ε₀ − min(d, ε₀)) / Σ (ε₀ − a*), over the images that an attack fooled.</summary>
public sealed class LocalOptimalityTests
{
    private const double NotFooled = double.PositiveInfinity;
    private const double Rounding = 1e-12;

    [Fact]
    public void Three_images_by_hand()
    {
        // a* = 1, 2, 4 and ε₀ = 4, so the sum below the line is 3 + 2 + 0 = 5.
        var optimality = new LocalOptimality([1, 2, 4]);
        Assert.Equal((3, 0, 4), (optimality.Images, optimality.LeftOut, optimality.Largest));
        Assert.Equal((2 + 2 + 0) / 5.0, Of(optimality, [2, 2, 5])); // a length above ε₀ counts as ε₀
        Assert.Equal((0 + 1 + 0) / 5.0, Of(optimality, [NotFooled, 3, 4]));
    }

    [Fact]
    public void The_attack_that_is_nearest_everywhere_has_1_and_one_that_fools_nothing_has_0()
    {
        double[] smallest = [0.3, 0.1, 0.7, 0.2, 1.0 / 3];
        Assert.Equal(1, Of(new(smallest), smallest));
        Assert.Equal(0, Of(new(smallest), [.. smallest.Select(_ => NotFooled)]));
    }

    [Fact]
    public void An_image_that_no_attack_fooled_is_left_out()
    {
        var optimality = new LocalOptimality([1, NotFooled, 2, 4]);
        Assert.Equal((3, 1, 4), (optimality.Images, optimality.LeftOut, optimality.Largest));
        Assert.Equal(Of(new([1, 2, 4]), [2, 2, 5]), Of(optimality, [2, NotFooled, 2, 5]));
    }

    [Fact]
    public void An_image_without_a_length_is_in_neither_sum() =>
        // Of the images with 1 and 4: (4 − 2) / (4 − 1).
        Assert.Equal(2 / 3.0, new LocalOptimality([1, 2, 4]).Of([2, null, 4]));

    [Fact]
    public void Without_an_area_to_compare_there_is_no_value()
    {
        Assert.Null(Of(new([0.5, 0.5]), [0.5, 0.6])); // ε₀ = a* of every image
        Assert.Null(Of(new([0.5]), [0.5]));
        Assert.Null(Of(new([NotFooled, NotFooled]), [NotFooled, NotFooled]));
        Assert.Null(Of(new([]), []));
        Assert.Null(new LocalOptimality([NotFooled]).Largest);
        Assert.Null(new LocalOptimality([1, 2]).Of([null, 3])); // only the image whose length is ε₀
    }

    [Fact]
    public void It_is_the_ratio_of_the_areas_above_the_curves()
    {
        Assert.All(Examples(), attacks =>
        {
            var smallest = Smallest(attacks);
            var counted = Enumerable.Range(0, smallest.Length).Where(image => double.IsFinite(smallest[image])).ToArray();
            double[] Counted(double[] lengths) => [.. counted.Select(image => lengths[image])];
            var largest = Counted(smallest).Max();
            Assert.All(attacks, attack => Assert.Equal(AreaAbove(Counted(attack), largest) / AreaAbove(Counted(smallest), largest), Of(new(smallest), attack)!.Value, Rounding));
        });
    }

    [Fact]
    public void It_is_between_0_and_1_and_depends_neither_on_the_order_of_images_nor_on_that_of_attacks() =>
        Assert.All(Examples(), attacks =>
        {
            var optimality = new LocalOptimality(Smallest(attacks));
            var reversed = new LocalOptimality(Smallest([.. attacks.Reverse()]).Reverse());
            Assert.All(attacks, attack =>
            {
                var value = Of(optimality, attack)!.Value;
                Assert.InRange(value, 0, 1);
                Assert.Equal(value, Of(reversed, [.. attack.Reverse()])!.Value, Rounding);
            });
        });

    [Fact]
    public void It_does_not_depend_on_the_unit_of_lengths() =>
        Assert.All(Examples(), attacks => Assert.All(attacks, attack =>
            Assert.Equal(Of(new(Smallest(attacks)), attack)!.Value, Of(new(Smallest(attacks).Select(length => 255 * length)), [.. attack.Select(length => 255 * length)])!.Value, Rounding)));

    [Fact]
    public void A_further_attack_raises_no_other_one_while_the_largest_length_and_the_images_stay()
    {
        var compared = 0;
        foreach (var attacks in Examples())
        {
            var (without, with) = (Smallest(attacks[1..]), Smallest(attacks));
            if (new LocalOptimality(without).Largest == new LocalOptimality(with).Largest && new LocalOptimality(without).Images == new LocalOptimality(with).Images)
            {
                compared++;
                Assert.All(attacks[1..], attack => Assert.True(Of(new(with), attack) <= Of(new(without), attack) + Rounding));
            }
        }

        Assert.True(compared > 10);
    }

    /// <summary>A limitation of the measure: comparisons with other attacks have other values, lower or higher.</summary>
    [Fact]
    public void A_further_attack_that_lowers_the_largest_length_may_raise_another_one()
    {
        double[] attack = [1, 10, 9], nearer = [1, 4, 9], further = [NotFooled, NotFooled, 5];
        Assert.Equal(8 / 13.0, Of(new(Smallest([attack, nearer])), attack)); // ε₀ = 9
        Assert.Equal(4 / 5.0, Of(new(Smallest([attack, nearer, further])), attack)); // ε₀ = 5
    }

    private static double? Of(LocalOptimality optimality, double[] lengths) => optimality.Of(lengths.Select(length => (double?)length));

    private static double[] Smallest(double[][] attacks) => [.. Enumerable.Range(0, attacks[0].Length).Select(image => attacks.Min(attack => attack[image]))];

    /// <summary>Integrates 1 − ρ from 0 to an end, piece by piece: ρ(ε), the share of the lengths above ε, is constant between two lengths.</summary>
    private static double AreaAbove(double[] lengths, double end)
    {
        var steps = lengths.Where(length => length < end).Append(0).Append(end).Distinct().Order().ToArray();
        return steps.Zip(steps.Skip(1), (from, to) => (to - from) * (1 - ((double)lengths.Count(length => length > from) / lengths.Length))).Sum();
    }

    /// <summary>Lengths of four attacks on 30 images, a part of which each attack does not fool.</summary>
    private static IEnumerable<double[][]> Examples()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            yield return [.. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, 30).Select(_ => random.Next(4) == 0 ? NotFooled : 0.01 + random.NextDouble()).ToArray())];
        }
    }
}
