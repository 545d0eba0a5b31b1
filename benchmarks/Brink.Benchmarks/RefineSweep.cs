using System.Globalization;
using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;

namespace Brink.Benchmarks;

/// <summary>Compares the mean perturbation and the number of passes of several attacks, as a table and a figure for each norm.</summary>
/// <remarks>
/// The trust-region attack with 0, 5, 10, 20 and 40 steps of the boundary walk, the paper's method, DeepFool, and Carlini–Wagner in L2 or
/// iterative FGSM in L∞.
/// </remarks>
internal static class RefineSweep
{
    /// <summary>The number of attacked images: few, because Carlini–Wagner takes thousands of passes per image.</summary>
    private const int AttackedImages = 50;

    public static void Run(Subject subject)
    {
        var images = CorrectImages.Until(subject.Opened, subject.Images, AttackedImages);
        foreach (var norm in new[] { Norm.L2, Norm.LInf })
        {
            var name = norm == Norm.LInf ? "L∞" : "L2";
            var figure = new PassesAgainstPerturbation($"{subject.Model.Name}, {name}, {AttackedImages} images, in normalised units");
            Console.WriteLine($"{subject.Model.Name}, {norm}");
            foreach (var steps in new[] { 0, 5, 10, 20, 40 })
            {
                Add(steps == 0 ? "tr, no walk" : $"tr, walk of {steps}", new TrustRegionAttack(new() { Norm = norm, Refinement = steps == 0 ? null : new() { Steps = steps } }), onLine: true);
            }

            Add("the paper's method", new TrustRegionAttack(TrustRegionOptions.Paper(norm)));
            Add("DeepFool", new DeepFoolAttack(new() { Norm = norm }));
            Add(norm == Norm.L2 ? "CW, 9 × 1,000" : "I-FGSM, 40 steps", norm == Norm.L2 ? new CarliniWagnerAttack() : (FastGradientOptions.Iterative with { Norm = norm, MaxIterations = 40 }).CreateAttack());
            var file = $"passes-{subject.Model.Name}-{norm}.svg";
            File.WriteAllText(file, figure.ToSvg());
            Console.WriteLine($"  figure in {file}");

            void Add(string title, IAttack attack, bool onLine = false)
            {
                var (mean, passes) = Print(subject, images, title, attack);
                figure.Add(title, passes, mean, onLine);
            }
        }
    }

    private static (double Mean, double Passes) Print(Subject subject, ImageSet images, string name, IAttack attack)
    {
        using var result = new AttackEvaluation(subject.Opened, attack).Run(images);
        var attacked = result.Images.Where(image => image.Outcome.Attacked).ToArray();
        var fooled = attacked.Where(image => image.Outcome.Fooled).ToArray();
        var relative = Distribution.Of(fooled.Select(image => image.RelativeNormalized));
        var (forwards, backwards) = (attacked.Average(image => image.Outcome.Forwards), attacked.Average(image => image.Outcome.Backwards));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-18} mean {relative.Mean * 100:F4} %  worst {relative.Worst * 100:F3} %  {forwards:F1} F  {backwards:F1} B  {attacked.Length - fooled.Length} not fooled"));
        return (relative.Mean ?? double.NaN, forwards + backwards);
    }
}
