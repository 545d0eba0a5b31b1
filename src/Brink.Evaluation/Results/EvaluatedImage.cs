using Brink.Attacks;

namespace Brink.Evaluation.Results;

/// <summary>One image of a run.</summary>
/// <param name="Index">Its place in the whole data set.</param>
/// <param name="Outcome">What the attack did to it.</param>
/// <param name="RelativeNormalized">‖(x′ − x)/std‖_p / ‖(x − mean)/std‖_p in the attack's norm.</param>
public sealed record EvaluatedImage(int Index, Outcome Outcome, double RelativeNormalized);
