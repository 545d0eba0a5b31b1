using System.Diagnostics;
using System.Globalization;
using Brink.Attacks;
using TorchSharp;

namespace Brink.Benchmarks;

/// <summary>Compares the duration of the attack with that of a bare loop of the same forward and backward passes at the same batch sizes.</summary>
/// <remarks>
/// The goal: at most 1.10 times. The two run alternately, and the median of the ratio over all turns is printed: other processes on the
/// machine then slow down both.
/// </remarks>
internal static class Overhead
{
    private const int BatchSize = 64;
    private const int Turns = 10;

    public static void Run(Subject subject)
    {
        var (images, labels) = subject.CorrectBatch(BatchSize);
        foreach (var norm in new[] { Norm.L2, Norm.LInf })
        {
            var options = new TrustRegionOptions { Norm = norm, Refinement = new() };
            var attack = new TrustRegionAttack(options);
            var passes = Record(subject, attack, options, images, labels);
            void Attack() => attack.Run(subject.Classifier, images, labels).Dispose();
            void BareLoop() => Repeat(subject, passes, images);
            Measure(Attack);
            Measure(BareLoop);
            var turns = Enumerable.Range(0, Turns).Select(_ => (Attack: Measure(Attack), Loop: Measure(BareLoop))).ToArray();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{subject.Model.Name}, {norm}: attack {Median(turns.Select(turn => turn.Attack.Wall)):F2} s, bare loop {Median(turns.Select(turn => turn.Loop.Wall)):F2} s, ratio {Median(turns.Select(turn => turn.Attack.Wall / turn.Loop.Wall)):F3}; of processor time {Median(turns.Select(turn => turn.Attack.Processor / turn.Loop.Processor)):F3}"));
        }
    }

    /// <summary>Records the passes of the attack: the number of images of each forward pass, and the number of backward passes through its graph.</summary>
    private static (int Rows, int Backwards)[] Record(Subject subject, TrustRegionAttack attack, TrustRegionOptions options, torch.Tensor images, torch.Tensor labels)
    {
        var recorder = new PassRecorder(subject.Classifier);
        using var result = attack.Run(recorder, images, labels);
        // One backward pass per forward pass, also for the first classification. The boundary walk starts with a backward pass for each class
        // that it compares; its last step and the confirmation have none.
        var start = recorder.Passes.Count - 2 - options.Refinement!.Steps;
        return [.. recorder.Passes.Select((pass, order) => (pass.Rows, !pass.WithGraph ? 0 : order == start ? options.Refinement!.Candidates : 1))];
    }

    private static void Repeat(Subject subject, (int Rows, int Backwards)[] passes, torch.Tensor images)
    {
        foreach (var (rows, backwards) in passes)
        {
            using var scope = torch.NewDisposeScope();
            using var gradients = torch.set_grad_enabled(backwards > 0);
            var points = images.slice(0, 0, rows, 1).detach().requires_grad_(backwards > 0);
            var logits = subject.Classifier.Logits(points);
            for (var backward = 0; backward < backwards; backward++)
            {
                logits.select(1, backward % subject.Classifier.ClassCount).sum().backward(null!, create_graph: false, retain_graph: backward < backwards - 1, inputs: [points]);
                points.grad = null;
            }
        }
    }

    private static (double Wall, double Processor) Measure(Action action)
    {
        using var process = Process.GetCurrentProcess();
        var (watch, before) = (Stopwatch.StartNew(), process.TotalProcessorTime);
        action();
        process.Refresh();
        return (watch.Elapsed.TotalSeconds, (process.TotalProcessorTime - before).TotalSeconds);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>A classifier that records the batch size of every forward pass of an attack.</summary>
internal sealed class PassRecorder(IClassifier inner) : IClassifier
{
    public List<(int Rows, bool WithGraph)> Passes { get; } = [];

    public string Name => inner.Name;

    public int ClassCount => inner.ClassCount;

    public Bounds Bounds => inner.Bounds;

    public torch.Tensor Logits(torch.Tensor images)
    {
        Passes.Add(((int)images.shape[0], images.requires_grad));
        return inner.Logits(images);
    }

    public IDisposable EnterEvaluation() => inner.EnterEvaluation();
}
