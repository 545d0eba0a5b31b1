using System.Globalization;
using Brink.Attacks;
using Brink.Testing;

namespace Brink.Benchmarks;

/// <summary>Measures the resident memory after 100, 500, 1,000, 1,500 and 2,000 iterations of an attack that does not succeed.</summary>
/// <remarks>The goal: a growth of less than 2 %.</remarks>
internal static class MemoryGrowth
{
    public static void Run(Subject subject)
    {
        var (images, labels) = subject.CorrectBatch(8);

        // The runtime compiles hot methods during the first hundreds of iterations, which would count as growth.
        Endless(500).Run(subject.Classifier, images, labels).Dispose();

        long reference = 0;
        var progress = new Callback(report =>
        {
            if (report.Iteration is 100 or 500 or 1000 or 1500 or 2000)
            {
                var resident = ResidentMemory.Measure();
                reference = report.Iteration == 100 ? resident : reference;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"iteration {report.Iteration,5}: {resident / 1e6:F1} MB, {((double)resident / reference) - 1:P2} above iteration 100"));
            }
        });
        using var result = Endless(2000).Run(subject.Classifier, images, labels, progress: progress);
    }

    // With so small a radius no image reaches the boundary, and every image stays active.
    private static TrustRegionAttack Endless(int iterations) => new(new() { Radius = RadiusPolicy.Fixed(1e-9), MaxIterations = iterations });

    private sealed class Callback(Action<AttackProgress> call) : IProgress<AttackProgress>
    {
        public void Report(AttackProgress value) => call(value);
    }
}
