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
        var classifier = network.AsClassifier();

        // The runtime goes on compiling hot methods for hundreds of iterations; that growth is not the attack's.
        Endless(1000).Run(classifier, images, labels).Dispose();

        var resident = new Dictionary<int, long>();
        var progress = new Callback(report =>
        {
            if (report.Iteration is 100 or 2000)
            {
                resident[report.Iteration] = ResidentAfterCollection();
            }
        });
        using var result = Endless(2000).Run(classifier, images, labels, progress);
        Assert.All(result.Images, image => Assert.Equal(2000, image.Iterations));
        Assert.InRange((double)resident[2000] / resident[100], 0, 1.02);
    }

    // A radius so small that no image gets anywhere keeps every image active: one graph kept a step would be 128 KB and more.
    private static TrustRegionAttack Endless(int iterations) => new(new() { Radius = RadiusPolicy.Fixed(1e-12), MaxIterations = iterations });

    private static long ResidentAfterCollection()
    {
        // Twice: what has a finalizer, such as TorchSharp's scalars, is freed by the second collection.
        for (var round = 0; round < 2; round++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed class Callback(Action<AttackProgress> call) : IProgress<AttackProgress>
    {
        public void Report(AttackProgress value) => call(value);
    }
}
