using System.Runtime.InteropServices;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The Hessian of the mean cross-entropy in the weights, on given images with the network in evaluation mode; it is never formed.</summary>
internal sealed class LossCurvature : IDisposable
{
    private readonly string _name;
    private readonly Tensor[] _weights;
    private readonly Tensor _gradient;

    /// <summary>Computes the gradient and keeps its graph.</summary>
    /// <param name="model">The network, in evaluation mode: its batch normalisation must not mix the images.</param>
    /// <param name="pixels">[images, channels, height, width], in [0, 1].</param>
    /// <param name="labels">int64 [images].</param>
    public LossCurvature(LoadedModel model, Tensor pixels, Tensor labels)
    {
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        _name = model.Name;
        _weights = [.. model.Module.parameters().Where(weight => weight.requires_grad)];
        var loss = nn.functional.cross_entropy(model.Module.call(model.Normalization.Apply(pixels)), labels);
        _gradient = DifferentiableGradient.OfAll(loss, _weights).DetachFromDisposeScope();
    }

    /// <summary>Hv for v of all weights in their order, [weights].</summary>
    /// <exception cref="BadInputException">A part of the network cannot be differentiated twice.</exception>
    public Tensor Product(Tensor vector)
    {
        using var scope = NewDisposeScope();
        try
        {
            _gradient.backward([vector], create_graph: false, retain_graph: true, inputs: _weights);
        }
        catch (ExternalException exception)
        {
            throw new BadInputException($"{_name} must be differentiable twice for the curvature of its loss, but is not ({exception.Message.Split('\n')[0]}); train with a batch that stays.", exception);
        }

        return cat([.. _weights.Select(TakeGradient)]).MoveToOuterDisposeScope();
    }

    /// <summary>The eigenvalue of H of the largest magnitude, by power iteration: v ← Hv/‖Hv‖, λ = ⟨v, Hv⟩.</summary>
    /// <param name="seed">Of the first v.</param>
    /// <param name="maxProducts">The most products with H.</param>
    /// <param name="tolerance">It ends when λ changes by less than this share of itself.</param>
    public double TopEigenvalue(long seed, int maxProducts, double tolerance = 1e-2)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var vector = randn([_gradient.shape[0]], dtype: ScalarType.Float64, generator: generator).to(_gradient.dtype, _gradient.device);
        vector.div_(vector.norm());
        var eigenvalue = 0.0;
        for (var product = 0; product < maxProducts; product++)
        {
            using var step = NewDisposeScope();
            var image = Product(vector);
            var before = eigenvalue;
            eigenvalue = vector.dot(image).to(ScalarType.Float64).item<double>();
            var length = image.norm();
            if (length.to(ScalarType.Float64).item<double>() is 0 or double.NaN || Math.Abs(eigenvalue - before) <= tolerance * Math.Abs(eigenvalue))
            {
                break;
            }

            vector.copy_(image.div(length));
        }

        return eigenvalue;
    }

    public void Dispose() => _gradient.Dispose();

    /// <summary>The gradient of a weight, flat. It leaves the weight: the next product would be added to it.</summary>
    private static Tensor TakeGradient(Tensor weight)
    {
        var gradient = weight.grad;
        weight.grad = null;
        return gradient is null ? zeros_like(weight).flatten() : gradient.flatten();
    }
}
