using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>Counts the rows that really go forward and backward through a classifier, to hold against what an attack reports.</summary>
public sealed class CountingClassifier(IClassifier inner) : IClassifier
{
    public string Name => inner.Name;

    public int ClassCount => inner.ClassCount;

    public Bounds Bounds => inner.Bounds;

    /// <summary>Rows that went forward, the attack's own confirmation at the end included.</summary>
    public long Forwards { get; private set; }

    public Derivatives Derivatives => inner.Derivatives;

    /// <summary>Rows that went backward, once for each gradient and once for each exact product with the Hessian.</summary>
    public long Backwards { get; private set; }

    public Tensor Logits(Tensor images)
    {
        Forwards += images.shape[0];
        if (!images.requires_grad)
        {
            return inner.Logits(images);
        }

        // At the images, where second derivatives arrive too: at the logits they need not come by.
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
