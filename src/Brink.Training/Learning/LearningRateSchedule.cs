namespace Brink.Training;

/// <summary>What becomes of the learning rate during a run; p runs from 0 at its first step to 1 after its last.</summary>
public enum LearningRateSchedule
{
    /// <summary>Rises in proportion to p during the warm-up, then falls to 0 as half a cosine (Smith and Topin 2019, with Loshchilov and Hutter's fall).</summary>
    OneCycle,

    /// <summary>Falls to 0 as half a cosine (Loshchilov and Hutter 2017, eq. 5, without restarts).</summary>
    Cosine,

    /// <summary>A tenth after half of the run, a hundredth after three quarters (He et al. 2016, §4.2).</summary>
    Step,

    /// <summary>Stays.</summary>
    Constant,
}
