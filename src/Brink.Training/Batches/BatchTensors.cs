using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>A batch as tensors.</summary>
internal static class BatchTensors
{
    /// <summary>The images [batch, channels, height, width], in [0, 1], and the labels [batch], in the type and on the device of a network.</summary>
    public static (Tensor Pixels, Tensor Labels) Of(Batch batch, ImagePool images, nn.Module network)
    {
        using var scope = NewDisposeScope();
        var like = network.parameters().First();
        var planes = tensor(batch.Pixels, [batch.Labels.Length, images.Channels, images.Height, images.Width]).to(like.dtype, like.device);
        // Channels last in memory, which libtorch's convolutions on the CPU prefer: a quarter faster for AlexLike.
        var pixels = planes.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        var labels = tensor(batch.Labels).to(like.device);
        return (pixels.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }
}
