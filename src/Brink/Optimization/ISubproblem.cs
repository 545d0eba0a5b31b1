using static TorchSharp.torch;

namespace Brink;

/// <summary>The trust-region subproblem max m(s) over ‖s‖_p ≤ ε for each row of a batch, prepared once and solved for any number of radii.</summary>
internal interface ISubproblem
{
    /// <summary>Computes the smallest radii within which the local model reaches the boundary, f + m(s) ≥ 0, shape [batch]; infinite where it does not.</summary>
    Tensor Distances();

    /// <summary>Computes the solutions s for given radii, shape [batch, …].</summary>
    /// <param name="radii">The radii ε, shape [batch].</param>
    Tensor Steps(Tensor radii);

    /// <summary>Computes the predicted changes m(s) of any steps, shape [batch].</summary>
    /// <param name="steps">The steps s, shape [batch, …].</param>
    Tensor PredictedChanges(Tensor steps);
}
