using Brink.Optimization;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Builds the quadratic subproblems of the second-order trust-region attack.</summary>
/// <param name="objective">The objective of the attack.</param>
/// <param name="options">The settings of the quadratic model.</param>
internal sealed class Curvature(Objective objective, CurvatureOptions options)
{
    /// <summary>Indicates whether products differentiate the gradients, which then need a graph of their own.</summary>
    public bool HasExactProducts => options.Products == HessianProductMethod.Exact;

    /// <summary>Checks that a classifier has second derivatives if the attack needs them.</summary>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="criterion">The criterion of success.</param>
    /// <exception cref="BadInputException">The classifier declares that it has first derivatives only.</exception>
    public void Check(IClassifier classifier, Criterion criterion)
    {
        if (NeedsSecondDerivatives(criterion) && classifier.Derivatives == Derivatives.First)
        {
            throw NoCurvature(classifier);
        }
    }

    /// <summary>Determines whether the objective has curvature at some images, if the classifier declares nothing about second derivatives: in a piecewise linear network, all products are exactly zero.</summary>
    /// <remarks>Asked before a run. During an attack, a batch without curvature is no error: in its region the objective is linear.</remarks>
    /// <param name="pass">A pass at the images.</param>
    /// <param name="classifier">The classifier.</param>
    /// <param name="criterion">The criterion of success.</param>
    /// <param name="labels">The labels y, int64, shape [batch].</param>
    /// <param name="indices">The index of each image in its data set, int64, shape [batch].</param>
    /// <returns>False if all products are zero.</returns>
    /// <exception cref="BadInputException">The classifier cannot be differentiated twice.</exception>
    public bool IsCurved(ForwardPass pass, IClassifier classifier, Criterion criterion, Tensor labels, Tensor indices)
    {
        if (!NeedsSecondDerivatives(criterion) || classifier.Derivatives != Derivatives.AtLeastFirst)
        {
            return true;
        }

        using var scope = NewDisposeScope();
        var gradients = pass.GradientsForProducts(criterion.CheckedMargins(pass.Logits, labels, indices));
        return !pass.HessianProducts(Norm.L2.SteepestDirections(gradients)).eq(Scalars.Zero).AreAllSet();
    }

    /// <summary>Prepares the quadratic subproblem of each active image; computes and counts the Hessian-vector products.</summary>
    /// <param name="batch">The images; the last pass is at the points.</param>
    /// <param name="points">The points x_k, shape [active, …].</param>
    /// <param name="linear">The linear model at the points, in which entries at their bounds are left out.</param>
    /// <param name="radii">The radii ε_k, shape [active].</param>
    /// <exception cref="BadInputException">The classifier cannot be differentiated twice.</exception>
    public ISubproblem Subproblem(AttackedBatch batch, Tensor points, LinearModel linear, Tensor radii)
    {
        var hessian = HasExactProducts
            ? HessianProducts.Exact(batch.Pass, batch.Places(batch.Pass))
            : batch.WithinPasses(HessianProducts.Differences(points, options.DifferenceStep, shifted => batch.UncountedGradients(objective, shifted)), passes: 2);
        var model = new QuadraticModel(linear.Values, linear.Gradients, Project(hessian, batch.Bounds, points, linear.Gradients));
        var seeds = batch.Indices.Select(index => unchecked((long)RandomSeed.Of(options.Seed, index)));
        var subproblem = new LanczosSubproblem(model, radii, options.MaxProducts, options.Tolerance, [.. seeds]);
        // The passes of differences are counted per product, so that an image is not charged for products that only other images of the batch need.
        batch.CountProducts(subproblem.Products, passes: HasExactProducts ? 0 : 2);
        return subproblem;
    }

    // The margins of a piecewise linear network have curvature only if they are curved functions of the logits.
    private bool NeedsSecondDerivatives(Criterion criterion) => HasExactProducts && objective == Objective.Gap && criterion.IsLinear;

    /// <summary>Restricts the Hessian to the entries that can move: entries at their bound with a zero gradient are left out, as in the linear model.</summary>
    private static LinearOperator Project(LinearOperator hessian, Bounds bounds, Tensor points, Tensor gradients)
    {
        var atBound = points.ge(bounds.Upper(points)).logical_or(points.le(bounds.Lower(points)));
        var stuck = atBound.logical_and(gradients.eq(Scalars.Zero));
        return vectors => Scoped(() => hessian(vectors.masked_fill(stuck, Scalars.Zero)).masked_fill(stuck, Scalars.Zero));
    }

    /// <summary>Creates the refusal of a classifier without curvature.</summary>
    /// <param name="classifier">The classifier.</param>
    public static BadInputException NoCurvature(IClassifier classifier) =>
        new($"The second-order attack on the logit gap needs second derivatives, but those of {classifier.Name} are zero or undefined, as in ReLU networks; use tr, a network with smooth activations such as Swish, the objective cross-entropy, or curvature-products=finite-differences.");
}
