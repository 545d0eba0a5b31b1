namespace Brink.Evaluation.Runs;

/// <summary>One row of <c>images.parquet</c>.</summary>
/// <param name="Index">The image's place in the whole data set.</param>
/// <param name="Label">y.</param>
/// <param name="PredictionBefore">The predicted class before the attack; −1 where there was none.</param>
/// <param name="PredictionAfter">The predicted class of the image that the attack returned.</param>
/// <param name="Fooled">Whether it is fooled, confirmed in a fresh pass.</param>
/// <param name="Exit">How the attack ended: <c>iteration-limit</c>.</param>
/// <param name="L2">‖x′ − x‖₂ in the space of the attack.</param>
/// <param name="LInf">‖x′ − x‖_∞ in the space of the attack.</param>
/// <param name="Relative">‖x′ − x‖_p / ‖x‖_p in the norm and space of the attack.</param>
/// <param name="Iterations">Steps taken.</param>
/// <param name="Queries">Forward and backward passes.</param>
/// <param name="Products">Hessian-vector products.</param>
public sealed record SavedImage(long Index, long Label, long PredictionBefore, long PredictionAfter, bool Fooled, string Exit, double L2, double LInf, double Relative, long Iterations, long Queries, long Products)
{
    /// <summary>Whether the image was attacked: classified correctly, and not already in the class to reach.</summary>
    public bool Attacked => Exit is not ("misclassified" or "skipped");
}
