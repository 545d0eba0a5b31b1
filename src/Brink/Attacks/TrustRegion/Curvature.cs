using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Adds to the linear model at each point what the Hessian says there.</summary>
/// <param name="attack">The settings of the attack.</param>
/// <param name="options">The settings of its second-order part.</param>
internal sealed class Curvature(TrustRegionOptions attack, CurvatureOptions options)
{
    private bool _wasSeen;

    private bool NeedsSecondDerivatives => options.Products == HessianProductMethod.Exact && attack.Objective.IsLinear;

    /// <summary>Refuses a classifier that says it has no second derivatives, where they are needed.</summary>
    /// <exception cref="BadInputException">It has none.</exception>
    public void Check(IClassifier classifier)
    {
        if (NeedsSecondDerivatives && classifier.Derivatives == Derivatives.First)
        {
            throw NoCurvature(classifier);
        }
    }

    /// <summary>The quadratic subproblem of each active row; the products are taken here, and counted.</summary>
    /// <param name="run">The books.</param>
    /// <param name="rows">The active rows.</param>
    /// <param name="pass">The pass at the points of the state.</param>
    /// <param name="state">The state.</param>
    /// <param name="iteration">The step to come, from 1.</param>
    /// <exception cref="BadInputException">The classifier has no second derivatives, or cannot be differentiated twice.</exception>
    public ISubproblem Subproblem(AttackRun run, ActiveRows rows, ForwardPass pass, TrustRegionState state, int iteration)
    {
        var exact = options.Products == HessianProductMethod.Exact;
        var hessian = exact
            ? HessianProducts.Exact(pass, state.PassRows)
            : HessianProducts.Differences(state.Points, options.DifferenceStep, points => Gradients(run.Classifier, state, points));
        var model = new QuadraticModel(state.Model.Values, state.Model.Gradients, Project(hessian, run.Classifier.Bounds, state));
        var seeds = rows.Rows.Select(row => unchecked((long)RandomSeed.Of(options.Seed, run.Indices[row])));
        var subproblem = new LanczosSubproblem(model, state.Radii, options.MaxProducts, options.Tolerance, [.. seeds]);
        run.CountProducts(rows, subproblem.Products, passes: exact ? 0 : 2);
        // A classifier that does not know finds out at the first images: all products zero to the last bit is no accident. Once there was
        // curvature, images without any are images in a flat part of the network, and no reason to end a long run.
        if (NeedsSecondDerivatives && iteration == 1 && run.Classifier.Derivatives == Derivatives.AtLeastFirst && !_wasSeen && subproblem.IsLinear)
        {
            throw NoCurvature(run.Classifier);
        }

        _wasSeen |= !subproblem.IsLinear;

        return subproblem;
    }

    // Counted by the product: how long a row's neighbours go on is not its to pay for.
    private Tensor Gradients(IClassifier classifier, TrustRegionState state, Tensor points)
    {
        using var scope = NewDisposeScope();
        using var pass = ForwardPass.At(classifier, points);
        return pass.Gradients(attack.Target.Values(attack.Objective, pass.Logits, state.Labels, state.Targets)).MoveToOuterDisposeScope();
    }

    /// <summary>H between the entries that can move: those at their bound whose gradient is zero, most of them because <see cref="Linearization"/> took them out of it, stay where they are.</summary>
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
        new($"The second-order attack on the logit gap needs second derivatives, but those of {classifier.Name} are zero or say nothing, as with ReLU; use tr, a network with smooth activations such as Swish, the objective cross-entropy, or curvature-products=finite-differences.");
}
