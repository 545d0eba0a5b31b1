using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>How long perturbations are, measured in double precision; one number an image.</summary>
/// <param name="L2">‖x′ − x‖₂.</param>
/// <param name="LInf">‖x′ − x‖_∞.</param>
/// <param name="Relative">‖x′ − x‖_p / ‖x‖_p; infinite where x is 0 and x′ is not.</param>
internal sealed record MeasuredLengths(double[] L2, double[] LInf, double[] Relative)
{
    /// <param name="images">x, [batch, …].</param>
    /// <param name="adversarial">x′, [batch, …].</param>
    /// <param name="norm">p.</param>
    public static MeasuredLengths Of(Tensor images, Tensor adversarial, Norm norm)
    {
        using var scope = NewDisposeScope();
        var originals = images.to(ScalarType.Float64);
        var perturbations = adversarial.to(ScalarType.Float64) - originals;
        return new(
            Norm.L2.Of(perturbations).ToDoubles(),
            Norm.LInf.Of(perturbations).ToDoubles(),
            norm.Of(perturbations).div(norm.Of(originals)).nan_to_num(0, double.PositiveInfinity, double.NegativeInfinity).ToDoubles());
    }
}
