using static TorchSharp.torch;

namespace Brink.Optimization;

/// <summary>The linear subproblem max ⟨g, s⟩ over ‖s‖_p ≤ ε, whose solution is ε times the direction of steepest ascent.</summary>
internal sealed class LinearSubproblem : ISubproblem
{
    private readonly Tensor _directions;
    private readonly Tensor _slopes;
    private readonly Tensor _gains;
    private readonly LinearModel _model;

    /// <summary>Prepares the subproblem of each row.</summary>
    /// <param name="model">The linear model.</param>
    /// <param name="norm">The norm ‖·‖_p.</param>
    /// <param name="gradientFloor">The number added to ‖g‖: 0, or 1e-6 as in the authors' program, which prevents division by zero.</param>
    public LinearSubproblem(LinearModel model, Norm norm, double gradientFloor = 0)
    {
        _model = model;
        using var floor = Scalars.Of(gradientFloor);
        var lengths = norm.Dual.Of(model.Gradients);
        _slopes = lengths.Plus(floor);
        // In the authors' program the direction in L2 is g/(‖g‖ + 1e-6). In L∞ it is the sign, without a division.
        (_directions, _gains) = gradientFloor > 0 && norm == Norm.L2
            ? (model.Gradients / PerSample.Broadcast(_slopes, model.Gradients), lengths * lengths / _slopes)
            : (norm.SteepestDirections(model.Gradients), lengths);
    }

    /// <summary>Computes the linearised distances −f / ‖g‖_q, shape [batch].</summary>
    public Tensor BoundaryDistances() => _model.Values.neg().div(_slopes);

    /// <inheritdoc/>
    public SubproblemSolution Solve(Tensor radii)
    {
        var rows = (int)radii.shape[0];
        var steps = _directions.mul(PerSample.Broadcast(radii, _directions));
        return new(steps, radii * _gains, [.. Enumerable.Repeat(true, rows)], new int[rows], [.. Enumerable.Repeat(SubproblemExit.Exact, rows)]);
    }

    /// <inheritdoc/>
    public Tensor PredictedChanges(Tensor steps) => _model.PredictedChanges(steps);
}
