namespace Brink.Attacks;

/// <summary>What a radius of 1 means.</summary>
public enum RadiusUnit
{
    /// <summary>One unit of the input space.</summary>
    Input,

    /// <summary>The linearised distance −f/‖∇f‖_q from the image to the attacked class, so that the same numbers fit every image, network and range of values.</summary>
    FirstDistance,
}
