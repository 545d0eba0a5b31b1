namespace Brink.Training;

/// <summary>The formulas of <see cref="LearningRateSchedule"/>.</summary>
internal static class LearningRates
{
    /// <summary>The learning rate as a share of the highest.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="progress">p, the share of the run that is done, 0 to 1.</param>
    /// <param name="warmUp">The share of the run in which the rate rises, below 1; read by one schedule alone.</param>
    public static double Share(LearningRateSchedule schedule, double progress, double warmUp) => schedule switch
    {
        LearningRateSchedule.OneCycle when progress < warmUp => progress / warmUp,
        LearningRateSchedule.OneCycle => HalfCosine((progress - warmUp) / (1 - warmUp)),
        LearningRateSchedule.Cosine => HalfCosine(progress),
        LearningRateSchedule.Step => progress < 0.5 ? 1 : progress < 0.75 ? 0.1 : 0.01,
        _ => 1,
    };

    private static double HalfCosine(double share) => (1 + Math.Cos(Math.PI * share)) / 2;
}
