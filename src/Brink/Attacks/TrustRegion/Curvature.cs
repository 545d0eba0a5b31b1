using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Builds the quadratic subproblems of the second-order trust-region attack.</summary>
/// <param name="attack">The settings of the attack.</param>
/// <param name="options">The settings of the quadratic model.</param>
internal sealed class Curvature(TrustRegionOptions attack, CurvatureOptions options)
{
    private bool _hasCurvature;

    private bool NeedsSecondDerivatives => options.Products == HessianProductMethod.Exact && attack.Objective.IsLinear;

    /// <summary>Checks that a classifier has second derivatives if the attack needs them.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <exception cref="BadInputException">The classifier declares that it has first derivatives only.</exception>
    public void Check(IClassifier classifier)
    {
        if (NeedsSecondDerivatives && classifier.Derivatives == Derivatives.First)
        {
            throw NoCurvature(classifier);
        }
    }

    /// <summary>Prepares the quadratic subproblem of each active row; computes and counts the Hessian-vector products.</summary>
    /// <param name="run">The bookkeeping of the attack.</param>
    /// <param name="rows">The active rows.</param>
    /// <param name="pass">The pass at the points of the state.</param>
    /// <param name="state">The state of the active rows.</param>
    /// <param name="target">The target selection of the state.</param>
    /// <param name="iteration">The number of the next step, from 1.</param>
    /// <exception cref="BadInputException">The classifier has no second derivatives, or cannot be differentiated twice.</exception>
    public ISubproblem Subproblem(AttackRun run, ActiveRows rows, ForwardPass pass, TrustRegionState state, TargetSelection target, int iteration)
    {
        var exact = options.Products == HessianProductMethod.Exact;
        var hessian = exact
            ? HessianProducts.Exact(pass, state.PassRows)
            : HessianProducts.Differences(state.Points, options.DifferenceStep, points => Gradients(run.Classifier, state, target, points));
        var model = new QuadraticModel(state.Model.Values, state.Model.Gradients, Project(hessian, run.Classifier.Bounds, state));
        var seeds = rows.Rows.Select(row => unchecked((long)RandomSeed.Of(options.Seed, run.Indices[row])));
        var subproblem = new LanczosSubproblem(model, state.Radii, options.MaxProducts, options.Tolerance, [.. seeds]);
        run.CountProducts(rows, subproblem.Products, passes: exact ? 0 : 2);
        // If nothing is known about the second derivatives, the products at the first images decide: if all of them are exactly zero, the network
        // is piecewise linear. After a batch with curvature, a batch without any is no error and must not end a long run.
        if (NeedsSecondDerivatives && iteration == 1 && run.Classifier.Derivatives == Derivatives.AtLeastFirst && !_hasCurvature && subproblem.IsLinear)
        {
            throw NoCurvature(run.Classifier);
        }

        _hasCurvature |= !subproblem.IsLinear;
        return subproblem;
    }

    // These passes are counted per product, so that a row is not charged for products that only other rows of the batch need.
    private Tensor Gradients(IClassifier classifier, TrustRegionState state, TargetSelection target, Tensor points)
    {
        using var scope = NewDisposeScope();
        using var pass = ForwardPass.At(classifier, points);
        return pass.Gradients(target.Values(attack.Objective, pass.Logits, state.Labels, state.Targets)).MoveToOuterDisposeScope();
    }

    /// <summary>Restricts the Hessian to the entries that can move: entries at their bound with a zero gradient, which <see cref="Linearization"/> has projected, are left out.</summary>
    private LinearOperator Project(LinearOperator hessian, Bounds bounds, TrustRegionState state)
    {
        if (!attack.ProjectGradient)
        {
            return hessian;
        }

        var atBound = state.Points.ge(bounds.Upper(state.Points)).logical_or(state.Points.le(bounds.Lower(state.Points)));
        var stuck = atBound.logical_and(state.Model.Gradients.eq(Scalars.Zero));
        return vectors =>
        {
            using var scope = NewDisposeScope();
            return hessian(vectors.masked_fill(stuck, Scalars.Zero)).masked_fill(stuck, Scalars.Zero).MoveToOuterDisposeScope();
        };
    }

    private static BadInputException NoCurvature(IClassifier classifier) =>
        new($"The second-order attack on the logit gap needs second derivatives, but those of {classifier.Name} are zero or undefined, as in ReLU networks; use tr, a network with smooth activations such as Swish, the objective cross-entropy, or curvature-products=finite-differences.");
}
