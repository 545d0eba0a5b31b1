using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Searches, for each image, a small perturbation that fools the classifier.</summary>
public interface IAttack
{
    /// <summary>The name as the command line writes it.</summary>
    string Name { get; }

    /// <summary>The norm that the attack keeps small.</summary>
    Norm Norm { get; }

    /// <summary>Attacks every image that the classifier gets right.</summary>
    /// <remarks>
    /// Every perturbed image is confirmed in a fresh pass, lies within the classifier's bounds, and does not depend on the other images of
    /// the batch. Nothing of the caller's changes: modes, parameters, gradients, images, also after an exception.
    /// </remarks>
    /// <param name="classifier">The network under attack.</param>
    /// <param name="images">x, [batch, …image], floating, within the classifier's bounds, on its device.</param>
    /// <param name="labels">y, the true classes, int64 [batch].</param>
    /// <param name="indices">The place of each image in its data set, from which random draws follow; null for 0, 1, 2, …</param>
    /// <param name="progress">Told now and then, most attacks after every iteration.</param>
    /// <param name="cancellationToken">Stops the attack at the next iteration.</param>
    /// <exception cref="BadInputException">The images, the labels or the classifier cannot be used; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The attack was cancelled.</exception>
    AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, IReadOnlyList<long>? indices = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default);
}
