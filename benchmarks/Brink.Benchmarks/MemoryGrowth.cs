using System.Globalization;
using Brink.Attacks;
using Brink.Testing;

namespace Brink.Benchmarks;

/// <summary>The resident memory of an attack that never ends, after 100 and after 2,000 iterations. The aim: less than 2 % growth.</summary>
internal static class MemoryGrowth
{
    public static void Run(Subject subject)
    {
        var (images, labels) = subject.CorrectBatch(8);

        // The runtime goes on compiling hot methods for hundreds of iterations; that growth is not the attack's.
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

    // A radius so small that no image gets anywhere keeps every image active.
    private static TrustRegionAttack Endless(int iterations) => new(new() { Radius = RadiusPolicy.Fixed(1e-9), MaxIterations = iterations });

    private sealed class Callback(Action<AttackProgress> call) : IProgress<AttackProgress>
    {
        public void Report(AttackProgress value) => call(value);
    }
}
