using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Brink.Attacks;
using Brink.Data;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Benchmarks;

/// <summary>Measurements on a device, usually a GPU, for benchmarks/gpu-check. Each prints one line of JSON.</summary>
internal sealed class OnDevice : IDisposable
{
    private const int BarePasses = 25;

    private readonly Device _device;
    private readonly Norm _norm;
    private readonly int _batchSize;
    private readonly ImageSet _images;
    private readonly OpenedModel _onDevice;
    private readonly LoadedModel _loaded;
    private readonly string[] _weights;

    /// <summary>Opens a model and images.</summary>
    /// <param name="words">DEVICE MODEL WEIGHTS DATA NORM BATCH LIMIT, and <c>tf32</c> to allow it in the search.</param>
    private OnDevice(string[] words)
    {
        if (words is not [var device, var model, var weights, var data, var norm, var batch, var limit, .. var rest] || rest is not ([] or ["tf32"]))
        {
            throw new BadInputException("The measurement needs DEVICE MODEL WEIGHTS DATA NORM BATCH LIMIT, and tf32 to allow it in the search.");
        }

        ForwardPass.AllowTensorFloat32 = rest.Length > 0;
        // The bare loop is measured at the same precision as the attack.
        (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32) = (rest.Length > 0, rest.Length > 0);
        _device = device == "cpu" ? CPU : cuda.is_available() ? CUDA : throw new BadInputException("libtorch finds no GPU.");
        _norm = Norm.Parse(norm);
        _batchSize = int.Parse(batch, CultureInfo.InvariantCulture);
        _images = DataCatalog.Open(data, 0, int.Parse(limit, CultureInfo.InvariantCulture));
        _weights = [model, weights];
        _loaded = ModelCatalog.Load(model, weights);
        _loaded.Module.to(_device);
        _onDevice = new(_loaded, InputSpace.Pixel);
    }

    /// <summary>Attacks the images on the device, and counts those reported as fooled that the same network classifies correctly on the CPU.</summary>
    public static void Fooled(string[] words)
    {
        using var subject = new OnDevice(words);
        using var result = subject.Evaluate();
        using var onProcessor = ModelCatalog.Load(subject._weights[0], subject._weights[1]);
        var reference = new OpenedModel(onProcessor, InputSpace.Pixel);
        using var evaluation = reference.Classifier.EnterEvaluation();
        using var withoutGradients = no_grad();
        var (wrong, different) = (0, 0);
        foreach (var range in result.Ranges)
        {
            using var scope = NewDisposeScope();
            var predictions = reference.Classifier.Logits(range.Adversarial).argmax(1).data<long>().ToArray();
            for (var row = 0; row < predictions.Length; row++)
            {
                var outcome = range.Images[row].Outcome;
                wrong += outcome.Fooled && predictions[row] == outcome.Label ? 1 : 0;
                different += outcome.Fooled && predictions[row] != outcome.PredictionAfter ? 1 : 0;
            }
        }

        var attacked = result.Images.Where(image => image.Outcome.Attacked).ToArray();
        Print(new
        {
            attacked = attacked.Length,
            fooled = attacked.Count(image => image.Outcome.Fooled),
            notFooledOnCpu = wrong,
            otherClassOnCpu = different,
            unconfirmed = attacked.Count(image => image.Outcome.Exit == AttackExit.Unconfirmed),
            meanRelativeNormalized = Mean(attacked.Where(image => image.Outcome.Fooled).Select(image => image.RelativeNormalized)),
        });
    }

    /// <summary>Compares the duration of the attack with that of as many passes of a bare loop at a full batch, alternately and warm, and two runs with each other.</summary>
    public static void Speed(string[] words)
    {
        using var subject = new OnDevice(words);
        var batches = subject.Batches();
        subject.Bare(batches[0].Images);
        subject.Attack(batches).ForEach(result => result.Dispose());
        var turns = new List<(double Bare, double Attack, List<AttackResult> Results)>();
        for (var turn = 0; turn < 2; turn++)
        {
            var bare = subject.Milliseconds(() => subject.Bare(batches[0].Images)) / BarePasses / batches[0].Images.shape[0];
            List<AttackResult> results = [];
            turns.Add((bare, subject.Milliseconds(() => results = subject.Attack(batches)), results));
        }

        var watch = Stopwatch.StartNew();
        subject.Evaluate().Dispose();
        var evaluated = watch.Elapsed.TotalMilliseconds;
        var (first, second) = (Outcomes(turns[0].Results), Outcomes(turns[1].Results));
        var attacked = first.Where(outcome => outcome.Attacked).ToArray();
        var both = first.Zip(second).Where(pair => pair.First.Fooled && pair.Second.Fooled).Select(pair => (First: Length(pair.First), Second: Length(pair.Second))).ToArray();
        var differences = both.Select(pair => Math.Abs(pair.First - pair.Second) / pair.First).Order().ToArray();
        var backwards = attacked.Average(outcome => outcome.Backwards);
        Print(new
        {
            attacked = attacked.Length,
            fooled = attacked.Count(outcome => outcome.Fooled),
            forwards = attacked.Average(outcome => outcome.Forwards),
            backwards,
            bareMs = turns.Select(turn => turn.Bare).ToArray(),
            attackMs = turns.Select(turn => turn.Attack / attacked.Length).ToArray(),
            ratio = turns.Select(turn => turn.Attack / attacked.Length / (backwards * turn.Bare)).ToArray(),
            evaluationMs = evaluated / attacked.Length,
            meanRelative = new[] { Mean(attacked.Where(outcome => outcome.Fooled).Select(outcome => outcome.Relative)), Mean(second.Where(outcome => outcome.Fooled).Select(outcome => outcome.Relative)) },
            fooledInOneRun = first.Zip(second).Count(pair => pair.First.Fooled != pair.Second.Fooled),
            otherLength = differences.Count(difference => difference > 1e-3),
            medianDifference = differences.Length == 0 ? 0 : differences[differences.Length / 2],
            meanDifference = Mean(differences),
        });
        turns.ForEach(turn => turn.Results.ForEach(result => result.Dispose()));
        foreach (var (images, labels) in batches)
        {
            images.Dispose();
            labels.Dispose();
        }

        double Length(Outcome outcome) => subject._norm.Equals(Norm.L2) ? outcome.L2 : outcome.LInf;
    }

    public void Dispose() => _loaded.Dispose();

    private static Outcome[] Outcomes(List<AttackResult> results) => [.. results.SelectMany(result => result.Outcomes)];

    private static double Mean(IEnumerable<double> values) => values.DefaultIfEmpty(0).Average();

    private static void Print(object numbers) => Console.WriteLine(JsonSerializer.Serialize(numbers, new JsonSerializerOptions { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals }));

    private TrustRegionAttack CreateAttack() => new(new() { Norm = _norm, Refinement = new() });

    private EvaluationResult Evaluate() => new AttackEvaluation(_onDevice, CreateAttack(), _batchSize, _device).Run(_images);

    private List<(Tensor Images, Tensor Labels)> Batches()
    {
        var batches = new List<(Tensor Images, Tensor Labels)>();
        for (var start = 0; start < _images.Count; start += _batchSize)
        {
            var count = Math.Min(_batchSize, _images.Count - start);
            batches.Add((_images.Images(start, count).to(_device), _images.Labels(start, count).to(_device)));
        }

        return batches;
    }

    private List<AttackResult> Attack(List<(Tensor Images, Tensor Labels)> batches)
    {
        var attack = CreateAttack();
        return [.. batches.Select(batch => attack.Run(_onDevice.Classifier, batch.Images, batch.Labels))];
    }

    /// <summary>Runs forward and backward passes of a full batch.</summary>
    private void Bare(Tensor images)
    {
        using var evaluation = _onDevice.Classifier.EnterEvaluation();
        for (var pass = 0; pass < BarePasses; pass++)
        {
            using var scope = NewDisposeScope();
            var points = images.detach().requires_grad_();
            _onDevice.Classifier.Logits(points).sum().backward(null!, create_graph: false, retain_graph: false, inputs: [points]);
        }
    }

    private double Milliseconds(Action action)
    {
        Synchronize();
        var watch = Stopwatch.StartNew();
        action();
        Synchronize();
        return watch.Elapsed.TotalMilliseconds;
    }

    private void Synchronize()
    {
        if (_device.type == DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }
}
