using static TorchSharp.torch;

namespace Brink.Testing;

/// <summary>A small network in double precision with a smooth activation: two linear layers with x·σ(x) between them, determined by a seed.</summary>
public sealed class SmoothNetwork : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Linear _first;
    private readonly TorchSharp.Modules.Dropout _dropout;
    private readonly TorchSharp.Modules.Linear _second;

    public SmoothNetwork(int inputs, int hidden, int classes, int seed)
        : base(nameof(SmoothNetwork))
    {
        register_module("first", _first = nn.Linear(inputs, hidden, dtype: ScalarType.Float64));
        register_module("dropout", _dropout = nn.Dropout(0.5));
        register_module("second", _second = nn.Linear(hidden, classes, dtype: ScalarType.Float64));
        var random = new Random(seed);
        using var withoutGradients = no_grad();
        foreach (var parameter in parameters())
        {
            using var values = tensor(Enumerable.Range(0, (int)parameter.numel()).Select(_ => ((random.NextDouble() * 2) - 1) * (parameter.dim() == 2 ? 3 / Math.Sqrt(parameter.shape[1]) : 0.1)).ToArray());
            parameter.copy_(values.reshape(parameter.shape));
        }
    }

    /// <summary>Returns the network as a classifier of inputs in [0, 1].</summary>
    public ModuleClassifier AsClassifier() => new(this, (int)_second.weight.shape[0], Bounds.Pixels);

    /// <summary>Creates inputs in [0, 1] from a seed, with the predicted classes as labels.</summary>
    /// <param name="count">The number of inputs.</param>
    /// <param name="seed">The seed.</param>
    public (Tensor Images, Tensor Labels) Batch(int count, int seed)
    {
        var random = new Random(seed);
        var inputs = _first.weight!.shape[1];
        var images = tensor(Enumerable.Range(0, count * (int)inputs).Select(_ => 0.1 + (0.8 * random.NextDouble())).ToArray()).reshape(count, inputs);
        using var withoutGradients = no_grad();
        var trained = training;
        eval();
        var labels = call(images).argmax(1);
        train(trained);
        return (images, labels);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _second.forward(_dropout.forward(nn.functional.silu(_first.forward(input.flatten(1))))).MoveToOuterDisposeScope();
    }
}
