using Brink.Models.Architectures;

namespace Brink.Models;

/// <summary>The embedded network: a residual network of 8 layers that classifies ten traffic signs.</summary>
/// <remarks>
/// <c>signs.md</c> in this folder describes its data, training and accuracy. The input is [batch, 3, 32, 32], pixels in [0, 1] after
/// <see cref="Normalization"/>.
/// </remarks>
internal static class SampleNetwork
{
    /// <summary>The name of the model in <see cref="ModelCatalog"/>.</summary>
    public const string Name = "signs";

    private const int Depth = 8;
    private const int ClassCount = 10;
    private const string Resource = "Brink.Models.Samples.signs.safetensors";

    /// <summary>The preprocessing: mean and standard deviation of the training images, rounded to three digits (<c>samples/TrainSigns</c> prints them).</summary>
    public static Normalization Normalization { get; } = new([0.374, 0.371, 0.369], [0.177, 0.170, 0.190]);

    /// <summary>Creates the network with the weights that are embedded in this assembly.</summary>
    /// <returns>The network in evaluation mode; the caller disposes it.</returns>
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

    /// <summary>Creates the network with random weights, for training.</summary>
    /// <returns>The network in training mode; the caller disposes it.</returns>
    public static CifarResNet Untrained() => new(Depth, ClassCount);

    /// <summary>Opens the embedded safetensors file.</summary>
    /// <returns>The stream; the caller disposes it.</returns>
    public static Stream OpenWeights() =>
        typeof(SampleNetwork).Assembly.GetManifestResourceStream(Resource)
        ?? throw new InvalidOperationException($"The assembly Brink.Models needs the resource {Resource}, but was built without it; run samples/TrainSigns and build again.");
}
