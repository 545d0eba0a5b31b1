namespace Brink.Training.Tests.GradientDescent;

public sealed class GrowthTests
{
    private static readonly BatchGrowthOptions Growth = new() { MaxBatchSize = 100, Factor = 2, EigenvalueDrop = 2, Patience = 3 };

    [Fact]
    public void Batch_size_and_learning_rate_grow_when_the_eigenvalue_has_fallen()
    {
        var state = After(Growth with { Patience = 99 }, 16, 8, 5, 4.1, 4);
        Assert.Equal((32, 2.0), (state.BatchSize, state.RateFactor));
        Assert.Equal((4.0, 4), (state.GrownAtEigenvalue, state.GrownAt));
        Assert.Equal(16, After(Growth with { Patience = 99 }, 16, 8, 5, 4.1).BatchSize);
    }

    [Fact]
    public void Batch_size_and_learning_rate_grow_after_the_patience_for_any_eigenvalue()
    {
        Assert.Equal(16, After(Growth, 16, 8, 9).BatchSize);
        Assert.Equal(32, After(Growth, 16, 8, 9, 10).BatchSize);
        Assert.Equal(32, After(Growth, 16, 8, 9, 10, 11, 12).BatchSize);
        Assert.Equal(64, After(Growth, 16, 8, 9, 10, 11, 12, 13).BatchSize);
    }

    [Fact]
    public void The_fall_of_the_eigenvalue_is_measured_from_the_last_growth() =>
        Assert.Equal(32, After(Growth with { Patience = 99 }, 16, 8, 4, 2.1).BatchSize);

    [Fact]
    public void Growth_ends_at_the_maximum_batch_size_and_at_the_number_of_images()
    {
        var state = After(Growth, 60, 64, 32, 16, 8);
        Assert.Equal(100, state.BatchSize);
        Assert.Equal(100 / 60.0, state.RateFactor, 1e-12);
        Assert.Equal(80, WithImages(80, Growth, 60, 64, 32, 16).BatchSize);
    }

    [Fact]
    public void A_run_with_growth_has_growing_batches_and_learning_rates()
    {
        using var model = SmallTask.Network();
        var options = SmallTask.Options with { Epochs = 4, Growth = new() { MaxBatchSize = 64, Patience = 1, Images = 20 }, MicroBatchSize = 16, Schedule = LearningRateSchedule.Constant };
        var history = new Trainer(model, options).Run(SmallTask.Pools());
        Assert.Equal([16, 32, 64, 64], history.Select(epoch => epoch.BatchSize));
        Assert.Equal([1, 2, 4, 4], history.Select(epoch => epoch.LearningRate / options.LearningRate));
        Assert.All(history, epoch => Assert.True(epoch.Eigenvalue > 0));
    }

    [Fact]
    public void The_magnitude_of_a_negative_eigenvalue_is_used()
    {
        Assert.Equal(16, After(Growth with { Patience = 99 }, 16, 8, -7, 5).BatchSize);
        Assert.Equal(16, After(Growth with { Patience = 99 }, 16, -8, -5).BatchSize);
        Assert.Equal(32, After(Growth with { Patience = 99 }, 16, -8, 4).BatchSize);
    }

    [Fact]
    public void A_batch_grows_by_at_least_one_image() =>
        Assert.Equal(17, After(Growth with { Factor = 1.005, Patience = 1 }, 16, 8).BatchSize);

    [Fact]
    public void The_schedule_follows_the_epochs_for_any_batch_size()
    {
        using var model = SmallTask.Network();
        var options = SmallTask.Options with { Epochs = 3, Growth = new() { MaxBatchSize = 64, Patience = 1, Images = 20 }, Schedule = LearningRateSchedule.Cosine };
        var pools = SmallTask.Pools();
        var history = new Trainer(model, options).Run(pools);
        Assert.All(history, epoch =>
        {
            // The learning rate of the last of the b steps of epoch e (from 0) of E: η · batch size/first batch size · (1 + cos(π (e + (b − 1)/b) / E)) / 2.
            var steps = pools.Training.Count / epoch.BatchSize;
            var progress = (epoch.Epoch - 1 + ((steps - 1) / (double)steps)) / options.Epochs;
            Assert.Equal(options.LearningRate * epoch.BatchSize / options.BatchSize * (1 + Math.Cos(Math.PI * progress)) / 2, epoch.LearningRate, 1e-12);
        });
    }

    [Theory]
    [InlineData(15, 2, 2, "maximum batch size")]
    [InlineData(64, 1, 2, "growth factor")]
    [InlineData(64, 2, 1, "eigenvalue drop")]
    public void Settings_out_of_range_are_rejected_with_their_name(int largest, double factor, double drop, string name)
    {
        using var model = SmallTask.Network();
        var options = SmallTask.Options with { Growth = new() { MaxBatchSize = largest, Factor = factor, EigenvalueDrop = drop } };
        Assert.Contains(name, Assert.Throws<BadInputException>(() => new Trainer(model, options)).Message, StringComparison.Ordinal);
    }

    private static TrainingState After(BatchGrowthOptions growth, int batchSize, params double[] eigenvalues) => WithImages(1000, growth, batchSize, eigenvalues);

    private static TrainingState WithImages(int images, BatchGrowthOptions growth, int batchSize, params double[] eigenvalues)
    {
        var state = new TrainingState { BatchSize = batchSize };
        foreach (var eigenvalue in eigenvalues)
        {
            state.Finish(new(state.Epoch + 1, 1, 0.5, null, null, 0.1, state.BatchSize, 1, 0, 0, eigenvalue), growth, images);
        }

        return state;
    }
}
