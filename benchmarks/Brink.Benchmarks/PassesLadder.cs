using System.Globalization;
using Brink.Attacks;
using Brink.Attacks.DeepFool;
using Brink.Attacks.TrustRegion;
using Brink.Evaluation.Results;
using Brink.Evaluation.Running;
using Brink.Norms;

namespace Brink.Benchmarks;

/// <summary>How near the attacks get for how many passes: the trust-region attack with 0, 5, 10, 20 and 40 steps along the boundary, the paper's method, and DeepFool.</summary>
internal static class PassesLadder
{
    public static void Run(Subject subject)
    {
        foreach (var norm in new[] { Norm.L2, Norm.LInf })
        {
            Console.WriteLine($"{subject.Model.Name}, {norm}");
            Print(subject, "deepfool", new DeepFoolAttack(new() { Norm = norm }));
            Print(subject, "paper", new TrustRegionAttack(TrustRegionOptions.Paper(norm)));
            foreach (var steps in new[] { 0, 5, 10, 20, 40 })
            {
                Print(subject, $"refine {steps}", new TrustRegionAttack(new() { Norm = norm, Refine = steps }));
            }
        }
    }

    private static void Print(Subject subject, string name, IAttack attack)
    {
        using var result = new AttackEvaluation(subject.Opened, attack).Run(subject.Images);
        var attacked = result.Images.Where(image => image.Attack.Attacked).ToArray();
        var fooled = attacked.Where(image => image.Attack.Fooled).ToArray();
        var relative = Distribution.Of(fooled.Select(image => image.RelativeNormalized));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-10} mean {relative.Mean * 100:F4} %  worst {relative.Worst * 100:F3} %  {attacked.Average(image => image.Attack.Forwards):F1} F  {attacked.Average(image => image.Attack.Backwards):F1} B  {attacked.Length - fooled.Length} not fooled"));
    }
}
