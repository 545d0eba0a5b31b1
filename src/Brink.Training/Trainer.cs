using System.Diagnostics;
using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Trains a network: stochastic gradient descent with momentum, one epoch after the other.</summary>
/// <remarks>
/// The order of an epoch, the crop and flip of an image and what the network draws follow from the seed, the epoch and the image or step, never
/// from what was drawn before. So a training that goes on from a checkpoint ends with the very weights of one that was not interrupted.
/// </remarks>
public sealed class Trainer
{
    private readonly LoadedModel _model;
    private readonly TrainingOptions _options;
    private readonly NormalizedClassifier _classifier;
    private readonly InnerAttack? _attack;

    /// <summary>For a network with the given settings.</summary>
    /// <param name="model">The network with its first weights, which training overwrites.</param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <exception cref="BadInputException">A setting is out of its range; the message names it.</exception>
    public Trainer(LoadedModel model, TrainingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        (_model, _options) = (model, options ?? new());
        _options.Check();
        _classifier = new(new ModuleClassifier(model.Module, model.ClassCount, model.Normalization.Bounds, model.Name), model.Normalization);
        _attack = _options.Adversarial is null ? null : new(_classifier, _options.Adversarial);
    }

    /// <summary>Trains, or goes on with a training that was interrupted.</summary>
    /// <param name="images">The images to train on, and those held out of the training, by which the best epoch is chosen; the latter may be empty.</param>
    /// <param name="test">Images whose accuracy is reported after every epoch and chooses nothing; null for none.</param>
    /// <param name="store">Where to keep what is needed to go on; null for nowhere.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellationToken">Stops after the current step, once it is kept.</param>
    /// <returns>Where the training ended, with the history of its epochs. The network is in evaluation mode.</returns>
    /// <exception cref="BadInputException">The images do not fit the network or the settings, or the loss was no longer a number; what is kept then is the end of the last epoch.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what is kept then is the last step.</exception>
    public TrainingState Run((ImagePool Training, ImagePool HeldOut) images, ImagePool? test = null, ITrainingStore? store = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var inference = inference_mode(false);
        using var gradients = enable_grad();
        CheckFits(images.Training, test);
        using var random = new SeededTorch(_options.Seed);
        using var optimizer = new NesterovMomentum(_model.Module, _options.Momentum, _options.WeightDecay);
        var velocities = optimizer.Velocities.ToDictionary(StringComparer.Ordinal);
        var state = store?.Load(_model.Module, velocities);
        if (state is null)
        {
            state = new() { BatchSize = _options.BatchSize };
            store?.Save(_model.Module, velocities, state);
        }

        try
        {
            while (state.Epoch < _options.Epochs)
            {
                _model.Module.train();
                TrainEpoch(images.Training, optimizer, state, progress, cancellationToken);
                _model.Module.eval();
                CheckWeights(state);
                var (batches, rate) = (BatchesIn(images.Training, state), Rate(state, images.Training, lastStep: true));
                var record = new EpochRecord(
                    state.Epoch + 1,
                    state.LossSum / state.Seen,
                    state.Right / (double)state.Seen,
                    images.HeldOut.Count > 0 ? AccuracyOf(images.HeldOut, cancellationToken) : null,
                    test is null ? null : AccuracyOf(test, cancellationToken),
                    rate,
                    state.BatchSize,
                    state.Seconds,
                    state.Seconds > 0 ? state.Waited / state.Seconds : 0,
                    AdversarialShare(state.Epoch),
                    _options.Growth is null ? null : TopEigenvalue(images.Training, _options.Growth, state));
                state.Finish(record, _options.Growth, images.Training.Count);
                store?.Save(_model.Module, velocities, state);
                progress?.Report(new(record.Epoch, _options.Epochs, batches, batches, record.Loss, record.TrainAccuracy, record));
            }
        }
        catch (OperationCanceledException)
        {
            // The last step may have brought weights that no longer are numbers: the end of the last epoch is worth more then.
            CheckWeights(state);
            store?.Save(_model.Module, velocities, state);
            throw;
        }
        finally
        {
            optimizer.Forget();
            _model.Module.eval();
        }

        return state;
    }

    private void TrainEpoch(ImagePool images, NesterovMomentum optimizer, TrainingState state, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        var batches = BatchesIn(images, state);
        var assembly = new BatchAssembly(images, _options.Augmentation, _options.Seed);
        using var prefetched = new PrefetchedBatches(assembly.Epoch(state.Epoch, state.BatchSize, state.Batch));
        var (secondsBefore, waitedBefore, start) = (state.Seconds, state.Waited, Stopwatch.GetTimestamp());
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (prefetched.Next() is not { } batch)
            {
                return;
            }

            SeededTorch.Seed((long)RandomSeed.Of(_options.Seed, (long)Draw.Network, state.Epoch, batch.Number));
            var (loss, right) = Gradients(batch, images, state.Epoch);
            if (!double.IsFinite(loss))
            {
                throw Diverged(state, FormattableString.Invariant($"the loss of batch {batch.Number + 1} of epoch {state.Epoch + 1} is {loss}"));
            }

            optimizer.Step(Rate(state, images));
            state.Batch = batch.Number + 1;
            state.LossSum += loss * batch.Labels.Length;
            state.Right += right;
            state.Seen += batch.Labels.Length;
            state.Seconds = secondsBefore + Stopwatch.GetElapsedTime(start).TotalSeconds;
            state.Waited = waitedBefore + prefetched.Waited.TotalSeconds;
            progress?.Report(new(state.Epoch + 1, _options.Epochs, state.Batch, batches, state.LossSum / state.Seen, state.Right / (double)state.Seen));
        }
    }

    /// <summary>Leaves the gradient of the mean loss of a batch in the weights, summed up over micro-batches.</summary>
    /// <returns>The mean loss and the number of images named rightly.</returns>
    private (double Loss, long Right) Gradients(Batch batch, ImagePool images, int epoch)
    {
        using var scope = NewDisposeScope();
        var (pixels, labels) = BatchTensors.Of(batch, images, _model.Module);
        MakeAdversarial(pixels, labels, epoch, batch.Number);
        return BatchGradient.Add(_model, pixels, labels, _options.LabelSmoothing, _options.MicroBatchSize);
    }

    /// <summary>Overwrites the first images of a batch, whose order is random, with adversarial ones.</summary>
    private void MakeAdversarial(Tensor pixels, Tensor labels, int epoch, int batch)
    {
        var adversarial = (long)Math.Round(AdversarialShare(epoch) * labels.shape[0]);
        for (long start = 0; start < adversarial; start += _options.MicroBatchSize)
        {
            using var scope = NewDisposeScope();
            var size = Math.Min(_options.MicroBatchSize, adversarial - start);
            var part = pixels.narrow(0, start, size);
            part.copy_(_attack!.Perturb(part, labels.narrow(0, start, size), (long)RandomSeed.Of(_options.Seed, (long)Draw.Attack, epoch, batch, start)));
        }
    }

    private double AdversarialShare(int epoch) => _options.Adversarial is { } adversarial && adversarial.IsOn(epoch) ? adversarial.Share : 0;

    private double AccuracyOf(ImagePool images, CancellationToken cancellationToken) => Accuracy.Of(_model, images, cancellationToken, Math.Min(250, _options.MicroBatchSize));

    private double TopEigenvalue(ImagePool images, BatchGrowthOptions growth, TrainingState state)
    {
        using var scope = NewDisposeScope();
        var seed = (long)RandomSeed.Of(_options.Seed, (long)Draw.Curvature);
        var (subsample, _) = images.Split(seed, heldOut: 0, growth.Images);
        var batch = new BatchAssembly(subsample, Augmentation.None, seed).InOrder(subsample.Count).Single();
        var (pixels, labels) = BatchTensors.Of(batch, subsample, _model.Module);
        using var curvature = new LossCurvature(_model, pixels, labels);
        var eigenvalue = curvature.TopEigenvalue(seed, growth.MaxProducts);
        return double.IsFinite(eigenvalue) ? eigenvalue : throw Diverged(state, FormattableString.Invariant($"the curvature of the loss after epoch {state.Epoch + 1} is {eigenvalue}"));
    }

    private double Rate(TrainingState state, ImagePool images, bool lastStep = false)
    {
        var progress = (state.Epoch + ((state.Batch - (lastStep ? 1 : 0)) / (double)BatchesIn(images, state))) / _options.Epochs;
        return _options.LearningRate * state.RateFactor * LearningRates.Share(_options.Schedule, progress, _options.WarmUp);
    }

    private static int BatchesIn(ImagePool images, TrainingState state) => images.Count / state.BatchSize;

    private void CheckFits(ImagePool images, ImagePool? test)
    {
        if (images.Count < _options.BatchSize)
        {
            throw new BadInputException($"A step of the training takes a batch of {_options.BatchSize} images, but there are {images.Count}; give a smaller batch size or more images.");
        }

        if (images.ClassNames.Count != _model.ClassCount)
        {
            throw new BadInputException($"The network {_model.Name} tells {_model.ClassCount} classes apart, but the images have {images.ClassNames.Count}; give images with as many classes.");
        }

        if (test is not null)
        {
            images.CheckFits(test);
        }

        // One image through the network: a sentence now rather than libtorch's words later.
        using var withoutGradients = no_grad();
        using var evaluation = _classifier.EnterEvaluation();
        using var scope = NewDisposeScope();
        var (pixels, _) = BatchTensors.Of(new BatchAssembly(images, Augmentation.None, seed: 0).InOrder(1).First(), images, _model.Module);
        _ = _classifier.Logits(pixels);
        if (_options.Growth is not null)
        {
            // Before the first epoch rather than after it: whether the loss can be differentiated twice.
            using var curvature = new LossCurvature(_model, pixels, zeros([1], ScalarType.Int64, pixels.device));
            _ = curvature.TopEigenvalue(seed: 0, maxProducts: 1);
        }
    }

    private void CheckWeights(TrainingState state)
    {
        using var withoutGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, weight) in _model.Module.named_parameters())
        {
            if (!weight.isfinite().all().item<bool>())
            {
                throw Diverged(state, FormattableString.Invariant($"'{name}' is no longer finite after epoch {state.Epoch + 1}"));
            }
        }
    }

    private BadInputException Diverged(TrainingState state, string what) => new(FormattableString.Invariant(
        $"Training needs a finite loss, but {what}, with the learning rate {_options.LearningRate}; lower the learning rate. A folder keeps the network as it was after epoch {state.Epoch}."));
}
