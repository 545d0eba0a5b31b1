using Brink.Reports.Pictures;
using static TorchSharp.torch;

namespace Brink.Reports.Tests.Pictures;

[Trait("speed", "slow")]
public sealed class RecordingClassifierTests
{
    [Fact]
    public void Every_point_is_kept_once_in_the_order_it_was_first_seen()
    {
        using var scope = NewDisposeScope();
        var recording = new RecordingClassifier(new TwoClasses(images => images.sum([1L])));
        foreach (var value in new[] { 0.5f, 0.25f, 0.5f, 0.75f, 0.25f })
        {
            recording.Logits(full([1, 2], value));
        }

        Assert.Equal([[0.5f, 0.5f], [0.25f, 0.25f], [0.75f, 0.75f]], recording.Points);
    }

    [Fact]
    public void A_batch_is_its_images()
    {
        using var scope = NewDisposeScope();
        var recording = new RecordingClassifier(new TwoClasses(images => images.sum([1L])));
        recording.Logits(tensor(new[] { 0f, 1f, 1f, 0f }, [2, 2]));
        Assert.Equal([[0f, 1f], [1f, 0f]], recording.Points);
    }

    [Fact]
    public void A_long_way_is_thinned_out_and_begins_at_the_image()
    {
        using var scope = NewDisposeScope();
        var recording = new RecordingClassifier(new TwoClasses(images => images.sum([1L])));
        const int steps = 5 * RecordingClassifier.MostPoints;
        for (var step = 0; step < steps; step++)
        {
            recording.Logits(full([1, 2], step / (float)steps));
        }

        Assert.InRange(recording.Points.Count, RecordingClassifier.MostPoints / 2, RecordingClassifier.MostPoints);
        var values = recording.Points.Select(point => (int)Math.Round(point[0] * steps)).ToArray();
        Assert.Equal(0, values[0]);
        // Evenly: the attack's haste or leisure is what the picture shows.
        Assert.Single(values.Zip(values.Skip(1), (before, after) => after - before).Distinct());
        Assert.True(values[^1] > 0.99 * steps, "The end is missing.");
    }
}
