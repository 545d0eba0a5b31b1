using System.Runtime.InteropServices;
using Brink.Models;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>The Hessian H of the mean cross-entropy with respect to the weights, on given images, known by its products with vectors.</summary>
internal sealed class LossCurvature : IDisposable
{
    private readonly string _name;
    private readonly Tensor[] _weights;
    private readonly Tensor _gradient;

    /// <summary>Computes the gradient of the loss and keeps its graph.</summary>
    /// <param name="model">The model, in evaluation mode: in training mode, batch normalisation would make the loss of an image depend on the other images.</param>
    /// <param name="pixels">The images in [0, 1], shape [images, channels, height, width].</param>
    /// <param name="labels">The labels, int64, shape [images].</param>
    public LossCurvature(LoadedModel model, Tensor pixels, Tensor labels)
    {
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        _name = model.Name;
        _weights = [.. model.Module.parameters().Where(weight => weight.requires_grad)];
        var loss = nn.functional.cross_entropy(model.Module.call(model.Normalization.Apply(pixels)), labels);
        _gradient = DifferentiableGradient.OfAll(loss, _weights).DetachFromDisposeScope();
    }

    /// <summary>Computes the product Hv.</summary>
    /// <param name="vector">v, shape [weights]: the entries of all weights in the order of the parameters.</param>
    /// <returns>Hv, shape [weights].</returns>
    /// <exception cref="BadInputException">A part of the model cannot be differentiated twice.</exception>
    public Tensor Product(Tensor vector)
    {
        using var scope = NewDisposeScope();
        try
        {
            _gradient.backward([vector], create_graph: false, retain_graph: true, inputs: _weights);
        }
        catch (ExternalException exception) when (!MemoryShortage.Is(exception))
        {
            throw new BadInputException($"The eigenvalue of growing batches needs a model that is differentiable twice, but {_name} is not ({exception.Message.Split('\n')[0]}); train with a constant batch size.", exception);
        }

        return cat([.. _weights.Select(TakeGradient)]).MoveToOuterDisposeScope();
    }

    /// <summary>Estimates the eigenvalue of H with the largest magnitude by power iteration: v ← Hv/‖Hv‖, θ = ⟨v, Hv⟩.</summary>
    /// <param name="seed">The seed of the initial vector.</param>
    /// <param name="maxProducts">The maximum number of products with H.</param>
    /// <param name="tolerance">The relative change of θ below which the iteration ends. 1 % by default: growth depends on factors of about 2.</param>
    /// <returns>The eigenvalue, which may be negative.</returns>
    public double TopEigenvalue(long seed, int maxProducts, double tolerance = 1e-2)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var vector = randn([_gradient.shape[0]], dtype: ScalarType.Float64, generator: generator).to(_gradient.dtype, _gradient.device);
        vector.div_(vector.norm());
        var eigenvalue = 0.0;
        for (var iteration = 0; iteration < maxProducts; iteration++)
        {
            using var step = NewDisposeScope();
            var product = Product(vector);
            var before = eigenvalue;
            eigenvalue = vector.dot(product).to(ScalarType.Float64).item<double>();
            var length = product.norm();
            if (length.to(ScalarType.Float64).item<double>() is 0 or double.NaN || Math.Abs(eigenvalue - before) <= tolerance * Math.Abs(eigenvalue))
            {
                break;
            }

            vector.copy_(product.div(length));
        }

        return eigenvalue;
    }

    /// <inheritdoc/>
    public void Dispose() => _gradient.Dispose();

    /// <summary>Returns the gradient of a weight, flattened, and removes it from the weight: otherwise the next product would be added to it.</summary>
    private static Tensor TakeGradient(Tensor weight)
    {
        var gradient = weight.grad;
        weight.grad = null;
        return gradient is null ? zeros_like(weight).flatten() : gradient.flatten();
    }
}
