using Brink.Optimization;

namespace Brink.Attacks;

/// <summary>What an attack starts from.</summary>
/// <param name="Subjects">The attacked images with their classes.</param>
/// <param name="Gap">The linear model of the logit gap at the images, if it was asked for.</param>
/// <param name="Objective">The linear model of the objective there, if it was asked for.</param>
internal sealed record AttackStart(Subjects Subjects, LinearModel? Gap, LinearModel? Objective);
