using Brink.Reports.Pictures;
using static TorchSharp.torch;

namespace Brink.Reports.Tests.Pictures;

[Trait("speed", "slow")]
public sealed class RecordingClassifierTests
{
    [Fact]
    public void Points_are_recorded_once_in_the_order_of_their_first_pass()
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
    public void Every_image_of_a_batch_is_recorded()
    {
        using var scope = NewDisposeScope();
        var recording = new RecordingClassifier(new TwoClasses(images => images.sum([1L])));
        recording.Logits(tensor(new[] { 0f, 1f, 1f, 0f }, [2, 2]));
        Assert.Equal([[0f, 1f], [1f, 0f]], recording.Points);
    }

    [Fact]
    public void A_long_path_is_thinned_out_evenly_and_starts_at_the_image()
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
        // Evenly, so that the distances of points show the lengths of steps.
        Assert.Single(values.Zip(values.Skip(1), (before, after) => after - before).Distinct());
        Assert.True(values[^1] > 0.99 * steps, "The end is missing.");
    }
}
