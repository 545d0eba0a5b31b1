using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Brink;

/// <summary>One forward pass with its graph kept: logits now, gradients with respect to the images when asked.</summary>
internal sealed class ForwardPass : IDisposable
{
    private readonly string _classifierName;
    private Tensor? _differentiableGradients;

    private ForwardPass(string classifierName, Tensor points, Tensor logits) => (_classifierName, Points, Logits) = (classifierName, points, logits);

    /// <summary>The images, [batch, …], as a leaf of the graph.</summary>
    public Tensor Points { get; }

    /// <summary>z, [batch, classes], attached to the graph.</summary>
    public Tensor Logits { get; }

    /// <summary>Runs the images through the classifier.</summary>
    /// <param name="classifier">The classifier.</param>
    /// <param name="images">[batch, …].</param>
    /// <param name="keepGraph">Whether gradients will be asked for; the graph takes memory.</param>
    public static ForwardPass At(IClassifier classifier, Tensor images, bool keepGraph = true)
    {
        using var gradients = keepGraph ? enable_grad() : no_grad();
        var points = images.detach().requires_grad_(keepGraph).DetachFromDisposeScope();
        try
        {
            return new(classifier.Name, points, classifier.Logits(points).DetachFromDisposeScope());
        }
        catch
        {
            points.Dispose();
            throw;
        }
    }

    /// <summary>The predicted classes, int64 [batch]; −1 where a logit is not a finite number, which is no prediction.</summary>
    public Tensor Predictions() => PredictionsOf(Logits);

    /// <summary>The predicted classes of given logits, int64 [batch]; −1 where a logit is not a finite number.</summary>
    public static Tensor PredictionsOf(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var detached = logits.detach();
        return detached.argmax(1).masked_fill(PerSample.IsFinite(detached).logical_not(), Scalars.MinusOne).MoveToOuterDisposeScope();
    }

    /// <summary>The gradients of one number an image with respect to that image.</summary>
    /// <param name="values">[batch], computed from <see cref="Logits"/>.</param>
    /// <param name="keepGraph">Whether another gradient will be asked of this pass.</param>
    /// <returns>[batch, …], the shape of the images.</returns>
    /// <exception cref="BadInputException">The network's output does not depend differentiably on its input.</exception>
    public Tensor Gradients(Tensor values, bool keepGraph = false)
    {
        // Asked first: libtorch's own error is raised where nothing catches it.
        if (!values.requires_grad)
        {
            throw NotDifferentiable();
        }

        using var sum = values.sum();
        // Only the images are asked for: the gradients of the parameters stay as the caller left them.
        sum.backward(null!, create_graph: false, retain_graph: keepGraph, inputs: [Points]);
        // Parameters alone can make values differentiable; an input that was detached on the way gets no gradient then.
        var gradients = Points.grad ?? throw NotDifferentiable();
        Points.grad = null;
        return gradients.detach();
    }

    /// <summary>The gradients as <see cref="Gradients"/> gives them; the pass keeps them with a graph of their own, so that <see cref="HessianProducts"/> can be asked for.</summary>
    /// <param name="values">[batch], computed from <see cref="Logits"/>.</param>
    /// <exception cref="BadInputException">The network's output does not depend differentiably on its input.</exception>
    public Tensor GradientsForProducts(Tensor values)
    {
        if (!values.requires_grad)
        {
            throw NotDifferentiable();
        }

        using var sum = values.sum();
        _differentiableGradients?.Dispose();
        _differentiableGradients = DifferentiableGradient.Of(sum, Points)?.DetachFromDisposeScope() ?? throw NotDifferentiable();
        return _differentiableGradients.detach();
    }

    /// <summary>Hv, where H is the Hessian of each image's number with respect to that image, after <see cref="GradientsForProducts"/>; ∇⟨∇f, v⟩, so about the cost of two passes forward and two backward less those already done.</summary>
    /// <param name="vectors">v, [batch, …], one an image.</param>
    /// <returns>Hv, [batch, …]; zero where the gradients do not depend on the images.</returns>
    /// <exception cref="BadInputException">A part of the network cannot be differentiated twice.</exception>
    public Tensor HessianProducts(Tensor vectors)
    {
        var gradients = _differentiableGradients ?? throw new InvalidOperationException("The gradients come first, their derivatives after.");
        if (gradients.requires_grad)
        {
            try
            {
                gradients.backward([vectors], create_graph: false, retain_graph: true, inputs: [Points]);
            }
            catch (ExternalException exception)
            {
                throw new BadInputException($"{_classifierName} must be differentiable twice for exact second derivatives, but is not ({exception.Message.Split('\n')[0]}); use a first-order attack, or finite differences of its gradients.", exception);
            }
        }

        var products = Points.grad;
        if (products is null)
        {
            return zeros_like(vectors);
        }

        Points.grad = null;
        return products.detach();
    }

    private BadInputException NotDifferentiable() =>
        new($"{_classifierName} must be differentiable, but its logits carry no gradient with respect to the images; remove no_grad, detach, round or argmax from its forward pass.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _differentiableGradients?.Dispose();
        Logits.Dispose();
        Points.Dispose();
    }
}
