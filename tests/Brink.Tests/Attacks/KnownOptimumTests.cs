using Brink.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Attacks;

/// <summary>Tests on classifiers whose smallest perturbation is known in closed form: an attack must find it to a few per cent.</summary>
[Trait("speed", "slow")]
public sealed class KnownOptimumTests
{
    // Wide enough for all perturbations. The length of Carlini–Wagner's steps is relative to this width.
    private static readonly Bounds Wide = new(-3, 3);

    public static TheoryData<string, string, int, string> Cases()
    {
        var cases = new TheoryData<string, string, int, string>();
        foreach (var (attack, norm) in new[] { ("tr", "l2"), ("tr", "linf"), ("deepfool", "l2"), ("deepfool", "linf"), ("tr2", "l2"), ("fgsm", "linf"), ("cw", "l2") })
        {
            foreach (var batch in new[] { 1, 3, 8 })
            {
                foreach (var shape in new[] { "24", "4,6", "2,3,4" })
                {
                    // One shape is enough for an attack with thousands of steps.
                    if (attack != "cw" || shape == "2,3,4")
                    {
                        cases.Add(attack, norm, batch, shape);
                    }
                }
            }
        }

        return cases;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Half_space(string attack, string normName, int batch, string shape)
    {
        var norm = ByName(normName);
        var classifier = Linear.HalfSpace(24, seed: 5, Wide);
        var rows = Rows(batch, -1, 1, row => classifier.ClassOf(row) == 0);
        AssertWithinTolerance(attack, classifier, norm, shape, rows, row => classifier.DistanceToFace(row, 0, 1, norm));
    }

    [Theory, MemberData(nameof(Cases))]
    public void Several_half_spaces(string attack, string normName, int batch, string shape)
    {
        var norm = ByName(normName);
        var classifier = Linear.Classes(5, 24, seed: 6, Wide);
        var rows = Rows(batch, -1, 1, _ => true);
        AssertWithinTolerance(attack, classifier, norm, shape, rows, row =>
        {
            var label = classifier.ClassOf(row);
            return Enumerable.Range(0, 5).Where(other => other != label).Min(other => classifier.DistanceToFace(row, label, other, norm));
        });
    }

    [Theory, MemberData(nameof(Cases))]
    public void Half_space_in_a_box_that_binds(string attack, string normName, int batch, string shape)
    {
        var norm = ByName(normName);
        var classifier = Linear.HalfSpace(24, seed: 7, Bounds.Pixels);
        var rows = Rows(batch, 0, 1, row => classifier.ClassOf(row) == 0 && Exact(row) > 1.05 * classifier.DistanceToFace(row, 0, 1, norm));
        AssertWithinTolerance(attack, classifier, norm, shape, rows, Exact);

        double Exact(double[] row) => classifier.DistanceToFaceInBox(row, 0, 1, norm, 0, 1);
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_given_class_is_reached_and_no_other_class_counts(string normName)
    {
        using var scope = NewDisposeScope();
        var classifier = Linear.Classes(5, 24, seed: 8);
        var rows = Rows(8, -1, 1, row => classifier.ClassOf(row) != 3);
        var attack = new TrustRegionAttack(new() { Norm = ByName(normName) });
        using var result = attack.Run(classifier, Images(rows, "24"), Labels(classifier, rows), Criterion.TargetClass(3));
        Assert.All(result.Outcomes, image => Assert.True(image is { Fooled: true, PredictionAfter: 3, Target: 3 }));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_boundary_outside_the_box_is_never_reached_and_ends_with_zero_gradient(string normName)
    {
        using var scope = NewDisposeScope();
        // Class 1 begins where the sum of the 24 entries, each at most 1, is 25.
        var classifier = new Linear([new double[24], [.. Enumerable.Repeat(1.0, 24)]], [0, -25], Bounds.Pixels);
        var rows = Rows(3, 0, 1, _ => true);
        using var result = new TrustRegionAttack(new() { Norm = ByName(normName), Refinement = new() }).Run(classifier, Images(rows, "24"), Labels(classifier, rows));
        Assert.All(result.Outcomes, image => Assert.Equal(AttackExit.ZeroGradient, image.Exit));
        Assert.All(result.Outcomes, image => Assert.Equal(0, image.L2));
        // With an effort, the attack searches until the effort is spent.
        using var searched = new TrustRegionAttack(new() { Norm = ByName(normName), Refinement = new() { Effort = 60 } }).Run(classifier, Images(rows, "24"), Labels(classifier, rows));
        Assert.All(searched.Outcomes, image => Assert.False(image.Fooled));
    }

    [Theory]
    [InlineData("l2")]
    [InlineData("linf")]
    public void A_search_finds_another_class_where_that_with_the_largest_logit_is_outside_the_box(string normName)
    {
        using var scope = NewDisposeScope();
        // Class 1 has the larger logit of the others at all images, and is outside the box. Class 2 begins where the first entry is 0.05.
        double[] first = [.. Enumerable.Range(0, 24).Select(entry => entry == 0 ? -300.0 : 0)];
        var classifier = new Linear([new double[24], [.. Enumerable.Repeat(1.0, 24)], first], [0, -25, 15], Bounds.Pixels);
        var rows = Rows(4, 0.4, 0.9, _ => true);
        using var result = new TrustRegionAttack(new() { Norm = ByName(normName), Refinement = new() { Effort = 60 } }).Run(classifier, Images(rows, "24"), Labels(classifier, rows));
        Assert.All(result.Outcomes.Zip(rows), pair => Assert.InRange(normName == "l2" ? pair.First.L2 : pair.First.LInf, pair.Second[0] - 0.05, (pair.Second[0] - 0.05) * 1.01));
        Assert.All(result.Outcomes, image => Assert.True(image.Fooled));
    }

    private static void AssertWithinTolerance(string attack, Linear classifier, Norm norm, string shape, double[][] rows, Func<double[], double> exact)
    {
        using var scope = NewDisposeScope();
        using var result = ByName(attack, norm).Run(classifier, Images(rows, shape), Labels(classifier, rows));
        for (var row = 0; row < rows.Length; row++)
        {
            var image = result.Outcomes[row];
            var optimum = exact(rows[row]);
            Assert.True(image.Fooled, image.Exit.Describe());
            Assert.InRange(norm == Norm.L2 ? image.L2 : image.LInf, optimum * (1 - 1e-9), optimum * Tolerance(attack));
        }
    }

    private static IAttack ByName(string name, Norm norm) => name switch
    {
        "tr" => new TrustRegionAttack(TrustRegionOptions.Paper(norm)),
        "tr2" => new TrustRegionAttack(TrustRegionOptions.SecondOrder with { Norm = norm }),
        "deepfool" => new DeepFoolAttack(new() { Norm = norm, ExtraLength = 1e-6 }), // the default of 0.0001 is 0.5 % of the smallest distances here
        "fgsm" => (FastGradientOptions.Single with { Norm = norm, Target = TargetSelection.Best, Objective = Objective.Gap, Tolerance = 1e-7 }).CreateAttack(),
        _ => new CarliniWagnerAttack(new() { MaxIterations = 300 }),
    };

    private static double Tolerance(string attack) => attack switch
    {
        "fgsm" => 1 + 1e-6,
        "cw" => 1.03,
        _ => 1.025,
    };

    private static Norm ByName(string name) => name == "l2" ? Norm.L2 : Norm.LInf;

    private static double[][] Rows(int count, double lower, double upper, Func<double[], bool> accept)
    {
        var random = new Random(9);
        var rows = new List<double[]>();
        for (var tries = 0; rows.Count < count; tries++)
        {
            Assert.True(tries < 10_000, "no suitable image was found");
            var row = Enumerable.Range(0, 24).Select(_ => lower + ((upper - lower) * random.NextDouble())).ToArray();
            if (accept(row))
            {
                rows.Add(row);
            }
        }

        return [.. rows];
    }

    private static Tensor Images(double[][] rows, string shape) =>
        tensor(rows.SelectMany(row => row).ToArray()).reshape([rows.Length, .. shape.Split(',').Select(length => long.Parse(length, System.Globalization.CultureInfo.InvariantCulture))]);

    private static Tensor Labels(Linear classifier, double[][] rows) => tensor(rows.Select(row => (long)classifier.ClassOf(row)).ToArray());
}
