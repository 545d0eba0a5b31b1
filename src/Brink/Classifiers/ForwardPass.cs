using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Brink;

/// <summary>A forward pass that keeps its graph, so that gradients with respect to the images can be computed later.</summary>
public sealed class ForwardPass : IDisposable
{
    private readonly IClassifier _classifier;
    private Tensor? _differentiableGradients;
    private bool _isGraphFreed;

    private ForwardPass(IClassifier classifier, Tensor points, Tensor logits) => (_classifier, Points, Logits) = (classifier, points, logits);

    /// <summary>Allows TensorFloat32 (TF32) in the passes of a search for adversarial images on a GPU: faster and less precise. The passes that decide which images are classified correctly before the search and fooled after it never use TF32, whatever the settings of the process.</summary>
    /// <value>False by default: then no pass of Brink uses TF32.</value>
    public static bool AllowTensorFloat32 { get; set; }

    /// <summary>The rows of the pass in the batch of an attack; empty for a pass outside an attack.</summary>
    internal IReadOnlyList<int> Rows { get; init; } = [];

    /// <summary>A function that counts a backward pass; null for a pass outside an attack. It returns the flags of the rows of the pass whose gradients may be computed; null for all.</summary>
    internal Func<bool[]?>? CountBackward { get; init; }

    /// <summary>The images, shape [batch, …], a leaf of the graph.</summary>
    public Tensor Points { get; }

    /// <summary>The logits z, shape [batch, classes], attached to the graph.</summary>
    public Tensor Logits { get; }

    /// <summary>The bounds of the images.</summary>
    internal Bounds Bounds => _classifier.Bounds;

    /// <summary>Runs a forward pass on a copy of the images, in case the network changes its input. Logits of another floating-point type are cast to that of the images.</summary>
    /// <param name="classifier">The classifier.</param>
    /// <param name="images">The images, shape [batch, …].</param>
    /// <param name="keepGraph">Whether to keep the graph, which gradients need and which takes memory.</param>
    /// <param name="rows">The rows of the images in the batch of an attack; null for none.</param>
    /// <param name="covered">The flags of the images that are classified; the logits of the others are NaN. Null for all.</param>
    /// <param name="countBackward">A function that counts a backward pass (see <see cref="CountBackward"/>); null for none.</param>
    internal static ForwardPass At(IClassifier classifier, Tensor images, bool keepGraph = true, IReadOnlyList<int>? rows = null, bool[]? covered = null, Func<bool[]?>? countBackward = null)
    {
        using var gradients = keepGraph ? enable_grad() : no_grad();
        using var precision = TensorFloat32.Pass(images.device, isSearch: rows is not null);
        var points = images.detach().requires_grad_(keepGraph).DetachFromDisposeScope();
        try
        {
            using var scope = NewDisposeScope();
            var logits = covered is null ? classifier.Logits(points.clone()).to(images.dtype) : LogitsOf(classifier, points, covered);
            return new(classifier, points, logits.DetachFromDisposeScope()) { Rows = rows ?? [], CountBackward = countBackward };
        }
        catch
        {
            points.Dispose();
            throw;
        }
    }

    /// <summary>Returns the predicted classes, int64, shape [batch]; −1 where there is no prediction (see <see cref="HasPrediction"/>).</summary>
    internal Tensor Predictions() => PredictionsOf(Logits);

    /// <summary>Classifies images in a forward pass without a graph.</summary>
    /// <param name="classifier">The classifier.</param>
    /// <param name="images">The images, shape [batch, …].</param>
    /// <returns>The predicted classes, int64, shape [batch]; −1 where there is no prediction.</returns>
    internal static Tensor Predict(IClassifier classifier, Tensor images)
    {
        using var pass = At(classifier, images, keepGraph: false);
        return pass.Predictions();
    }

    /// <summary>Returns the predicted classes of given logits, int64, shape [batch]; −1 where there is no prediction.</summary>
    /// <param name="logits">The logits, shape [batch, classes].</param>
    internal static Tensor PredictionsOf(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var detached = logits.detach();
        return detached.argmax(1).masked_fill(HasPrediction(detached).logical_not(), Scalars.MinusOne).MoveToOuterDisposeScope();
    }

    /// <summary>Determines for each image whether its logits give a prediction, bool, shape [batch]: the largest is finite and none is NaN. Negative infinity, as of a masked class, is a value.</summary>
    /// <param name="logits">The logits, shape [batch, classes].</param>
    internal static Tensor HasPrediction(Tensor logits)
    {
        using var scope = NewDisposeScope();
        // The maximum of a row with a NaN is NaN.
        return logits.detach().amax([1]).isfinite().MoveToOuterDisposeScope();
    }

    /// <summary>Computes the range of the logits of each image, shape [batch]. Negative infinity, the logit of a masked class, is not part of the range.</summary>
    internal Tensor Ranges()
    {
        using var scope = NewDisposeScope();
        var logits = Logits.detach();
        var largest = logits.amax([1], keepdim: true);
        return (largest - where(logits.eq(Scalars.NegativeInfinity), largest, logits)).amax([1]).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the gradient of one value per image with respect to that image.</summary>
    /// <param name="values">The values, shape [batch], computed from <see cref="Logits"/>.</param>
    /// <param name="keepGraph">Whether to keep the graph for another gradient.</param>
    /// <returns>The gradients, shape [batch, …].</returns>
    /// <exception cref="BadInputException">The logits are not differentiable with respect to the images.</exception>
    /// <exception cref="InvalidOperationException">The pass was run without a graph, or its graph is freed.</exception>
    public Tensor Gradients(Tensor values, bool keepGraph = false)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (!Points.requires_grad || _isGraphFreed)
        {
            throw new InvalidOperationException(_isGraphFreed ? "The graph of the pass is freed by its first gradient; keep the graph, or run another pass." : "The pass was run without a graph, which gradients need.");
        }

        // Checked first, because an error of libtorch in backward cannot be caught.
        if (!values.requires_grad)
        {
            throw NotDifferentiable();
        }

        var covered = CountBackward?.Invoke();
        _isGraphFreed = !keepGraph;
        if (covered is not null && !covered.Contains(true))
        {
            return NotANumber();
        }

        using var precision = Precision();
        using var sum = values.sum();
        // Restricted to the images, so that the gradients of the parameters are left unchanged.
        sum.backward(null!, create_graph: false, retain_graph: keepGraph, inputs: [Points]);
        // Values may be differentiable with respect to the parameters only; if the input was detached in the network, it has no gradient.
        var gradients = Points.grad ?? throw NotDifferentiable();
        Points.grad = null;
        return Covered(gradients.detach(), covered);
    }

    /// <summary>Computes the same gradients as <see cref="Gradients"/> and keeps them with their graph, which <see cref="HessianProducts"/> needs.</summary>
    /// <param name="values">The values, shape [batch], computed from <see cref="Logits"/>.</param>
    /// <returns>The gradients, shape [batch, …].</returns>
    /// <exception cref="BadInputException">The logits are not differentiable with respect to the images.</exception>
    internal Tensor GradientsForProducts(Tensor values)
    {
        if (!values.requires_grad)
        {
            throw NotDifferentiable();
        }

        var covered = CountBackward?.Invoke();
        if (covered is not null && !covered.Contains(true))
        {
            return NotANumber();
        }

        using var precision = Precision();
        using var sum = values.sum();
        _differentiableGradients?.Dispose();
        _differentiableGradients = DifferentiableGradient.Of(sum, Points)?.DetachFromDisposeScope() ?? throw NotDifferentiable();
        return Covered(_differentiableGradients.detach(), covered);
    }

    /// <summary>Computes Hv = ∇⟨∇f, v⟩ with the Hessian H of each image's value, after <see cref="GradientsForProducts"/>.</summary>
    /// <param name="vectors">The vectors v, shape [batch, …].</param>
    /// <returns>The products Hv, shape [batch, …]; zero if the gradients do not depend on the images.</returns>
    /// <exception cref="BadInputException">A part of the network cannot be differentiated twice.</exception>
    /// <exception cref="InvalidOperationException">The gradients have not been computed.</exception>
    internal Tensor HessianProducts(Tensor vectors)
    {
        var gradients = _differentiableGradients ?? throw new InvalidOperationException("Hessian products need the gradients; call GradientsForProducts first.");
        if (gradients.requires_grad)
        {
            using var precision = Precision();
            try
            {
                gradients.backward([vectors], create_graph: false, retain_graph: true, inputs: [Points]);
            }
            catch (ExternalException exception) when (!MemoryShortage.Is(exception))
            {
                throw new BadInputException($"Exact second derivatives need a network that is differentiable twice, but {_classifier.Name} is not ({exception.Message.Split('\n')[0]}); use a first-order attack, or finite differences of its gradients.", exception);
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

    /// <summary>Sets the precision of a backward pass: that of the search inside an attack.</summary>
    private IDisposable? Precision() => TensorFloat32.Pass(Points.device, isSearch: CountBackward is not null);

    /// <summary>Computes the logits of the flagged points, and NaN for the others.</summary>
    private static Tensor LogitsOf(IClassifier classifier, Tensor points, bool[] covered)
    {
        using var nan = Scalars.Of(double.NaN);
        long[] places = [.. covered.Index().Where(flag => flag.Item).Select(flag => (long)flag.Index)];
        if (places.Length == 0)
        {
            // They depend on the points, as those of a classifier do.
            return points.flatten(1).narrow(1, 0, 1).mul(nan).expand(-1, classifier.ClassCount);
        }

        var positions = tensor(places, device: points.device);
        var logits = classifier.Logits(points.index_select(0, positions)).to(points.dtype);
        return full([points.shape[0], logits.shape[1]], nan, dtype: logits.dtype, device: logits.device).index_copy(0, positions, logits);
    }

    /// <summary>Replaces the gradients of the rows that are not flagged by NaN.</summary>
    private static Tensor Covered(Tensor gradients, bool[]? covered)
    {
        if (covered is null)
        {
            return gradients;
        }

        using var scope = NewDisposeScope();
        using var nan = Scalars.Of(double.NaN);
        var missing = tensor(Array.ConvertAll(covered, flag => !flag), device: gradients.device);
        return gradients.masked_fill(PerSample.Broadcast(missing, gradients), nan).MoveToOuterDisposeScope();
    }

    private Tensor NotANumber()
    {
        using var nan = Scalars.Of(double.NaN);
        return full_like(Points, nan);
    }

    private BadInputException NotDifferentiable() =>
        new($"{_classifier.Name} must be differentiable, but its logits have no gradient with respect to the images; remove no_grad, detach, round or argmax from its forward pass.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _differentiableGradients?.Dispose();
        Logits.Dispose();
        Points.Dispose();
    }
}

/// <summary>Gradients that can be differentiated again, for products with the Hessian.</summary>
/// <remarks>
/// <c>backward</c> with create_graph stores the gradient in its leaf, and the gradient refers to the leaf: a cycle that keeps the whole graph in
/// memory, about which libtorch warns on the console. <c>torch.autograd.grad</c> has no such cycle, but an error of libtorch in TorchSharp's
/// binding of it ends the process. TorchScript calls the same function and turns errors into exceptions.
/// </remarks>
internal static class DifferentiableGradient
{
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def gradient(value: Tensor, leaf: Tensor) -> Optional[Tensor]:
            return torch.autograd.grad([value], [leaf], create_graph=True, allow_unused=True)[0]

        def gradients(value: Tensor, leaves: List[Tensor]) -> Tensor:
            parts = torch.autograd.grad([value], leaves, create_graph=True, allow_unused=True)
            flat: List[Tensor] = []
            for i in range(len(leaves)):
                part = parts[i]
                flat.append(torch.zeros_like(leaves[i]).flatten() if part is None else part.flatten())
            return torch.cat(flat)

        """)!;

    /// <summary>Computes the gradient of a number with respect to a leaf of its graph, with a new graph; null if it does not depend on the leaf.</summary>
    /// <param name="value">The number.</param>
    /// <param name="leaf">The leaf.</param>
    public static Tensor? Of(Tensor value, Tensor leaf) => (Tensor?)Script.invoke("gradient", value, leaf);

    /// <summary>Computes the gradients of a number with respect to several leaves of its graph, concatenated into one vector, with a new graph.</summary>
    /// <param name="value">The number.</param>
    /// <param name="leaves">The leaves.</param>
    public static Tensor OfAll(Tensor value, Tensor[] leaves) => (Tensor)Script.invoke("gradients", value, leaves);
}
