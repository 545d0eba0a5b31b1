using static TorchSharp.torch;

namespace Brink;

/// <summary>The linear model m(s) = ⟨g, s⟩ of the change of a function f, for each row of a batch.</summary>
/// <remarks>
/// Yao et al. (2019), §3, with H = 0, which is exact almost everywhere for the logits of piecewise linear networks. The best step within a radius
/// is the radius times the direction of steepest ascent.
/// </remarks>
public sealed class LinearModel : IRows<LinearModel>, ISubproblem
{
    private readonly Norm _norm;

    /// <summary>Initializes the model.</summary>
    /// <param name="values">The values of f, shape [batch].</param>
    /// <param name="gradients">The gradients g, shape [batch, …].</param>
    /// <param name="norm">The norm ‖·‖_p of steps.</param>
    internal LinearModel(Tensor values, Tensor gradients, Norm norm)
        : this(values, gradients, norm.Dual.Of(gradients), norm)
    {
    }

    private LinearModel(Tensor values, Tensor gradients, Tensor slopes, Norm norm) => (Values, Gradients, Slopes, _norm) = (values, gradients, slopes, norm);

    /// <summary>The values of f at the points, shape [batch].</summary>
    public Tensor Values { get; }

    /// <summary>The gradients g at the points, shape [batch, …].</summary>
    public Tensor Gradients { get; }

    /// <summary>The dual norms ‖g‖_q of the gradients, shape [batch]: the increase of f per length along the steepest direction.</summary>
    public Tensor Slopes { get; }

    /// <summary>Computes the linearised distances −f / ‖g‖_q, shape [batch].</summary>
    /// <returns>The distances; negative where f is positive.</returns>
    public Tensor Distances() => Scoped(() => Values.neg().div(Slopes));

    /// <summary>Computes the steps of given lengths along the steepest directions, shape [batch, …].</summary>
    /// <param name="lengths">The lengths in the norm ‖·‖_p, shape [batch].</param>
    /// <returns>The steps; zero for a zero gradient.</returns>
    public Tensor Steps(Tensor lengths) => Scoped(() => Directions().Times(lengths));

    /// <summary>Computes the predicted changes m(s), shape [batch].</summary>
    /// <param name="steps">The steps s, shape [batch, …].</param>
    /// <returns>The changes.</returns>
    public Tensor PredictedChanges(Tensor steps) => PerSample.Dot(Gradients, steps);

    /// <summary>Selects rows of the model.</summary>
    /// <param name="positions">The positions of the rows, int64.</param>
    /// <returns>The model of these rows.</returns>
    public LinearModel Select(Tensor positions) => Map(tensor => tensor.index_select(0, positions));

    /// <inheritdoc/>
    LinearModel IRows<LinearModel>.Map(Func<Tensor, Tensor> map) => Map(map);

    /// <summary>Computes the steepest directions d, ‖d‖_p = 1, shape [batch, …]; zero for a zero gradient.</summary>
    internal Tensor Directions() => _norm.SteepestDirections(Gradients, Slopes);

    /// <summary>Applies a function to every tensor.</summary>
    /// <param name="map">The function.</param>
    internal LinearModel Map(Func<Tensor, Tensor> map) => new(map(Values), map(Gradients), map(Slopes), _norm);
}
