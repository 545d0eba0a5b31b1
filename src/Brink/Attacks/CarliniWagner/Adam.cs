using TorchSharp;
using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The optimiser Adam (Kingma and Ba 2015, Algorithm 1) for a batch from which finished rows can be removed, unlike libtorch's Adam.</summary>
internal sealed class Adam
{
    // The defaults of Kingma and Ba (2015), Algorithm 1: β₁, β₂ and ϵ.
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.999;
    private const double Floor = 1e-8;

    private readonly double _learningRate;
    private State _state;
    private int _steps;

    /// <summary>Initializes the optimiser at the given point; its state is in the current dispose scope.</summary>
    /// <param name="variables">The variables, shape [active, …]; copied.</param>
    /// <param name="learningRate">The step length.</param>
    public Adam(Tensor variables, double learningRate) => (_learningRate, _state) = (learningRate, new(variables.clone(), zeros_like(variables), zeros_like(variables)));

    /// <summary>The current variables, shape [active, …].</summary>
    public Tensor Variables => _state.Variables;

    /// <summary>Takes one step for every row.</summary>
    /// <param name="gradients">The gradients of the loss, shape [active, …].</param>
    public void Step(Tensor gradients)
    {
        using var scope = NewDisposeScope();
        _steps++;
        using Scalar firstDecay = Scalars.Of(FirstDecay), secondDecay = Scalars.Of(SecondDecay);
        var (variables, firstMoments, secondMoments) = _state;
        firstMoments.mul_(firstDecay).add_(gradients.Times(1 - FirstDecay), Scalars.One);
        secondMoments.mul_(secondDecay).add_(gradients.pow(Scalars.Two).Times(1 - SecondDecay), Scalars.One);
        var unbiased = secondMoments.Times(1 / (1 - Math.Pow(SecondDecay, _steps)));
        variables.sub_(firstMoments.Times(_learningRate / (1 - Math.Pow(FirstDecay, _steps))).div(unbiased.sqrt().Plus(Floor)));
    }

    /// <summary>Removes all rows except those at the given positions.</summary>
    /// <param name="positions">The positions of the rows to keep, int64.</param>
    /// <param name="scope">The dispose scope of the optimiser.</param>
    public void Keep(Tensor positions, DisposeScope scope) => _state = _state.ReplacedBy(_state.Select(positions), scope);

    private sealed record State(Tensor Variables, Tensor FirstMoments, Tensor SecondMoments) : IRows<State>
    {
        public State Map(Func<Tensor, Tensor> map) => new(map(Variables), map(FirstMoments), map(SecondMoments));
    }
}
