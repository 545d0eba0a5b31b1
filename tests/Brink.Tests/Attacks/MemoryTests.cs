using System.Diagnostics;
using Brink.Attacks;
using Brink.Attacks.TrustRegion;
using Brink.Optimization.TrustRegion;

namespace Brink.Tests.Attacks;

[Collection(nameof(AloneCollection))]
public sealed class MemoryTests
{
    // Counting live tensors does not see what libtorch itself keeps, such as a graph that a gradient holds on to; resident memory does.
    [Fact]
    public void Two_thousand_iterations_take_no_more_memory_than_a_hundred()
    {
        using var scope = torch.NewDisposeScope();
        using var network = new SmoothNetwork(256, 64, 5, seed: 1);
        var (images, labels) = network.Batch(64, seed: 2);
        var resident = new Dictionary<int, long>();
        var progress = new Callback(report =>
        {
            if (report.Iteration is 100 or 2000)
            {
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                using var process = Process.GetCurrentProcess();
                resident[report.Iteration] = process.WorkingSet64;
            }
        });

        // A radius so small that no image gets anywhere keeps every image active: one graph kept a step would be 128 KB and more.
        using var result = new TrustRegionAttack(new() { Radius = RadiusPolicy.Fixed(1e-12), MaxIterations = 2000 }).Run(network.AsClassifier(), images, labels, progress);
        Assert.All(result.Images, image => Assert.Equal(2000, image.Iterations));
        Assert.InRange((double)resident[2000] / resident[100], 0, 1.02);
    }

    private sealed class Callback(Action<AttackProgress> call) : IProgress<AttackProgress>
    {
        public void Report(AttackProgress value) => call(value);
    }
}
