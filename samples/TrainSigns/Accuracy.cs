using Brink.Data;
using Brink.Models.Samples;
using static TorchSharp.torch;

namespace TrainSigns;

/// <summary>The share of images a network names rightly.</summary>
internal static class Accuracy
{
    private const int BatchSize = 250;

    public static double Of(nn.Module<Tensor, Tensor> network, ImageSet images)
    {
        using var noGradient = no_grad();
        var right = 0L;
        for (var start = 0; start < images.Count; start += BatchSize)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(BatchSize, images.Count - start);
            var predictions = network.forward(SampleNetwork.Normalization.Apply(images.Images(start, count))).argmax(1);
            right += predictions.eq(images.Labels(start, count)).sum().item<long>();
        }

        return right / (double)images.Count;
    }
}
