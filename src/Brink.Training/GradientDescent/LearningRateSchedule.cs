namespace Brink.Training;

/// <summary>The course of the learning rate over a run, as a function of the finished share p of the run, between 0 and 1.</summary>
public enum LearningRateSchedule
{
    /// <summary>A linear increase from 0 during the warm-up, then a decrease to 0 as half a cosine (Smith and Topin 2019, with the decrease of Loshchilov and Hutter 2017).</summary>
    OneCycle,

    /// <summary>A decrease to 0 as half a cosine (Loshchilov and Hutter 2017, eq. 5, without restarts).</summary>
    Cosine,

    /// <summary>A division by 10 after half of the run, and by 100 after three quarters (He et al. 2016, §4.2).</summary>
    Step,

    /// <summary>A constant learning rate.</summary>
    Constant,
}

/// <summary>The formulas of <see cref="LearningRateSchedule"/>.</summary>
internal static class LearningRates
{
    /// <summary>Computes the learning rate as a share of the highest learning rate.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="progress">p: the finished share of the run, between 0 and 1.</param>
    /// <param name="warmUp">The share of the run in which the learning rate increases, at least 0 and below 1; used by <see cref="LearningRateSchedule.OneCycle"/> only.</param>
    /// <returns>A factor between 0 and 1.</returns>
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
