using System.Globalization;
using Brink.Attacks;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Benchmarks;

/// <summary>Compares the adaptive radius with the fixed radii M, M/2, M/4 and so on to M/64, where M is the median distance found with steps of unlimited length.</summary>
/// <remarks>The goal: a mean perturbation at most 3 % above that of the best fixed radius, with at most half its gradients.</remarks>
internal static class RadiusSweep
{
    // Longer than any distance in pixels from 0 to 1.
    private const double Unlimited = 1e6;

    public static void Run(Subject subject)
    {
        foreach (var norm in new[] { Norm.L2, Norm.LInf })
        {
            var median = Attack(subject, norm, RadiusPolicy.Fixed(Unlimited)).Median;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{subject.Model.Name}, {norm}: M = {median:G4}"));
            Print("adaptive", Attack(subject, norm, new()));
            for (var part = 1; part <= 64; part *= 2)
            {
                Print($"M/{part}", Attack(subject, norm, RadiusPolicy.Fixed(median / part)));
            }
        }
    }

    private static Row Attack(Subject subject, Norm norm, RadiusPolicy radius)
    {
        using var result = new AttackEvaluation(subject.Opened, new TrustRegionAttack(TrustRegionOptions.Paper(norm) with { Radius = radius })).Run(subject.Images);
        var attacked = result.Images.Where(image => image.Outcome.Attacked).ToArray();
        var fooled = attacked.Where(image => image.Outcome.Fooled).ToArray();
        var relative = Distribution.Of(fooled.Select(image => image.Outcome.Relative));
        return new(
            Distribution.Of(fooled.Select(image => norm == Norm.L2 ? image.Outcome.L2 : image.Outcome.LInf)).Median!.Value,
            relative.Mean!.Value,
            relative.Worst!.Value,
            attacked.Average(image => image.Outcome.Forwards),
            attacked.Average(image => image.Outcome.Backwards),
            attacked.Length - fooled.Length);
    }

    private static void Print(string name, Row row) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {name,-10} mean {row.Mean * 100:F4} %  worst {row.Worst * 100:F3} %  {row.Forwards:F1} F  {row.Backwards:F1} B  {row.NotFooled} not fooled"));

    private sealed record Row(double Median, double Mean, double Worst, double Forwards, double Backwards, int NotFooled);
}
