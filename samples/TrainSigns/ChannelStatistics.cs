using Brink.Data;

namespace TrainSigns;

/// <summary>The statistics that the network's normalisation comes from.</summary>
internal static class ChannelStatistics
{
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
