using Brink.Models.Architectures;

namespace Brink.Models;

/// <summary>The network that comes with Brink: a residual network of 8 layers that tells ten traffic signs apart.</summary>
/// <remarks>
/// See <c>signs.md</c> beside the weights for its data, training and accuracy. Its input is [batch, 3, 32, 32] after
/// <see cref="Normalization"/> of pixels in [0, 1].
/// </remarks>
public static class SampleNetwork
{
    /// <summary>What reports call the network.</summary>
    public const string Name = "signs";

    private const int Depth = 8;
    private const int ClassCount = 10;
    private const string Resource = "Brink.Models.Samples.signs.safetensors";

    /// <summary>Its preprocessing: the mean and standard deviation of the training images, rounded.</summary>
    public static Normalization Normalization { get; } = new([0.374, 0.371, 0.369], [0.177, 0.170, 0.190]);

    /// <summary>Reads the weights that are embedded in this assembly.</summary>
    /// <returns>A new network in eval mode, which the caller owns.</returns>
    public static CifarResNet Load()
    {
        using var stream = OpenWeights();
        var tensors = Safetensors.Read(stream, Resource);
        try
        {
            var network = Untrained();
            StateDict.LoadInto(network, tensors, Resource);
            network.eval();
            return network;
        }
        finally
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }

    /// <summary>The network with random weights, as training finds it.</summary>
    /// <returns>A new network in training mode, which the caller owns.</returns>
    public static CifarResNet Untrained() => new(Depth, ClassCount);

    /// <summary>The embedded safetensors file.</summary>
    /// <returns>A stream, which the caller owns.</returns>
    public static Stream OpenWeights() =>
        typeof(SampleNetwork).Assembly.GetManifestResourceStream(Resource)
        ?? throw new InvalidOperationException($"The assembly Brink.Models needs the resource {Resource}, but was built without it; run samples/TrainSigns and build again.");
}
