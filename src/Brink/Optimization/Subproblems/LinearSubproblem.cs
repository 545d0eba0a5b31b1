using Brink.Optimization.LocalModels;
using static TorchSharp.torch;

namespace Brink.Optimization.Subproblems;

/// <summary>max ⟨g, s⟩ over ‖s‖_p ≤ ε, whose solution is closed-form: ε times the steepest direction.</summary>
internal sealed class LinearSubproblem
{
    private readonly Tensor _directions;
    private readonly Tensor _slopes;
    private readonly LinearModel _model;

    /// <summary>Prepares the subproblem of each row.</summary>
    /// <param name="model">The local model.</param>
    /// <param name="norm">p.</param>
    /// <param name="gradientFloor">Added to ‖g‖; 0, or the authors' 1e-6 against division by zero.</param>
    public LinearSubproblem(LinearModel model, Norm norm, double gradientFloor = 0)
    {
        _model = model;
        using var floor = Scalars.Of(gradientFloor);
        _slopes = norm.Dual.Of(model.Gradients).add(floor);
        // The authors' direction in L2 is g/(‖g‖ + 1e-6); a sign has no length to divide by.
        _directions = gradientFloor > 0 && norm == Norm.L2
            ? model.Gradients / PerSample.Broadcast(_slopes, model.Gradients)
            : norm.SteepestDirections(model.Gradients);
    }

    /// <summary>Where the model reaches zero along the steepest direction: −f / ‖g‖_q, [batch].</summary>
    public Tensor BoundaryDistances() => _model.Values.neg().div(_slopes);

    /// <summary>The steps of the given lengths, [batch, …].</summary>
    public Tensor Solve(Tensor radii) => _directions.mul(PerSample.Broadcast(radii, _directions));
}
