using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Adam (Kingma and Ba 2015, Algorithm 1) for a batch whose rows leave as they are done, which libtorch's own cannot let go.</summary>
internal sealed class Adam : IDisposable
{
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.999;
    private const double Floor = 1e-8;

    private readonly double _learningRate;
    private Tensor _firstMoments;
    private Tensor _secondMoments;
    private int _steps;

    /// <summary>Starts at the given point.</summary>
    /// <param name="variables">[active, …]; copied.</param>
    /// <param name="learningRate">The step length.</param>
    public Adam(Tensor variables, double learningRate)
    {
        _learningRate = learningRate;
        Variables = variables.clone().DetachFromDisposeScope();
        _firstMoments = zeros_like(variables).DetachFromDisposeScope();
        _secondMoments = zeros_like(variables).DetachFromDisposeScope();
    }

    /// <summary>Where the rows are, [active, …].</summary>
    public Tensor Variables { get; private set; }

    /// <summary>Moves every row by one step.</summary>
    /// <param name="gradients">The gradient of what is to become small, [active, …].</param>
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

    /// <summary>Lets go of all rows but those at the given positions.</summary>
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

    public void Dispose()
    {
        Variables.Dispose();
        _firstMoments.Dispose();
        _secondMoments.Dispose();
    }
}
