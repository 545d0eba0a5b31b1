using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The result of an attack on a batch, in the order of its images.</summary>
/// <param name="adversarial">The images, shape [batch, …]: perturbed where the attack succeeded, unchanged elsewhere. The result takes ownership.</param>
/// <param name="outcomes">The outcome of each image.</param>
public sealed class AttackResult(Tensor adversarial, IReadOnlyList<Outcome> outcomes) : IDisposable
{
    /// <summary>The images, shape [batch, …]: perturbed where the attack succeeded, unchanged elsewhere.</summary>
    /// <value>A tensor that this result owns and disposes.</value>
    public Tensor Adversarial { get; } = adversarial;

    /// <summary>The outcome of each image, in the order of the images.</summary>
    public IReadOnlyList<Outcome> Outcomes { get; } = outcomes;

    /// <summary>Disposes the adversarial images.</summary>
    public void Dispose() => Adversarial.Dispose();
}

/// <summary>The outcome of an attack for one image: predictions, length of the perturbation, passes and exit reason.</summary>
public sealed record Outcome
{
    /// <summary>The label y of the image.</summary>
    public required long Label { get; init; }

    /// <summary>The predicted class before the attack.</summary>
    /// <value>A class, or −1 without a prediction: a logit was NaN or positive infinity, or all were negative infinity.</value>
    public required long PredictionBefore { get; init; }

    /// <summary>The predicted class of the returned image.</summary>
    /// <value>The prediction of a fresh forward pass if the image is fooled, otherwise the class before the attack.</value>
    public required long PredictionAfter { get; init; }

    /// <summary>The target class t.</summary>
    /// <value>A class, or −1 if no class was chosen. An untargeted attack chooses one only where it is repeated, because the bounds exclude the class that it followed.</value>
    public required long Target { get; init; }

    /// <summary>The reason why the attack ended.</summary>
    public required AttackExit Exit { get; init; }

    /// <summary>The L2 length ‖x′ − x‖₂ of the perturbation, in the input space of the attack.</summary>
    /// <value>0 if the image is not fooled.</value>
    public required double L2 { get; init; }

    /// <summary>The L∞ length ‖x′ − x‖_∞ of the perturbation, in the input space of the attack.</summary>
    /// <value>0 if the image is not fooled.</value>
    public required double LInf { get; init; }

    /// <summary>The L1 length ‖x′ − x‖₁ of the perturbation, in the input space of the attack.</summary>
    /// <value>0 if the image is not fooled.</value>
    public required double L1 { get; init; }

    /// <summary>The relative perturbation ‖x′ − x‖_p / ‖x‖_p, in the norm and input space of the attack.</summary>
    /// <value>0 if the image is not fooled; infinite if the original image has length 0.</value>
    public required double Relative { get; init; }

    /// <summary>The number of steps that the attack took.</summary>
    public required int Iterations { get; init; }

    /// <summary>The number of forward passes, with the first classification and the choice of the class, without the confirmation.</summary>
    public required int Forwards { get; init; }

    /// <summary>The number of backward passes, with the choice of the class.</summary>
    public required int Backwards { get; init; }

    /// <summary>The number of products of the Hessian with a vector.</summary>
    /// <remarks>
    /// An exact product costs about two further passes, which are not counted. A product by finite differences takes two forward and two
    /// backward passes, which are counted in <see cref="Forwards"/> and <see cref="Backwards"/>.
    /// </remarks>
    public int Products { get; init; }

    /// <summary>Indicates whether the cross-entropy underflowed at a point of the attack, where the logit gap replaced it.</summary>
    /// <value>false for attacks with another objective.</value>
    public bool Underflowed { get; init; }

    /// <summary>Indicates whether the image is fooled, confirmed by a fresh forward pass.</summary>
    public bool Fooled => Exit == AttackExit.Fooled;

    /// <summary>Indicates whether the image was attacked: classified correctly, and its label is not the target class.</summary>
    public bool Attacked => Exit is not (AttackExit.Misclassified or AttackExit.Skipped);

    /// <summary>Returns the length of the perturbation in a norm.</summary>
    /// <param name="norm">The name of the norm.</param>
    internal double Length(string norm) => norm switch { "linf" => LInf, "l1" => L1, _ => L2 };
}

/// <summary>The lengths of the perturbations of a batch, computed in double precision.</summary>
/// <param name="L2">The length ‖x′ − x‖₂ of each perturbation.</param>
/// <param name="LInf">The length ‖x′ − x‖_∞ of each perturbation.</param>
/// <param name="L1">The length ‖x′ − x‖₁ of each perturbation.</param>
/// <param name="Relative">The relative perturbation ‖x′ − x‖_p / ‖x‖_p of each image; infinite if x is 0 and x′ is not.</param>
internal sealed record PerturbationLengths(double[] L2, double[] LInf, double[] L1, double[] Relative)
{
    /// <summary>Computes the lengths of the perturbations of a batch.</summary>
    /// <param name="images">The original images x, shape [batch, …].</param>
    /// <param name="adversarial">The adversarial images x′, shape [batch, …].</param>
    /// <param name="norm">The norm ‖·‖_p of the relative perturbation.</param>
    public static PerturbationLengths Of(Tensor images, Tensor adversarial, Norm norm)
    {
        using var scope = NewDisposeScope();
        Tensor Lengths(Norm measure) => BlockNorm.Of(measure, [images, adversarial], parts => parts[1].to(ScalarType.Float64) - parts[0].to(ScalarType.Float64));
        var originals = BlockNorm.Of(norm, [images], parts => parts[0].to(ScalarType.Float64));
        var columns = TensorValues.ToColumns(Lengths(Norm.L2), Lengths(Norm.LInf), Lengths(Norm.L1), Lengths(norm).div(originals).nan_to_num(0, double.PositiveInfinity, double.NegativeInfinity));
        return new(columns[0], columns[1], columns[2], columns[3]);
    }
}
