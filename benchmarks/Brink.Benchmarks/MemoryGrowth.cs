using System.Diagnostics;
using System.Globalization;
using Brink.Attacks;
using Brink.Attacks.TrustRegion;
using Brink.Optimization.TrustRegion;

namespace Brink.Benchmarks;

/// <summary>The resident memory of an attack that never ends, after 100 and after 2,000 iterations. The aim: less than 2 % growth.</summary>
internal static class MemoryGrowth
{
    public static void Run(Subject subject)
    {
        var (images, labels) = subject.CorrectBatch(8);
        long atStart = 0;
        var progress = new Callback(report =>
        {
            if (report.Iteration is 100 or 500 or 1000 or 1500 or 2000)
            {
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                using var process = Process.GetCurrentProcess();
                var resident = process.WorkingSet64;
                atStart = report.Iteration == 100 ? resident : atStart;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"iteration {report.Iteration,5}: {resident / 1e6:F1} MB, {((double)resident / atStart) - 1:P2} above iteration 100"));
            }
        });
        // A radius so small that no image gets anywhere keeps every image active.
        using var result = new TrustRegionAttack(new() { Radius = RadiusPolicy.Fixed(1e-9), MaxIterations = 2000 }).Run(subject.Classifier, images, labels, progress);
    }

    private sealed class Callback(Action<AttackProgress> call) : IProgress<AttackProgress>
    {
        public void Report(AttackProgress value) => call(value);
    }
}
