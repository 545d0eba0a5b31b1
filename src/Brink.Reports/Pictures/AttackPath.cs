using Brink.Attacks;
using Brink.Evaluation.Runs;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>The way of an attack on one image.</summary>
/// <param name="Attack">What the attack is called.</param>
/// <param name="Result">How it went.</param>
/// <param name="Points">Every point that the attack showed to the network, in order and each once, the image first; flattened, in the space of the attack.</param>
/// <param name="End">The image that the attack returned, flattened.</param>
public sealed record AttackPath(string Attack, Outcome Result, IReadOnlyList<float[]> Points, float[] End)
{
    /// <summary>Runs an attack on one image and keeps what it looks at.</summary>
    /// <param name="name">What the attack is called.</param>
    /// <param name="model">The network.</param>
    /// <param name="attack">The attack.</param>
    /// <param name="image">[1, …image], in the model's space.</param>
    /// <param name="label">Its class, int64 [1].</param>
    /// <param name="index">Its place in the data set, from which random draws follow.</param>
    /// <param name="cancellationToken">Stops the attack.</param>
    /// <exception cref="BadInputException">The attack cannot use the network or the image.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static AttackPath Record(string name, OpenedModel model, IAttack attack, Tensor image, Tensor label, long index, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(attack);
        ArgumentNullException.ThrowIfNull(image);
        var recording = new RecordingClassifier(model.Classifier);
        using var result = attack.Run(recording, image, label, [index], cancellationToken: cancellationToken);
        using var scope = NewDisposeScope();
        var end = result.Adversarial.cpu().to(ScalarType.Float32).flatten().contiguous();
        return new(name, result.Outcomes[0], recording.Points, end.data<float>().ToArray());
    }
}
