using Brink.Data;
using Brink.Training;

namespace TrainSigns;

/// <summary>The statistics of the training images that the model's normalisation uses.</summary>
internal static class ChannelStatistics
{
    /// <summary>Computes the mean and the standard deviation of each channel, which are constants of SampleNetwork.</summary>
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

/// <summary>Prints a line per epoch.</summary>
internal sealed class EpochLines : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (value.Finished is { } epoch)
        {
            Console.WriteLine(FormattableString.Invariant($"epoch {epoch.Epoch}: loss {epoch.Loss:F4}, test accuracy {epoch.TestAccuracy:P2}"));
        }
    }
}
