using Brink.Attacks.FastGradient;
using Brink.Classifiers;
using Brink.Data;
using Brink.Models.Samples;
using static TorchSharp.torch;

namespace TrainSigns;

/// <summary>Stochastic gradient descent with Nesterov momentum; the learning rate rises for a fifth of the steps and then falls as a cosine.</summary>
/// <remarks>With an ε, every image that three steps of iterative FGSM fool within it is replaced by the first point that fools; the others are trained on as they are.</remarks>
internal sealed class Trainer(nn.Module<Tensor, Tensor> network, ImageSet images, int seed, double epsilon)
{
    private const int BatchSize = 64;
    private const double HighestRate = 0.1;
    private const double WarmUp = 0.2;

    private readonly Random _random = new(seed);

    // Three steps that reach the edge of the ball with some to spare.
    private readonly BudgetedFastGradientAttack? _attack = epsilon > 0 ? new(epsilon, FastGradientOptions.Iterative with { MaxIterations = 3, RelativeStep = 0.5 }) : null;
    private readonly NormalizedClassifier _classifier = new(new ModuleClassifier(network, TrafficSigns.ClassNames.Count, SampleNetwork.Normalization.Bounds), SampleNetwork.Normalization);

    public void Run(int epochs, Action<int, double> epochDone)
    {
        using var optimizer = optim.SGD(network.parameters(), HighestRate, momentum: 0.9, weight_decay: 5e-4, nesterov: true);
        var batchesPerEpoch = images.Count / BatchSize;
        var order = Enumerable.Range(0, images.Count).ToArray();
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            // Batch normalisation: batch statistics while training, the running ones (eval) whenever accuracy is measured.
            network.train();
            _random.Shuffle(order);
            var lossSum = 0.0;
            for (var batch = 0; batch < batchesPerEpoch; batch++)
            {
                SetRate(optimizer, ((epoch * batchesPerEpoch) + batch) / (double)(epochs * batchesPerEpoch));
                lossSum += Step(optimizer, order.AsSpan(batch * BatchSize, BatchSize));
            }

            network.eval();
            epochDone(epoch + 1, lossSum / batchesPerEpoch);
        }
    }

    private double Step(optim.Optimizer optimizer, ReadOnlySpan<int> batch)
    {
        using var scope = NewDisposeScope();
        var rows = batch.ToArray();
        var pixels = stack(rows.Select(row => images.Images(row, 1)[0]));
        var labels = tensor(rows.Select(images.Label).ToArray());
        var inputs = SampleNetwork.Normalization.Apply(Perturbed(pixels, labels));
        var loss = nn.functional.cross_entropy(network.forward(inputs), labels);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        return loss.item<float>();
    }

    private Tensor Perturbed(Tensor pixels, Tensor labels)
    {
        if (_attack is null)
        {
            return pixels;
        }

        using var result = _attack.Run(_classifier, pixels, labels);
        return result.Adversarial.clone();
    }

    private static void SetRate(optim.Optimizer optimizer, double progress)
    {
        var share = progress < WarmUp
            ? progress / WarmUp
            : (1 + Math.Cos(Math.PI * (progress - WarmUp) / (1 - WarmUp))) / 2;
        foreach (var group in optimizer.ParamGroups)
        {
            group.LearningRate = HighestRate * share;
        }
    }
}
