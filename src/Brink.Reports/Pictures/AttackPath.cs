using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Brink.Attacks;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Runs;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>The path of an attack on one image.</summary>
/// <param name="Attack">The name of the attack.</param>
/// <param name="Result">The outcome of the attack.</param>
/// <param name="Points">The points at which the attack evaluated the model, in order and without repetitions, the image first. Each is flattened, in the space of the attack.</param>
/// <param name="End">The image that the attack returned, flattened.</param>
internal sealed record AttackPath(string Attack, Outcome Result, IReadOnlyList<float[]> Points, float[] End)
{
    /// <summary>Runs an attack on one image and records the points at which it evaluates the model.</summary>
    /// <param name="name">The name of the attack.</param>
    /// <param name="model">The model.</param>
    /// <param name="attack">The attack, with its criterion.</param>
    /// <param name="image">The image in the space of the model, shape [1, channels, height, width].</param>
    /// <param name="label">The label, int64 [1].</param>
    /// <param name="index">The index of the image in the data set, which determines the random numbers of the attack.</param>
    /// <param name="cancellationToken">Cancels the attack.</param>
    /// <returns>The path.</returns>
    /// <exception cref="BadInputException">The attack cannot use the model or the image.</exception>
    /// <exception cref="OperationCanceledException">The attack was cancelled.</exception>
    public static AttackPath Record(string name, OpenedModel model, ConfiguredAttack attack, Tensor image, Tensor label, long index, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(attack);
        ArgumentNullException.ThrowIfNull(image);
        var recording = new RecordingClassifier(model.Classifier);
        using var result = attack.Attack.Run(recording, image, label, attack.Criterion, [index], attack.MaxPasses, cancellationToken: cancellationToken);
        using var scope = NewDisposeScope();
        var end = result.Adversarial.cpu().to(ScalarType.Float32).flatten().contiguous();
        return new(name, result.Outcomes[0], recording.Points, end.data<float>().ToArray());
    }
}

/// <summary>A classifier that records the images of its forward passes, in order and without repetitions. For an attack on one image, these are the path.</summary>
/// <param name="inner">The classifier.</param>
internal sealed class RecordingClassifier(IClassifier inner) : IClassifier
{
    /// <summary>The maximum number of recorded points. When it is exceeded, every second point is removed, and from then on only every second new point is recorded.</summary>
    /// <value>1,024, more than a picture can show.</value>
    internal const int MostPoints = 1024;

    private readonly List<float[]> _points = [];
    private readonly HashSet<UInt128> _seen = [];
    private int _stride = 1;
    private int _count;

    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public int ClassCount => inner.ClassCount;

    /// <inheritdoc/>
    public Bounds Bounds => inner.Bounds;

    /// <inheritdoc/>
    public Derivatives Derivatives => inner.Derivatives;

    /// <summary>The recorded images, flattened, in the order of their first pass.</summary>
    public IReadOnlyList<float[]> Points => _points;

    /// <inheritdoc/>
    public Tensor Logits(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using (var scope = NewDisposeScope())
        {
            foreach (var image in images.detach().cpu().to(ScalarType.Float32).flatten(1).unbind())
            {
                Remember(image.data<float>().ToArray());
            }
        }

        return inner.Logits(images);
    }

    /// <inheritdoc/>
    public IDisposable EnterEvaluation() => inner.EnterEvaluation();

    private static UInt128 Hash(float[] point) => MemoryMarshal.Read<UInt128>(SHA256.HashData(MemoryMarshal.AsBytes<float>(point)));

    private void Remember(float[] point)
    {
        if (!_seen.Add(Hash(point)) || _count++ % _stride != 0)
        {
            return;
        }

        _points.Add(point);
        if (_points.Count > MostPoints)
        {
            // The first point, the image itself, stays.
            var kept = _points.Where((_, position) => position % 2 == 0).ToArray();
            _points.Clear();
            _points.AddRange(kept);
            _stride *= 2;
        }
    }
}
