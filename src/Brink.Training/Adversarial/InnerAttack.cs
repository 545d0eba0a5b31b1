using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The attack in the inner loop of adversarial training: a fixed number of steps for all images, each one forward and one backward pass, and nothing checked before or after.</summary>
/// <remarks>The network is in evaluation mode meanwhile: it is attacked as it will be used, and what it remembers of clean batches stays clean.</remarks>
/// <param name="classifier">The network in the space of pixels.</param>
/// <param name="options">The attack.</param>
internal sealed class InnerAttack(IClassifier classifier, AdversarialOptions options)
{
    /// <summary>Perturbs images by at most ε, within [0, 1].</summary>
    /// <param name="pixels">[batch, channels, height, width].</param>
    /// <param name="labels">int64 [batch].</param>
    /// <param name="seed">Of the random starts of this batch.</param>
    /// <returns>The perturbed images, without a graph.</returns>
    public Tensor Perturb(Tensor pixels, Tensor labels, long seed)
    {
        using var scope = NewDisposeScope();
        using var evaluation = classifier.EnterEvaluation();
        using var epsilon = Scalars.Of(options.Epsilon);
        var radii = full([pixels.shape[0]], epsilon, dtype: pixels.dtype, device: pixels.device);
        var points = options.Method == AdversarialMethod.Projected ? Within(pixels, pixels.Plus(Draw(pixels, seed)), radii) : pixels;
        for (var step = 0; step < options.Steps; step++)
        {
            points = Within(pixels, points.Plus(Step(points, labels, radii)), radii);
        }

        return points.MoveToOuterDisposeScope();
    }

    private Tensor Step(Tensor points, Tensor labels, Tensor radii)
    {
        using var scope = NewDisposeScope();
        using var pass = ForwardPass.At(classifier, points);
        using var gradients = enable_grad();
        if (options.Method != AdversarialMethod.TrustRegion)
        {
            using var share = Scalars.Of(options.RelativeStep);
            var ascent = pass.Gradients(CrossEntropy.Instance.ValuesAwayFrom(pass.Logits, labels));
            return options.Norm.SteepestDirections(ascent).mul(PerSample.Broadcast(radii.mul(share), points)).MoveToOuterDisposeScope();
        }

        var gaps = LogitGap.Instance.Values(pass.Logits, Targets(pass.Logits, labels), labels);
        var slopes = pass.Gradients(gaps);
        // −f/‖g‖_q, a little farther so that the boundary is crossed. Where f > 0 the boundary lies behind; a flat gap leads nowhere.
        using var overshoot = Scalars.Of(1.02);
        var distances = gaps.detach().neg().div(options.Norm.Dual.Of(slopes)).mul(overshoot).nan_to_num(0, 0, 0).clamp_min(Scalars.Zero);
        var lengths = minimum(distances, radii).masked_fill(pass.Predictions().ne(labels), Scalars.Zero);
        return options.Norm.SteepestDirections(slopes).mul(PerSample.Broadcast(lengths, points)).MoveToOuterDisposeScope();
    }

    private Tensor Targets(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var ordered = options.Target == AdversarialTarget.Best ? logits : logits.neg();
        return LogitGap.StrongestOther(ordered, labels).MoveToOuterDisposeScope();
    }

    private Tensor Draw(Tensor pixels, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var rows = Enumerable.Range(0, (int)pixels.shape[0]).Select(_ => options.Norm.UniformInUnitBall([1, .. pixels.shape[1..]], generator));
        using var epsilon = Scalars.Of(options.Epsilon);
        return cat([.. rows], 0).to(pixels.dtype, pixels.device).mul(epsilon).MoveToOuterDisposeScope();
    }

    private Tensor Within(Tensor pixels, Tensor points, Tensor radii)
    {
        using var scope = NewDisposeScope();
        return classifier.Bounds.Clamp(pixels.Plus(options.Norm.Project(points - pixels, radii))).MoveToOuterDisposeScope();
    }
}
