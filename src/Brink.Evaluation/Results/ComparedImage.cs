namespace Brink.Evaluation.Results;

/// <summary>What a comparison needs to know of one image of one run.</summary>
/// <param name="Index">Its place in the whole data set.</param>
/// <param name="Attacked">Whether it was attacked.</param>
/// <param name="Fooled">Whether it was fooled, confirmed in a fresh pass.</param>
/// <param name="Relative">‖x′ − x‖_p / ‖x‖_p in the norm and space of the attack.</param>
/// <param name="RelativeNormalized">The same after the network's normalisation.</param>
/// <param name="Forwards">Forward passes.</param>
/// <param name="Backwards">Backward passes.</param>
public sealed record ComparedImage(long Index, bool Attacked, bool Fooled, double Relative, double RelativeNormalized, long Forwards, long Backwards)
{
    /// <summary>Of an image that was just attacked.</summary>
    public static ComparedImage Of(EvaluatedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new(image.Index, image.Outcome.Attacked, image.Outcome.Fooled, image.Outcome.Relative, image.RelativeNormalized, image.Outcome.Forwards, image.Outcome.Backwards);
    }
}
