using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The attack in the inner loop of adversarial training: a fixed number of steps for all images, each of one forward and one backward pass, without a classification before and a confirmation after.</summary>
/// <remarks>The model is in evaluation mode during the attack, as it is when it is used; the running statistics of batch normalisation do not change.</remarks>
/// <param name="classifier">The classifier of pixels in [0, 1].</param>
/// <param name="options">The settings of adversarial training.</param>
internal sealed class InnerAttack(IClassifier classifier, AdversarialOptions options)
{
    /// <summary>The factor on the linearised distance, so that a step ends beyond the boundary: 1.02 (Moosavi-Dezfooli et al. 2016; also the program of Yao et al.).</summary>
    private const double Overshoot = 1.02;

    /// <summary>Perturbs images by at most ε within the bounds of the classifier.</summary>
    /// <param name="pixels">The images, shape [batch, channels, height, width].</param>
    /// <param name="labels">The labels, int64, shape [batch].</param>
    /// <param name="seed">The seed of the random starts.</param>
    /// <returns>The perturbed images, shape [batch, channels, height, width], without a graph.</returns>
    public Tensor Perturb(Tensor pixels, Tensor labels, long seed)
    {
        using var scope = NewDisposeScope();
        using var evaluation = classifier.EnterEvaluation();
        using var epsilon = Scalars.Of(options.Epsilon);
        var radii = full([pixels.shape[0]], epsilon, dtype: pixels.dtype, device: pixels.device);
        var points = options.Method == AdversarialMethod.Projected ? Project(pixels, pixels.Plus(RandomStarts(pixels, seed)), radii) : pixels;
        for (var step = 0; step < options.Steps; step++)
        {
            points = Project(pixels, points.Plus(Step(points, labels, radii)), radii);
        }

        return points.MoveToOuterDisposeScope();
    }

    private Tensor Step(Tensor points, Tensor labels, Tensor radii) => Scoping.Scoped(() =>
    {
        using var pass = ForwardPass.At(classifier, points);
        using var gradients = enable_grad();
        var values = options.Method == AdversarialMethod.TrustRegion ? LogitGap.Of(pass.Logits, Targets(pass.Logits, labels), labels) : CrossEntropy.AwayFrom(pass.Logits, labels);
        var model = new LinearModel(values.detach(), pass.Gradients(values), options.Norm);
        if (options.Method != AdversarialMethod.TrustRegion)
        {
            return model.Steps(radii.Times(options.RelativeStep));
        }

        // The linearised distance times 1.02, so that the boundary is crossed; 0 beyond the boundary (f > 0) and without a gradient.
        var distances = model.Distances().Times(Overshoot).nan_to_num(0, 0, 0).clamp_min(Scalars.Zero);
        return model.Steps(minimum(distances, radii).masked_fill(pass.Predictions().ne(labels), Scalars.Zero));
    });

    private Tensor Targets(Tensor logits, Tensor labels) => Scoping.Scoped(() => LogitGap.StrongestOther(options.Target == AdversarialTarget.MostLikely ? logits : logits.neg(), labels));

    private Tensor RandomStarts(Tensor pixels, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var rows = Enumerable.Range(0, (int)pixels.shape[0]).Select(_ => options.Norm.UniformInUnitBall([1, .. pixels.shape[1..]], generator));
        using var epsilon = Scalars.Of(options.Epsilon);
        return cat([.. rows], 0).to(pixels.dtype, pixels.device).mul(epsilon).MoveToOuterDisposeScope();
    }

    private Tensor Project(Tensor pixels, Tensor points, Tensor radii)
    {
        using var scope = NewDisposeScope();
        return classifier.Bounds.Clamp(pixels.Plus(options.Norm.Project(points - pixels, radii))).MoveToOuterDisposeScope();
    }
}
