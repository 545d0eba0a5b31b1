using Brink.Data;
using Brink.Models.Samples;
using static TorchSharp.torch;

namespace TrainSigns;

/// <summary>The step between pixels in [0, 1] and what the network takes.</summary>
internal static class Normalization
{
    /// <summary>(pixel − mean) / deviation, channel by channel.</summary>
    public static Tensor Apply(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var mean = tensor(SampleNetwork.Mean.ToArray(), ScalarType.Float32).reshape(-1, 1, 1);
        var deviation = tensor(SampleNetwork.Std.ToArray(), ScalarType.Float32).reshape(-1, 1, 1);
        return ((pixels - mean) / deviation).MoveToOuterDisposeScope();
    }

    /// <summary>Mean and standard deviation of each channel as the images have them: what SampleNetwork keeps as constants.</summary>
    public static string Measure(ImageSet images)
    {
        var plane = images.Height * images.Width;
        var values = Enumerable.Range(0, images.Channels).Select(channel =>
        {
            var (sum, squares) = (0.0, 0.0);
            for (var index = 0; index < images.Count; index++)
            {
                foreach (var pixel in images.Pixels(index).Slice(channel * plane, plane))
                {
                    sum += pixel / 255.0;
                    squares += pixel / 255.0 * (pixel / 255.0);
                }
            }

            var mean = sum / ((double)images.Count * plane);
            var deviation = Math.Sqrt((squares / ((double)images.Count * plane)) - (mean * mean));
            return FormattableString.Invariant($"{mean:F4} ± {deviation:F4}");
        });

        return string.Join(", ", values);
    }
}
