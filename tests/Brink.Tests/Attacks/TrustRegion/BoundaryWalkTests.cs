using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks.TrustRegion;

/// <summary>Tests of the boundary walk on boundaries whose nearest point is known exactly.</summary>
public sealed class BoundaryWalkTests(ITestOutputHelper output)
{
    private const int Size = 24;
    private const int Count = 16;

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("l2")]
    [InlineData("linf")]
    [InlineData("l1")]
    public void Half_space_in_a_box_to_half_a_percent(string normName)
    {
        var norm = ByName(normName);
        var classifier = Linear.HalfSpace(Size, seed: 7, Bounds.Pixels);
        double Exact(double[] row) => classifier.DistanceToFaceInBox(row, 0, 1, norm, 0, 1);
        // Only images for which the box changes the nearest point. In L1 it always does.
        var rows = Rows(0, 1, row => classifier.ClassOf(row) == 0 && (norm == Norm.L1 ? Exact(row) > 0.5 : Exact(row) > 1.05 * classifier.DistanceToFace(row, 0, 1, norm)));
        AssertClose(classifier, norm, rows, 0, Exact, 1.005);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Nearest_of_several_half_spaces_to_half_a_percent_toward_the_best_class(string normName)
    {
        using var scope = NewDisposeScope();
        var norm = ByName(normName);
        var classifier = Linear.Classes(5, Size, seed: 6);
        var rows = Rows(-1, 1, _ => true);
        using var result = new TrustRegionAttack(new() { Norm = norm, Target = TargetSelection.Best }).Run(classifier, Images(rows), Labels(classifier, rows));
        for (var row = 0; row < Count; row++)
        {
            var label = classifier.ClassOf(rows[row]);
            var exact = Others(label).Min(other => classifier.DistanceToFace(rows[row], label, other, norm));
            Assert.InRange(Length(norm, result.Outcomes[row]), exact * (1 - 1e-9), exact * 1.005);
        }
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Face_of_the_final_class_to_half_a_percent_if_untargeted(string normName)
    {
        using var scope = NewDisposeScope();
        var norm = ByName(normName);
        var classifier = Linear.Classes(5, Size, seed: 6);
        var rows = Rows(-1, 1, _ => true);
        using var result = new TrustRegionAttack(new() { Norm = norm }).Run(classifier, Images(rows), Labels(classifier, rows));
        var nearest = 0;
        for (var row = 0; row < Count; row++)
        {
            var (label, image) = (classifier.ClassOf(rows[row]), result.Outcomes[row]);
            var face = classifier.DistanceToFace(rows[row], label, (int)image.PredictionAfter, norm);
            Assert.InRange(Length(norm, image), face * (1 - 1e-9), face * 1.005);
            nearest += face <= Others(label).Min(other => classifier.DistanceToFace(rows[row], label, other, norm)) ? 1 : 0;
        }

        output.WriteLine($"{nearest} of {Count} images end on the nearest face");
        Assert.InRange(nearest, Count / 2, Count);
    }

    [Theory]
    [InlineData("l2", 60, 1.03, 1.03)]
    [InlineData("l2", 90, 1.03, 1.03)]
    [InlineData("l2", 120, 1.03, 1.03)]
    [InlineData("linf", 120, 1.015, 1.04)]
    [InlineData("linf", 90, 1.015, 1.04)]
    [InlineData("linf", 60, 1.015, 1.04)]
    public void Intersection_of_two_half_spaces(string normName, int degrees, double mean, double worst)
    {
        using var scope = NewDisposeScope();
        var norm = ByName(normName);
        var normals = NormalsOfWedge(degrees);
        double[] offsets = [1, 1.2];
        var classifier = TwoClasses.Intersection(normals, offsets);
        var rows = Rows(-1, 1, row => Enumerable.Range(0, 2).Any(side => Dot(normals[side], row) < offsets[side] - 0.1));
        var exact = rows.Select(row => DistanceToIntersection(norm, normals, [.. offsets.Select((offset, side) => offset - Dot(normals[side], row))])).ToArray();
        using var result = Attack(norm).Run(classifier, Images(rows), zeros(Count, dtype: ScalarType.Int64));
        var ratios = result.Outcomes.Select((image, row) => Length(norm, image) / exact[row]).ToArray();
        output.WriteLine($"{normName}, {degrees}°: mean {ratios.Average():F4}, worst {ratios.Max():F4} of the exact distance");
        Assert.InRange(ratios.Average(), 1, mean);
        Assert.All(ratios, ratio => Assert.InRange(ratio, 1 - 1e-6, worst));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Sphere_around_the_image_off_centre_to_a_percent(string normName)
    {
        var norm = ByName(normName);
        const double radius = 4;
        var rows = Rows(-0.6, 0.6, row => Math.Sqrt(Dot(row, row)) < 0.6 * radius);
        AssertClose(TwoClasses.Ball(new double[Size], radius, inside: false), norm, rows, 0, Exact, 1.01);

        double Exact(double[] row) => norm == Norm.L2
            ? radius - Math.Sqrt(Dot(row, row))
            : Root(length => row.Sum(entry => Math.Pow(Math.Abs(entry) + length, 2)) - (radius * radius));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void Adversarial_ball_beside_the_image_to_a_percent(string normName)
    {
        var norm = ByName(normName);
        const double radius = 2;
        var rows = Rows(-1.5, 1.5, row => Math.Sqrt(Dot(row, row)) > 1.2 * radius);
        AssertClose(TwoClasses.Ball(new double[Size], radius, inside: true), norm, rows, 0, Exact, 1.01);

        double Exact(double[] row) => norm == Norm.L2
            ? Math.Sqrt(Dot(row, row)) - radius
            : Root(length => (radius * radius) - row.Sum(entry => Math.Pow(Math.Max(Math.Abs(entry) - length, 0), 2)));
    }

    [Theory]
    [InlineData("l2", "untargeted")]
    [InlineData("l2", "best")]
    [InlineData("linf", "untargeted")]
    [InlineData("linf", "hardest")]
    public void No_perturbation_is_longer_than_after_the_first_stage(string normName, string target)
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(64, seed: 3);
        var norm = ByName(normName);
        var options = new TrustRegionOptions { Norm = norm, Target = target switch { "untargeted" => TargetSelection.Untargeted, "best" => TargetSelection.Best, _ => TargetSelection.Hardest } };
        using var first = new TrustRegionAttack(options with { Refinement = null }).Run(network.AsClassifier(), images, labels);
        foreach (var steps in new[] { 1, 3, 18 })
        {
            using var refined = new TrustRegionAttack(options with { Refinement = new() { Steps = steps } }).Run(network.AsClassifier(), images, labels);
            Assert.All(first.Outcomes.Zip(refined.Outcomes), pair => Assert.True(pair.Second.Fooled && Length(norm, pair.Second) <= Length(norm, pair.First) * (1 + 1e-12)));
            Assert.Equal(first.Outcomes.Select(image => image.Iterations + steps), refined.Outcomes.Select(image => image.Iterations));
        }
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("flat")]
    public void The_result_of_the_first_stage_is_kept_if_the_function_becomes_flat_or_NaN(string kind)
    {
        using var scope = NewDisposeScope();
        var rows = Rows(-1, 1, row => row[0] < 0.5);
        // Class 1 begins where the first entry is 1. Just beyond it, where the walk continues, the logits are NaN or the gradient is zero.
        var classifier = new TwoClasses(images =>
        {
            var first = images.select(1, 0);
            return kind == "flat" ? (first - 1).clamp(-5, 0.01) : where(first.gt(1).logical_and(first.lt(1.005)), full_like(first, double.NaN), first - 1);
        });
        var options = new TrustRegionOptions { Overshoot = 0.2 };
        using var before = new TrustRegionAttack(options with { Refinement = null }).Run(classifier, Images(rows), zeros(Count, dtype: ScalarType.Int64));
        using var after = new TrustRegionAttack(options).Run(classifier, Images(rows), zeros(Count, dtype: ScalarType.Int64));
        Assert.All(before.Outcomes.Zip(after.Outcomes), pair =>
        {
            Assert.True(pair.First.Fooled && pair.Second.Fooled, pair.Second.Exit.Describe());
            Assert.InRange(pair.Second.L2, 0, pair.First.L2);
        });
    }

    [Theory]
    [Trait("speed", "slow")]
    [InlineData("hardest", "l2")]
    [InlineData("hardest", "linf")]
    [InlineData("untargeted", "l2")]
    public void The_result_is_the_nearest_adversarial_point_of_the_walk_whichever_its_class(string target, string normName)
    {
        using var scope = NewDisposeScope();
        using var network = new SmoothNetwork(12, 20, 5, seed: 1);
        var (images, labels) = network.Batch(24, seed: 3);
        var norm = ByName(normName);
        var attack = new TrustRegionAttack(new() { Norm = norm, Target = target == "untargeted" ? TargetSelection.Untargeted : TargetSelection.Hardest });
        for (var row = 0; row < 24; row++)
        {
            using var step = NewDisposeScope();
            var (image, label) = (images.narrow(0, row, 1), labels.narrow(0, row, 1));
            var recorded = new NearestRecorded(network.AsClassifier(), norm, image, label.item<long>());
            using var result = attack.Run(recorded, image, label);
            Assert.InRange(Length(norm, result.Outcomes[0]), 0, recorded.Length * (1 + 1e-9));
        }
    }

    private static TrustRegionAttack Attack(Norm norm) => new(new() { Norm = norm });

    private static void AssertClose(IClassifier classifier, Norm norm, double[][] rows, long label, Func<double[], double> exact, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var result = Attack(norm).Run(classifier, Images(rows), full(Count, label, dtype: ScalarType.Int64));
        for (var row = 0; row < rows.Length; row++)
        {
            Assert.True(result.Outcomes[row].Fooled, result.Outcomes[row].Exit.Describe());
            Assert.InRange(Length(norm, result.Outcomes[row]) / exact(rows[row]), 1 - 1e-9, tolerance);
        }
    }

    /// <summary>Draws two random normals whose half-spaces ⟨n, x⟩ ≥ c intersect in a wedge with the given angle.</summary>
    private static double[][] NormalsOfWedge(int degrees)
    {
        var random = new Random(degrees);
        double[] Unit(IEnumerable<double> values)
        {
            var list = values.ToArray();
            var length = Math.Sqrt(Dot(list, list));
            return [.. list.Select(entry => entry / length)];
        }

        var first = Unit(Enumerable.Range(0, Size).Select(_ => (random.NextDouble() * 2) - 1));
        var other = Enumerable.Range(0, Size).Select(_ => (random.NextDouble() * 2) - 1).ToArray();
        var across = Unit(other.Zip(first, (a, b) => a - (b * Dot(other, first))));
        var between = (180 - degrees) * Math.PI / 180;
        return [first, [.. first.Zip(across, (a, b) => (Math.Cos(between) * a) + (Math.Sin(between) * b))]];
    }

    /// <summary>Computes the smallest ‖s‖_p with ⟨n_i, s⟩ ≥ e_i for both i: by duality the maximum of the quasi-concave ⟨w, e⟩ / ‖Σ w_i n_i‖_q over w ≥ 0, w₁ + w₂ = 1.</summary>
    private static double DistanceToIntersection(Norm norm, double[][] normals, double[] shortfalls)
    {
        double Value(double share)
        {
            var mixed = normals[0].Zip(normals[1], (a, b) => ((1 - share) * a) + (share * b)).ToArray();
            return (((1 - share) * shortfalls[0]) + (share * shortfalls[1])) / (norm == Norm.L2 ? Math.Sqrt(Dot(mixed, mixed)) : mixed.Sum(Math.Abs));
        }

        var (low, high) = (0.0, 1.0);
        for (var third = 0; third < 200; third++)
        {
            var (left, right) = (low + ((high - low) / 3), high - ((high - low) / 3));
            (low, high) = Value(left) < Value(right) ? (left, high) : (low, right);
        }

        return Value((low + high) / 2);
    }

    /// <summary>Finds the positive root of an increasing function by bisection.</summary>
    private static double Root(Func<double, double> increasing)
    {
        var (low, high) = (0.0, 100.0);
        for (var halving = 0; halving < 200; halving++)
        {
            var middle = (low + high) / 2;
            (low, high) = increasing(middle) < 0 ? (middle, high) : (low, middle);
        }

        return high;
    }

    private static IEnumerable<int> Others(int label) => Enumerable.Range(0, 5).Where(other => other != label);

    private static double Length(Norm norm, Outcome image) => norm == Norm.L2 ? image.L2 : norm == Norm.L1 ? image.L1 : image.LInf;

    private static double Dot(double[] one, double[] other) => one.Zip(other, (a, b) => a * b).Sum();

    private static Norm ByName(string name) => Norm.Parse(name);

    private static double[][] Rows(double lower, double upper, Func<double[], bool> accept)
    {
        var random = new Random(9);
        var rows = new List<double[]>();
        for (var tries = 0; rows.Count < Count; tries++)
        {
            Assert.True(tries < 100_000, "no suitable image was found");
            var row = Enumerable.Range(0, Size).Select(_ => lower + ((upper - lower) * random.NextDouble())).ToArray();
            if (accept(row))
            {
                rows.Add(row);
            }
        }

        return [.. rows];
    }

    private static Tensor Images(double[][] rows) => tensor(rows.SelectMany(row => row).ToArray()).reshape(rows.Length, Size);

    private static Tensor Labels(Linear classifier, double[][] rows) => tensor(rows.Select(row => (long)classifier.ClassOf(row)).ToArray());

    /// <summary>A classifier that records the distance of the nearest point that is adversarial by more than rounding.</summary>
    private sealed class NearestRecorded(IClassifier inner, Norm norm, Tensor image, long label) : IClassifier
    {
        public double Length { get; private set; } = double.PositiveInfinity;

        public string Name => inner.Name;

        public int ClassCount => inner.ClassCount;

        public Bounds Bounds => inner.Bounds;

        public Tensor Logits(Tensor images)
        {
            var logits = inner.Logits(images);
            using var scope = NewDisposeScope();
            var values = logits.detach()[0];
            if ((values.max() - values[label]).item<double>() > 1e-4 * (values.max() - values.min()).item<double>())
            {
                Length = Math.Min(Length, norm.Of(images.detach() - image).item<double>());
            }

            return logits;
        }

        public IDisposable EnterEvaluation() => inner.EnterEvaluation();
    }
}
