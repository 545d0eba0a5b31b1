using System.Diagnostics;
using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Training;

/// <summary>Trains a model by stochastic gradient descent with Nesterov momentum and weight decay, with standard or adversarial training.</summary>
/// <remarks>
/// No random draw depends on an earlier one: the order of an epoch, the crop and flip of an image, the random start of an attack and the dropout
/// masks are functions of the seed, the epoch and the image or the step. A run that is resumed from a checkpoint therefore ends with the weights of
/// an uninterrupted run, bit for bit.
/// </remarks>
public sealed class Trainer
{
    private readonly LoadedModel _model;
    private readonly TrainingOptions _options;
    private readonly NormalizedClassifier _classifier;
    private readonly InnerAttack? _attack;

    /// <summary>Creates a trainer for a model.</summary>
    /// <param name="model">The model with its initial weights, which the training overwrites.</param>
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

    /// <summary>Trains the model, or continues the run in a folder. Afterwards the model is in evaluation mode.</summary>
    /// <param name="images">The training images, and the held-out images with which the best epoch is chosen; the latter may be empty. See <see cref="ImagePool.Split"/>.</param>
    /// <param name="test">The test images, whose accuracy is reported after every epoch and does not influence the result; null for none.</param>
    /// <param name="folder">The folder for the checkpoint, the weights and the history; null to write no files.</param>
    /// <param name="progress">The receiver of a report after every step and every epoch; null for none.</param>
    /// <param name="cancellationToken">A token that stops the run after the current step.</param>
    /// <returns>The results of all epochs.</returns>
    /// <exception cref="BadInputException">The images do not match the model or the settings, or the loss or a weight is not finite. The checkpoint is then that of the last finished epoch.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled. The checkpoint is then that of the last step.</exception>
    public IReadOnlyList<EpochRecord> Run((ImagePool Training, ImagePool HeldOut) images, ImagePool? test = null, TrainingFolder? folder = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var inference = inference_mode(false);
        using var gradients = enable_grad();
        CheckImages(images.Training, test);
        using var random = new SeededTorch(_options.Seed);
        using var optimizer = new NesterovMomentum(_model.Module, _options.Momentum, _options.WeightDecay);
        var velocities = optimizer.Velocities.ToDictionary(StringComparer.Ordinal);
        var state = folder?.Load(_model.Module, velocities);
        if (state is null)
        {
            state = new() { BatchSize = _options.BatchSize };
            folder?.Save(_model.Module, velocities, state);
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
                    state.Correct / (double)state.Seen,
                    images.HeldOut.Count > 0 ? AccuracyOf(images.HeldOut, cancellationToken) : null,
                    test is null ? null : AccuracyOf(test, cancellationToken),
                    rate,
                    state.BatchSize,
                    state.Seconds,
                    state.Seconds > 0 ? state.Waited / state.Seconds : 0,
                    AdversarialShare(state.Epoch),
                    _options.Growth is null ? null : TopEigenvalue(images.Training, _options.Growth, state));
                state.Finish(record, _options.Growth, images.Training.Count);
                folder?.Save(_model.Module, velocities, state);
                progress?.Report(new(record.Epoch, _options.Epochs, batches, batches, record.Loss, record.TrainAccuracy, record));
            }
        }
        catch (OperationCanceledException)
        {
            // Weights that are no longer finite after the last step must not replace the checkpoint of the last epoch.
            CheckWeights(state);
            folder?.Save(_model.Module, velocities, state);
            throw;
        }
        finally
        {
            optimizer.ClearGradients();
            _model.Module.eval();
        }

        return state.History;
    }

    /// <summary>Writes the weights of the model as safetensors, atomically.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="half">Whether to round floating-point tensors to float16, which halves the size of the file.</param>
    /// <exception cref="BadInputException">The file cannot be written, or a weight is too large for float16.</exception>
    public void SaveWeights(string path, bool half = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        WeightsFile.Write(path, _model.Module, half);
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

            SeededTorch.Seed((long)RandomSeed.Of(_options.Seed, (long)RandomPurpose.Network, state.Epoch, batch.Number));
            var (loss, correct) = AddGradients(batch, images, state.Epoch);
            if (!double.IsFinite(loss))
            {
                throw Diverged(state, FormattableString.Invariant($"the loss of batch {batch.Number + 1} of epoch {state.Epoch + 1} is {loss}"));
            }

            optimizer.Step(Rate(state, images));
            state.Batch = batch.Number + 1;
            state.LossSum += loss * batch.Labels.Length;
            state.Correct += correct;
            state.Seen += batch.Labels.Length;
            state.Seconds = secondsBefore + Stopwatch.GetElapsedTime(start).TotalSeconds;
            state.Waited = waitedBefore + prefetched.Waited.TotalSeconds;
            progress?.Report(new(state.Epoch + 1, _options.Epochs, state.Batch, batches, state.LossSum / state.Seen, state.Correct / (double)state.Seen));
        }
    }

    /// <summary>Computes the gradients of the mean loss of a batch and stores them with the weights.</summary>
    /// <returns>The mean loss, and the number of correctly classified images.</returns>
    private (double Loss, long Correct) AddGradients(Batch batch, ImagePool images, int epoch)
    {
        using var scope = NewDisposeScope();
        var (pixels, labels) = batch.ToTensors(images, _model.Module);
        PerturbPart(pixels, labels, epoch, batch.Number);
        return BatchGradient.Add(_model, pixels, labels, _options.LabelSmoothing, _options.MicroBatchSize);
    }

    /// <summary>Overwrites the first images of a batch, whose order is random, with perturbed ones.</summary>
    private void PerturbPart(Tensor pixels, Tensor labels, int epoch, int batch)
    {
        var adversarial = (long)Math.Round(AdversarialShare(epoch) * labels.shape[0]);
        for (long start = 0; start < adversarial; start += _options.MicroBatchSize)
        {
            using var scope = NewDisposeScope();
            var size = Math.Min(_options.MicroBatchSize, adversarial - start);
            var part = pixels.narrow(0, start, size);
            part.copy_(_attack!.Perturb(part, labels.narrow(0, start, size), (long)RandomSeed.Of(_options.Seed, (long)RandomPurpose.Attack, epoch, batch, start)));
        }
    }

    private double AdversarialShare(int epoch) => _options.Adversarial is { } adversarial && adversarial.IsOn(epoch) ? adversarial.Share : 0;

    // 250 images per pass: the default of Accuracy.Of, unless the memory allows fewer.
    private double AccuracyOf(ImagePool images, CancellationToken cancellationToken) => Accuracy.Of(_model, images, cancellationToken, Math.Min(250, _options.MicroBatchSize));

    private double TopEigenvalue(ImagePool images, BatchGrowthOptions growth, TrainingState state)
    {
        using var scope = NewDisposeScope();
        var seed = (long)RandomSeed.Of(_options.Seed, (long)RandomPurpose.Curvature);
        var (subsample, _) = images.Split(seed, heldOut: 0, growth.Images);
        var batch = new BatchAssembly(subsample, Augmentation.None, seed).InOrder(subsample.Count).Single();
        var (pixels, labels) = batch.ToTensors(subsample, _model.Module);
        using var curvature = new LossCurvature(_model, pixels, labels);
        var eigenvalue = curvature.TopEigenvalue(seed, growth.MaxProducts);
        return double.IsFinite(eigenvalue) ? eigenvalue : throw Diverged(state, FormattableString.Invariant($"the eigenvalue of the loss after epoch {state.Epoch + 1} is {eigenvalue}"));
    }

    private double Rate(TrainingState state, ImagePool images, bool lastStep = false)
    {
        var progress = (state.Epoch + ((state.Batch - (lastStep ? 1 : 0)) / (double)BatchesIn(images, state))) / _options.Epochs;
        return _options.LearningRate * state.RateFactor * LearningRates.Share(_options.Schedule, progress, _options.WarmUp);
    }

    private static int BatchesIn(ImagePool images, TrainingState state) => images.Count / state.BatchSize;

    private void CheckImages(ImagePool images, ImagePool? test)
    {
        if (images.Count < _options.BatchSize)
        {
            throw new BadInputException($"A training step needs a batch of {_options.BatchSize} images, but there are {images.Count}; give a smaller batch size or more images.");
        }

        if (images.ClassNames.Count != _model.ClassCount)
        {
            throw new BadInputException($"The model {_model.Name} has {_model.ClassCount} classes, but the images have {images.ClassNames.Count}; give images with the same number of classes.");
        }

        if (test is not null)
        {
            images.CheckMatches(test);
        }

        // A forward pass of one image: for a wrong image size, the classifier has a clearer message than libtorch.
        using var withoutGradients = no_grad();
        using var evaluation = _classifier.EnterEvaluation();
        using var scope = NewDisposeScope();
        var (pixels, _) = new BatchAssembly(images, Augmentation.None, seed: 0).InOrder(1).First().ToTensors(images, _model.Module);
        _ = _classifier.Logits(pixels);
        if (_options.Growth is not null)
        {
            // A loss that is not differentiable twice is rejected before the first epoch, not after it.
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
                throw Diverged(state, FormattableString.Invariant($"the weight '{name}' is not finite after epoch {state.Epoch + 1}"));
            }
        }
    }

    private BadInputException Diverged(TrainingState state, string cause) => new(FormattableString.Invariant(
        $"Training needs a finite loss and finite weights, but {cause} with the learning rate {_options.LearningRate}; give a lower learning rate. The checkpoint, if any, holds the model after epoch {state.Epoch}."));
}
