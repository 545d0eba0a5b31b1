using TorchSharp;

namespace Brink.Training.Tests.Checkpoints;

[Trait("speed", "slow")]
public sealed class ResumeTests : IDisposable
{
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal) { ["epochs"] = "3" };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(11)]
    public void A_run_that_is_cancelled_after_any_step_and_resumed_ends_with_the_same_weights(int steps)
    {
        var (weights, history) = Train("whole");
        using (var cancellation = new CancellationTokenSource())
        {
            var done = 0;
            Assert.Throws<OperationCanceledException>(() => Train("part", new CallbackProgress<TrainingProgress>(progress =>
            {
                if (progress.Finished is null && ++done == steps)
                {
                    cancellation.Cancel();
                }
            }), cancellation.Token));
        }

        var (resumed, resumedHistory) = Train("part");
        Assert.Equal(weights, resumed);
        Assert.Equal(history, resumedHistory);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder["whole"], TrainingFolder.Best)), File.ReadAllBytes(Path.Combine(_folder["part"], TrainingFolder.Best)));
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder["whole"], TrainingFolder.Last)), File.ReadAllBytes(Path.Combine(_folder["part"], TrainingFolder.Last)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(11)]
    [InlineData(13)]
    public void A_run_that_is_killed_after_any_step_and_resumed_ends_with_the_same_weights(int steps)
    {
        var done = 0;
        var (weights, history) = Train("whole", new CallbackProgress<TrainingProgress>(_ =>
        {
            if (++done == steps)
            {
                _folder.Copy("whole", "killed");
            }
        }));
        Assert.Equal(weights, Train("killed").Weights);
        Assert.Equal(history, Train("killed").History);
    }

    [Fact]
    public void The_batch_grows_before_the_last_epoch() => Assert.Equal([16, 16, 32], Train("whole").History.Select(epoch => epoch.BatchSize));

    [Fact]
    public void A_missing_table_and_figure_are_written_again()
    {
        Train("whole");
        string[] files = [Path.Combine(_folder["whole"], TrainingFolder.Table), Path.Combine(_folder["whole"], TrainingFolder.Figure)];
        var before = files.Select(File.ReadAllBytes).ToArray();
        Array.ForEach(files, File.Delete);
        Train("whole");
        Assert.Equal(before, files.Select(File.ReadAllBytes));
    }

    [Fact]
    public void A_finished_run_takes_no_further_steps()
    {
        var (weights, _) = Train("whole");
        var steps = 0;
        Assert.Equal(weights, Train("whole", new CallbackProgress<TrainingProgress>(_ => steps++)).Weights);
        Assert.Equal(0, steps);
    }

    [Fact]
    public void The_state_of_the_global_generator_is_restored()
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        var expected = torch.rand(5).data<float>().ToArray();
        torch.manual_seed(3);
        Train("whole");
        Assert.Equal(expected, torch.rand(5).data<float>().ToArray());
    }

    [Fact]
    public void A_folder_with_a_run_is_not_overwritten()
    {
        Train("whole");
        var exception = Assert.Throws<BadInputException>(() => TrainingFolder.Open(_folder["whole"], Settings, resume: false));
        Assert.Contains("add --resume", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_with_other_settings_is_not_continued()
    {
        Train("whole");
        var exception = Assert.Throws<BadInputException>(() => TrainingFolder.Open(_folder["whole"], new Dictionary<string, string>(StringComparer.Ordinal) { ["epochs"] = "4" }, resume: true));
        Assert.Contains("epochs was 3 and is 4", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(-1)]
    public void A_damaged_checkpoint_is_rejected_with_a_sentence(int length)
    {
        Train("whole");
        var file = Path.Combine(_folder["whole"], TrainingFolder.Checkpoint);
        using (var stream = File.OpenWrite(file))
        {
            stream.SetLength(length < 0 ? stream.Length + length : length);
        }

        Assert.EndsWith(".", Assert.Throws<BadInputException>(() => Train("whole")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_a_checkpoint_is_rejected_with_a_sentence()
    {
        Directory.CreateDirectory(_folder["other"]);
        using var model = SmallTask.Network();
        WeightsFile.Write(Path.Combine(_folder["other"], TrainingFolder.Checkpoint), model.Module);
        Assert.Contains("its header has no settings", Assert.Throws<BadInputException>(() => Train("other")).Message, StringComparison.Ordinal);
    }

    private (Dictionary<string, byte[]> Weights, EpochRecord[] History) Train(string folder, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var model = SmallTask.Network();
        var opened = TrainingFolder.Open(_folder[folder], Settings, resume: true, epochs => [(byte)epochs.Count]);
        // Everything that resuming must restore: random starts, a growing batch, micro-batches.
        var options = SmallTask.Options with
        {
            Adversarial = new() { Method = AdversarialMethod.Projected, Steps = 2, Until = 2 },
            Growth = new() { MaxBatchSize = 32, Patience = 2, Images = 20 },
            MicroBatchSize = 10,
        };
        var history = new Trainer(model, options).Run(SmallTask.Pools(), folder: opened, progress: progress, cancellationToken: cancellationToken);
        return (SmallTask.Weights(model), [.. history.Select(epoch => epoch with { Seconds = 0, Waiting = 0 })]);
    }
}
