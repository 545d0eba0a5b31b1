using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The optimiser Adam (Kingma and Ba 2015, Algorithm 1) for a batch from which finished rows can be removed, unlike libtorch's Adam.</summary>
internal sealed class Adam : IDisposable
{
    // The defaults of Kingma and Ba (2015), Algorithm 1: β₁, β₂ and ϵ.
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.999;
    private const double Floor = 1e-8;

    private readonly double _learningRate;
    private Tensor _firstMoments;
    private Tensor _secondMoments;
    private int _steps;

    /// <summary>Initializes the optimiser at the given point.</summary>
    /// <param name="variables">The variables, shape [active, …]; copied.</param>
    /// <param name="learningRate">The step length.</param>
    public Adam(Tensor variables, double learningRate)
    {
        _learningRate = learningRate;
        Variables = variables.clone().DetachFromDisposeScope();
        _firstMoments = zeros_like(variables).DetachFromDisposeScope();
        _secondMoments = zeros_like(variables).DetachFromDisposeScope();
    }

    /// <summary>The current variables, shape [active, …].</summary>
    public Tensor Variables { get; private set; }

    /// <summary>Takes one step for every row.</summary>
    /// <param name="gradients">The gradients of the loss, shape [active, …].</param>
    public void Step(Tensor gradients)
    {
        using var scope = NewDisposeScope();
        _steps++;
        using var firstDecay = Scalars.Of(FirstDecay);
        using var firstShare = Scalars.Of(1 - FirstDecay);
        using var secondDecay = Scalars.Of(SecondDecay);
        using var secondShare = Scalars.Of(1 - SecondDecay);
        using var floor = Scalars.Of(Floor);
        using var firstBias = Scalars.Of(_learningRate / (1 - Math.Pow(FirstDecay, _steps)));
        using var secondBias = Scalars.Of(1 / (1 - Math.Pow(SecondDecay, _steps)));
        _firstMoments.mul_(firstDecay).add_(gradients.mul(firstShare), Scalars.One);
        _secondMoments.mul_(secondDecay).add_(gradients.pow(Scalars.Two).mul(secondShare), Scalars.One);
        Variables.sub_(_firstMoments.mul(firstBias).div(_secondMoments.mul(secondBias).sqrt().Plus(floor)));
    }

    /// <summary>Removes all rows except those at the given positions.</summary>
    /// <param name="positions">The positions of the rows to keep, int64.</param>
    public void Keep(Tensor positions)
    {
        var before = (Variables, _firstMoments, _secondMoments);
        Variables = Variables.index_select(0, positions).DetachFromDisposeScope();
        _firstMoments = _firstMoments.index_select(0, positions).DetachFromDisposeScope();
        _secondMoments = _secondMoments.index_select(0, positions).DetachFromDisposeScope();
        before.Variables.Dispose();
        before._firstMoments.Dispose();
        before._secondMoments.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Variables.Dispose();
        _firstMoments.Dispose();
        _secondMoments.Dispose();
    }
}
