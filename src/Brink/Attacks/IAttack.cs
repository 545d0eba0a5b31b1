using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>An adversarial attack: searches, for each image, a small perturbation that fools the classifier.</summary>
public interface IAttack
{
    /// <summary>The name of the attack on the command line.</summary>
    string Name { get; }

    /// <summary>The norm in which the attack measures perturbations.</summary>
    Norm Norm { get; }

    /// <summary>Attacks every image of a batch that the classifier classifies correctly.</summary>
    /// <remarks>
    /// Every adversarial image is confirmed by a fresh forward pass and lies within the classifier's bounds. It does not depend on the other
    /// images of the batch. The classifier (modes, parameters, gradients) and the images are left unchanged, also after an exception.
    /// </remarks>
    /// <param name="classifier">The classifier to attack.</param>
    /// <param name="images">The images x, shape [batch, …], float32 or float64, within the classifier's bounds and on its device.</param>
    /// <param name="labels">The true classes y, int64, shape [batch].</param>
    /// <param name="criterion">The condition under which an image counts as fooled; null for <see cref="Criterion.Misclassification"/>. Images that meet it before the attack are skipped.</param>
    /// <param name="indices">The index of each image in its data set, which determines its random draws and its target class; null for 0, 1, 2 and so on.</param>
    /// <param name="maxPasses">
    /// The maximum number of passes per image, <see cref="Outcome.Forwards"/> plus <see cref="Outcome.Backwards"/>; null for no limit. For an image that
    /// needs more, the result is the nearest adversarial image of its passes, or the exit reason <see cref="AttackExit.PassLimit"/> if there is none.
    /// </param>
    /// <param name="progress">The receiver of progress reports, in most attacks one per iteration; null for none.</param>
    /// <param name="cancellationToken">A token that stops the attack at the next iteration.</param>
    /// <returns>The adversarial images and the outcome of each image; the caller disposes it.</returns>
    /// <exception cref="BadInputException">The images, the labels, the criterion, the maximum number of passes or the classifier cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The attack was cancelled.</exception>
    AttackResult Run(IClassifier classifier, Tensor images, Tensor labels, Criterion? criterion = null, IReadOnlyList<long>? indices = null, int? maxPasses = null, IProgress<AttackProgress>? progress = null, CancellationToken cancellationToken = default);
}

/// <summary>An attack that searches for the smallest perturbation that fools the classifier.</summary>
/// <remarks>The lengths of its perturbations are upper bounds of the distance to the decision boundary.</remarks>
public interface IMinimalAttack : IAttack;

/// <summary>An attack that tries perturbations up to a given length.</summary>
/// <remarks>Its result is the share of images that are fooled. The lengths of its perturbations say nothing about shorter ones.</remarks>
public interface IBudgetedAttack : IAttack
{
    /// <summary>The largest length ε of a perturbation, in the norm of the attack and in units of the classifier's input space.</summary>
    double Epsilon { get; }
}

/// <summary>A progress report of a running attack.</summary>
/// <param name="Iteration">The number of completed iterations.</param>
/// <param name="Attacked">The number of attacked images, finished ones included.</param>
/// <param name="Active">The number of images that the attack still works on.</param>
public readonly record struct AttackProgress(int Iteration, int Attacked, int Active);
