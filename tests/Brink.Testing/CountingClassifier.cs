using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>A classifier that counts the rows of its forward and backward passes, for comparison with the counts that an attack reports.</summary>
/// <param name="inner">The classifier to count for.</param>
public sealed class CountingClassifier(IClassifier inner) : IClassifier
{
    public string Name => inner.Name;

    public int ClassCount => inner.ClassCount;

    public Bounds Bounds => inner.Bounds;

    /// <summary>The number of rows in forward passes, with the confirmation at the end of an attack.</summary>
    public long Forwards { get; private set; }

    public Derivatives Derivatives => inner.Derivatives;

    /// <summary>The number of rows in backward passes, for each gradient and for each exact product with the Hessian.</summary>
    public long Backwards { get; private set; }

    public Tensor Logits(Tensor images)
    {
        Forwards += images.shape[0];
        if (!images.requires_grad)
        {
            return inner.Logits(images);
        }

        // Counted at the images, which second derivatives reach too; not every second derivative passes the logits.
        using var counted = CountBackward.apply(images, (Action<long>)(rows => Backwards += rows));
        return inner.Logits(counted);
    }

    public IDisposable EnterEvaluation() => inner.EnterEvaluation();

    private sealed class CountBackward : autograd.SingleTensorFunction<CountBackward>
    {
        public override string Name => nameof(CountBackward);

        public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
        {
            context.save_data("count", arguments[1]);
            return ((Tensor)arguments[0]).clone();
        }

        public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
        {
            ((Action<long>)context.get_data("count"))(gradient.shape[0]);
            return [gradient, null!];
        }
    }
}
