using TorchSharp;

namespace Brink.Training.Tests;

public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("speed", "slow")]
    public void A_simple_task_is_learnt()
    {
        using var model = SmallTask.Network();
        var test = new ImagePool(SmallTask.Images(200, seed: 2));
        var before = Accuracy.Of(model, test);
        var history = new Trainer(model, SmallTask.Options with { Epochs = 6 }).Run(SmallTask.Pools(count: 300), test);
        Assert.True(before < 0.7, $"Accuracy before the training: {before}");
        Assert.True(history[^1].TestAccuracy > 0.97, $"{history[^1]}");
        Assert.True(history[^1].HeldOutAccuracy > 0.9, $"{history[^1]}");
        Assert.True(history[^1].Loss < history[0].Loss);
        Assert.Equal([1, 2, 3, 4, 5, 6], history.Select(epoch => epoch.Epoch));
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Adversarial_training_lowers_the_loss_under_attack_and_ends_after_the_given_epoch()
    {
        var pools = SmallTask.Pools(count: 300);
        var options = SmallTask.Options with { Epochs = 6, Augmentation = Augmentation.None, LabelSmoothing = 0 };
        var attack = new AdversarialOptions { Epsilon = 0.2, Share = 1, Steps = 4 };
        using var standard = SmallTask.Network();
        using var robust = SmallTask.Network();
        new Trainer(standard, options).Run(pools);
        var history = new Trainer(robust, options with { Adversarial = attack with { Until = 5 } }).Run(pools);
        Assert.Equal([1, 1, 1, 1, 1, 0], history.Select(epoch => epoch.AdversarialShare));
        var (standardLoss, robustLoss) = (LossUnderAttack(standard), LossUnderAttack(robust));
        Assert.True(robustLoss < 0.8 * standardLoss, $"{robustLoss} against {standardLoss}");

        double LossUnderAttack(Models.LoadedModel model)
        {
            using var scope = torch.NewDisposeScope();
            var test = SmallTask.Images(100, seed: 2);
            var adversarial = new InnerAttack(SmallTask.Classifier(model), attack).Perturb(test.Images(0, 100), test.Labels(0, 100), seed: 0);
            return torch.nn.functional.cross_entropy(model.Module.call(model.Normalization.Apply(adversarial)), test.Labels(0, 100)).item<float>();
        }
    }

    [Fact]
    public void Equal_seeds_give_equal_weights_and_different_seeds_different_ones()
    {
        Assert.Equal(Trained(seed: 1), Trained(seed: 1));
        Assert.NotEqual(Trained(seed: 1)["conv.weight"], Trained(seed: 2)["conv.weight"]);
    }

    [Fact]
    public void The_best_epoch_is_chosen_by_the_held_out_images_and_not_by_the_test_images()
    {
        EpochRecord Epoch(int number, double train, double? heldOut, double test) => new(number, 1, train, heldOut, test, 0.1, 16, 1, 0);
        Assert.Equal(2, EpochRecord.BestOf([Epoch(1, .5, .6, .9), Epoch(2, .6, .8, .7), Epoch(3, .9, .7, .8)])!.Epoch);
        Assert.Equal(3, EpochRecord.BestOf([Epoch(1, .5, null, .9), Epoch(2, .6, null, .7), Epoch(3, .9, null, .8)])!.Epoch);
    }

    [Fact]
    public void A_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint_of_the_last_epoch()
    {
        var folder = TrainingFolder.Open(_folder["run"], new Dictionary<string, string>(StringComparer.Ordinal), resume: false);
        using var model = SmallTask.Network();
        Dictionary<string, byte[]>? good = null;
        var spoil = new CallbackProgress<TrainingProgress>(progress =>
        {
            if (progress.Finished is { Epoch: 1 })
            {
                good = SmallTask.Weights(model);
            }

            if (progress is { Epoch: 2, Batch: 2 })
            {
                using var withoutGradients = torch.no_grad();
                model.Module.get_parameter("fc.weight")!.fill_(float.PositiveInfinity);
            }
        });
        var exception = Assert.Throws<BadInputException>(() => new Trainer(model, SmallTask.Options).Run(SmallTask.Pools(), folder: folder, progress: spoil));
        Assert.Contains("the loss of batch 3 of epoch 2 is", exception.Message, StringComparison.Ordinal);
        Assert.Contains("The checkpoint, if any, holds the model after epoch 1", exception.Message, StringComparison.Ordinal);

        using var kept = SmallTask.Network(seed: 5);
        using var scope = torch.NewDisposeScope();
        var state = folder.Load(kept.Module, new Dictionary<string, torch.Tensor>(StringComparer.Ordinal))!;
        Assert.Equal((1, 0), (state.Epoch, state.Batch));
        Assert.Equal(good, SmallTask.Weights(kept));
    }

    [Fact]
    public void A_learning_rate_that_is_far_too_high_is_reported()
    {
        using var model = SmallTask.SmoothNetwork();
        var exception = Assert.Throws<BadInputException>(() => new Trainer(model, SmallTask.Options with { LearningRate = 1e200, Epochs = 20, Schedule = LearningRateSchedule.Constant }).Run(SmallTask.Pools()));
        Assert.Contains("give a lower learning rate", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void No_tensor_remains()
    {
        using var model = SmallTask.Network();
        // The first run creates the tensors that remain for the lifetime of the process.
        Run();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Run();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Run() => new Trainer(model, SmallTask.Options with { Adversarial = new() { Epsilon = 0.1 }, Growth = new() { Images = 20 } }).Run(SmallTask.Pools());
    }

    [Theory]
    [InlineData(0, 0.1, 0.9, "number of epochs")]
    [InlineData(1, -0.1, 0.9, "learning rate")]
    [InlineData(1, double.NaN, 0.9, "learning rate")]
    [InlineData(1, 0.1, 1.0, "momentum")]
    public void Settings_out_of_range_are_rejected_with_their_name(int epochs, double learningRate, double momentum, string name)
    {
        using var model = SmallTask.Network();
        var exception = Assert.Throws<BadInputException>(() => new Trainer(model, new() { Epochs = epochs, LearningRate = learningRate, Momentum = momentum }));
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_that_do_not_match_the_settings_or_the_model_are_rejected()
    {
        using var model = SmallTask.Network();
        var tooFew = Assert.Throws<BadInputException>(() => new Trainer(model, SmallTask.Options with { BatchSize = 81 }).Run(SmallTask.Pools()));
        Assert.Contains("a batch of 81 images, but there are 80", tooFew.Message, StringComparison.Ordinal);
        using var tenClasses = Models.ModelCatalog.Untrained("resnet20");
        Assert.Contains("10 classes", Assert.Throws<BadInputException>(() => new Trainer(tenClasses, SmallTask.Options).Run(SmallTask.Pools())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Test_images_with_other_classes_and_images_of_another_size_than_the_network_takes_are_rejected()
    {
        using var model = SmallTask.Network();
        var renamed = new ImagePool(new Brink.Data.ImageSet("renamed", ["green", "red", "blue"], 3, 8, 8, new byte[192], new long[1]));
        Assert.Contains("same class names", Assert.Throws<BadInputException>(() => new Trainer(model, SmallTask.Options).Run(SmallTask.Pools(), renamed)).Message, StringComparison.Ordinal);
        var large = new ImagePool(new Brink.Data.ImageSet("large", ["red", "green", "blue"], 3, 9, 9, new byte[16 * 243], new long[16])).Split(seed: 0, heldOut: 0);
        Assert.Contains("shape [1, 3, 9, 9]", Assert.Throws<BadInputException>(() => new Trainer(model, SmallTask.Options).Run(large)).Message, StringComparison.Ordinal);
        var grey = new ImagePool(new Brink.Data.ImageSet("two", ["red", "green", "blue"], 2, 8, 8, new byte[16 * 128], new long[16])).Split(seed: 0, heldOut: 0);
        Assert.Contains("[batch, 3, height, width]", Assert.Throws<BadInputException>(() => new Trainer(model, SmallTask.Options).Run(grey)).Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, byte[]> Trained(long seed)
    {
        using var model = SmallTask.Network();
        new Trainer(model, SmallTask.Options with { Seed = seed, Epochs = 1 }).Run(SmallTask.Pools());
        return SmallTask.Weights(model);
    }
}
