using Brink.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Stochastic gradient descent with Nesterov momentum and weight decay; the steps equal those of PyTorch's SGD.</summary>
/// <remarks>
/// d = ∇L + λw;  v ← μv + d;  w ← w − η(d + μv) (Sutskever et al. 2013, §2, in PyTorch's form). TorchSharp's SGD does not give access to the
/// velocities v, which are stored in a checkpoint under the names of the weights.
/// </remarks>
internal sealed class NesterovMomentum : IDisposable
{
    private readonly (string Name, Parameter Weight)[] _weights;
    private readonly Tensor[] _velocities;
    private readonly Scalar _momentum;
    private readonly Scalar _weightDecay;

    /// <summary>Creates the optimiser for all weights that require a gradient, with velocities of zero.</summary>
    /// <param name="module">The network.</param>
    /// <param name="momentum">μ, at least 0 and below 1.</param>
    /// <param name="weightDecay">λ, at least 0.</param>
    public NesterovMomentum(nn.Module module, double momentum, double weightDecay)
    {
        _weights = [.. module.named_parameters().Where(named => named.parameter.requires_grad).Select(named => (named.name, named.parameter))];
        _velocities = [.. _weights.Select(named => zeros_like(named.Weight, requires_grad: false).DetachFromDisposeScope())];
        (_momentum, _weightDecay) = (Scalars.Of(momentum), Scalars.Of(weightDecay));
    }

    /// <summary>The velocities v by the names of the weights. The optimiser disposes the tensors.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Velocities => _weights.Select((named, index) => KeyValuePair.Create(named.Name, _velocities[index]));

    /// <summary>Removes the gradients of all weights.</summary>
    public void ClearGradients()
    {
        foreach (var (_, weight) in _weights)
        {
            weight.grad = null;
        }
    }

    /// <summary>Updates every weight that has a gradient, then removes the gradients.</summary>
    /// <param name="learningRate">The learning rate η.</param>
    public void Step(double learningRate)
    {
        using var withoutGradients = no_grad();
        using var scope = NewDisposeScope();
        using var rate = Scalars.Of(-learningRate);
        for (var index = 0; index < _weights.Length; index++)
        {
            var weight = _weights[index].Weight;
            if (weight.grad is not { } gradient)
            {
                continue;
            }

            gradient.add_(weight, alpha: _weightDecay);
            _velocities[index].mul_(_momentum).add_(gradient, Scalars.One);
            gradient.add_(_velocities[index], alpha: _momentum);
            weight.add_(gradient, alpha: rate);
        }

        ClearGradients();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_velocities, velocity => velocity.Dispose());
        _momentum.Dispose();
        _weightDecay.Dispose();
    }
}
