using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Brink.Attacks.TrustRegion;
using TorchSharp;

namespace Brink.Benchmarks;

/// <summary>The attack against a bare loop of as many forward and backward passes at the same batch sizes. The aim: at most 1.10 times.</summary>
public class Overhead
{
    private const int BatchSize = 64;

    // BenchmarkDotNet makes its own instances; the subject reaches them this way.
    private static Subject _chosen = null!;

    private torch.Tensor _images = null!;
    private torch.Tensor _labels = null!;
    private TrustRegionAttack _attack = null!;
    private (int Rows, int Backwards)[] _passes = null!;

    [Params("l2", "linf")]
    public string Norm { get; set; } = "l2";

    internal static void Run(Subject subject)
    {
        _chosen = subject;
        // In process: a generated project would not have the native library that the build mends.
        var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(2).WithIterationCount(10).WithInvocationCount(1).WithUnrollFactor(1);
        BenchmarkRunner.Run<Overhead>(ManualConfig.Create(DefaultConfig.Instance).AddJob(job));
    }

    [GlobalSetup]
    public void Record()
    {
        (_images, _labels) = _chosen.CorrectBatch(BatchSize);
        var options = new TrustRegionOptions { Norm = Norm == "l2" ? Norms.Norm.L2 : Norms.Norm.LInf };
        _attack = new(options);
        var recorder = new PassRecorder(_chosen.Classifier);
        using var result = _attack.Run(recorder, _images, _labels);
        // One backward pass each, the first classification included; the walk starts with one for each class it compares, and
        // neither its last step nor the confirmation needs any.
        var start = recorder.Passes.Count - 2 - options.Refine;
        _passes = [.. recorder.Passes.Select((pass, order) => (pass.Rows, !pass.WithGraph ? 0 : order == start ? options.RefineCandidates : 1))];
    }

    [Benchmark(Baseline = true)]
    public void BareLoop()
    {
        foreach (var (rows, backwards) in _passes)
        {
            using var scope = torch.NewDisposeScope();
            using var gradients = torch.set_grad_enabled(backwards > 0);
            var points = _images.slice(0, 0, rows, 1).detach().requires_grad_(backwards > 0);
            var logits = _chosen.Classifier.Logits(points);
            for (var backward = 0; backward < backwards; backward++)
            {
                logits.select(1, backward % _chosen.Classifier.ClassCount).sum().backward(null!, create_graph: false, retain_graph: backward < backwards - 1, inputs: [points]);
                points.grad = null;
            }
        }
    }

    [Benchmark]
    public void Attack() => _attack.Run(_chosen.Classifier, _images, _labels).Dispose();
}
