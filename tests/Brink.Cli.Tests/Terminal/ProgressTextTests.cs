using System.Globalization;
using Brink.Cli.Terminal;
using Brink.Evaluation.Runs;

namespace Brink.Cli.Tests.Terminal;

public sealed class ProgressTextTests
{
    public static TheoryData<EvaluationProgress, int, string> Sequence => new()
    {
        { new(1000, 0, 0, double.NaN), 0, "0 of 1000 images" },
        { new(1000, 16, 0, double.NaN), 2, "16 of 1000 images, 8/s, 2:03 left" },
        { new(1000, 64, 0, double.NaN) { Evaluated = 64 }, 4, "64 of 1000 images, 0 fooled, 16/s, 0:59 left" },
        { new(1000, 128, 120, 0.0087654) { Evaluated = 128 }, 6, "128 of 1000 images, 120 fooled, mean 0.88 %, 21.3/s, 0:41 left" },
        { new(1000, 1000, 964, 0.0087654) { Evaluated = 1000 }, 50, "1000 of 1000 images, 964 fooled, mean 0.88 %, 20/s, 0:00 left" },
        // Resumed: an earlier start computed 500 images, outside the ten seconds.
        { new(1000, 500, 480, 0.01) { Evaluated = 500, Restored = 500 }, 10, "500 of 1000 images, 480 fooled, mean 1.00 %" },
        { new(1000, 510, 480, 0.01) { Evaluated = 500, Restored = 500 }, 10, "510 of 1000 images, 480 fooled, mean 1.00 %, 1/s, 8:10 left" },
        { new(50_000, 5, 4, 0.01) { Evaluated = 5 }, 10, "5 of 50000 images, 4 fooled, mean 1.00 %, 0.5/s, 27:46:30 left" },
    };

    [Theory, MemberData(nameof(Sequence))]
    public void A_line_gives_finished_and_fooled_images_the_rate_and_the_remaining_time(EvaluationProgress progress, int seconds, string line)
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            Assert.Equal(line, ProgressText.Of(progress, TimeSpan.FromSeconds(seconds)));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Theory]
    [InlineData(1000, "tr")]
    [InlineData(50_000, "tr[target=best,refine=0,max-iterations=1000,preset=authors]")]
    [InlineData(1_000_000, "deepfool[candidates=2]")]
    [InlineData(1_000_000, null)]
    public void A_line_fits_the_given_width_and_a_long_name_is_shortened_at_its_end(int images, string? name)
    {
        foreach (var columns in new[] { 68, Screen.Columns })
        {
            var line = ProgressText.Of(new(images, images - 1, images - 1, 0.12345) { Evaluated = images - 1 }, TimeSpan.FromSeconds(images * 0.123), name, columns);
            Assert.InRange(line.Length, 1, columns);
            Assert.Contains("left", line, StringComparison.Ordinal);
            Assert.StartsWith(name is null ? $"{images - 1} of" : name[..1], line, StringComparison.Ordinal);
        }

        Assert.StartsWith($"{name ?? "0"}", ProgressText.Of(new(images, 0, 0, double.NaN), TimeSpan.Zero, name), StringComparison.Ordinal);
    }
}
