using Brink.Attacks;

namespace Brink.Tests.Attacks;

/// <summary>The collection of tests that measure the whole process and must not run in parallel with other tests.</summary>
[CollectionDefinition(nameof(ExclusiveCollection), DisableParallelization = true)]
public sealed class ExclusiveCollection;

[Collection(nameof(ExclusiveCollection))]
[Trait("speed", "slow")]
public sealed class MemoryTests
{
    // The number of live tensors does not include memory inside libtorch, such as a graph that a gradient keeps alive; resident memory does.
    [Fact]
    public void Two_thousand_iterations_take_no_more_memory_than_a_hundred()
    {
        using var scope = torch.NewDisposeScope();
        using var network = new SmoothNetwork(256, 64, 5, seed: 1);
        var (images, labels) = network.Batch(64, seed: 2);
        var classifier = network.AsClassifier();
        var threads = torch.get_num_threads();
        torch.set_num_threads(1);
        try
        {
            AssertNoGrowth(classifier, images, labels);
        }
        finally
        {
            torch.set_num_threads(threads);
        }
    }

    [Fact]
    public void A_thousand_Hessian_vector_products_take_no_more_memory_than_a_hundred()
    {
        using var scope = torch.NewDisposeScope();
        using var network = new SmoothNetwork(256, 64, 5, seed: 1);
        var (images, labels) = network.Batch(64, seed: 2);
        var classifier = network.AsClassifier();
        var rows = torch.arange(64);
        // Warm-up, as below. Then memory is measured after every tenth point, each with ten products in its graph.
        Products(50, _ => { });
        var (live, resident) = (new List<long>(), new List<long>());
        Products(100, _ =>
        {
            live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            resident.Add(ResidentMemory.Measure());
        });
        Assert.All(live, count => Assert.Equal(live[0], count));
        Assert.InRange((double)resident[^3..].Min() / resident[..3].Max(), 0, 1.02);

        void Products(int points, Action<int> atTenth)
        {
            for (var point = 0; point < points; point++)
            {
                using (torch.NewDisposeScope())
                {
                    using var pass = ForwardPass.At(classifier, images);
                    var vectors = pass.GradientsForProducts(CrossEntropy.Toward(pass.Logits, labels));
                    for (var product = 0; product < 10; product++)
                    {
                        vectors = HessianProducts.Exact(pass, [.. rows.data<long>().Select(row => (int)row)])(vectors);
                    }
                }

                if (point % 10 == 9)
                {
                    atTenth(point);
                }
            }
        }
    }

    private static void AssertNoGrowth(IClassifier classifier, torch.Tensor images, torch.Tensor labels)
    {
        // Warm-up: the runtime compiles hot methods for hundreds of iterations, which also takes memory.
        Endless(1000).Run(classifier, images, labels).Dispose();

        var resident = new Dictionary<int, long>();
        var progress = new CallbackProgress<AttackProgress>(report =>
        {
            if (report.Iteration % 100 == 0 && report.Iteration is (<= 300 or >= 1800))
            {
                resident[report.Iteration] = ResidentMemory.Measure();
            }
        });
        using var result = Endless(2000).Run(classifier, images, labels, progress: progress);
        Assert.All(result.Outcomes, image => Assert.Equal(2000, image.Iterations));

        // Single measurements vary by a few per cent. With a leak, every late measurement would exceed every early one.
        var early = resident.Where(measurement => measurement.Key <= 300).Max(measurement => measurement.Value);
        var late = resident.Where(measurement => measurement.Key >= 1800).Min(measurement => measurement.Value);
        Assert.Equal(6, resident.Count);
        Assert.InRange((double)late / early, 0, 1.02);
    }

    // The radius is so small that all images stay active. One leaked graph per step would be 128 KB or more.
    private static TrustRegionAttack Endless(int iterations) => new(new() { Radius = RadiusPolicy.Fixed(1e-12), MaxIterations = iterations, Refinement = new() });
}
