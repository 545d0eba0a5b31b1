using System.Globalization;
using Brink.Attacks;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;

namespace Brink.Benchmarks;

/// <summary>Compares the trust-region attack of first order with that of second order with at most 1, 2 and 5 Lanczos vectors, for several radii: perturbations, passes and time.</summary>
/// <remarks>For networks with smooth activations.</remarks>
internal static class CurvatureSweep
{
    public static void Run(Subject subject)
    {
        // A first run, so that loading and just-in-time compilation are not measured.
        Attack(subject, TrustRegionOptions.SecondOrder with { MaxIterations = 2 });
        foreach (var (start, smallest, largest) in new[] { (0.02, 0.01, 0.03), (0.05, 0.02, 0.07), (0.2, 0.1, 0.3), (0.5, 0.2, 1) })
        {
            var radius = new RadiusPolicy { Start = start, Smallest = smallest, Largest = largest };
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{subject.Model.Name}, radius {start} in [{smallest}, {largest}]"));
            Console.WriteLine("  first order     " + Attack(subject, TrustRegionOptions.Paper(Norm.L2) with { Radius = radius }));
            foreach (var vectors in new[] { 1, 2, 5 })
            {
                Console.WriteLine($"  up to {vectors} vectors " + Attack(subject, TrustRegionOptions.SecondOrder with { Radius = radius, Curvature = new() { MaxProducts = vectors } }));
            }
        }
    }

    private static string Attack(Subject subject, TrustRegionOptions options)
    {
        using var result = new AttackEvaluation(subject.Opened, new TrustRegionAttack(options)).Run(subject.Images);
        var attacked = result.Images.Select(image => image.Outcome).Where(image => image.Attacked).ToArray();
        var relative = Distribution.Of(attacked.Where(image => image.Fooled).Select(image => image.Relative));
        return string.Create(CultureInfo.InvariantCulture,
            $"mean {relative.Mean * 100:F4} %  worst {relative.Worst * 100:F3} %  {attacked.Average(image => image.Iterations):F1} steps  {attacked.Average(image => image.Forwards):F1} F  {attacked.Average(image => image.Backwards):F1} B  {attacked.Average(image => image.Products):F1} products  {result.Seconds:F2} s  {attacked.Count(image => !image.Fooled)} of {attacked.Length} not fooled");
    }
}
