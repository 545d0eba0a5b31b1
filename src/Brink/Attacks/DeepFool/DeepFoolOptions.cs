namespace Brink.Attacks;

/// <summary>The settings of <see cref="DeepFoolAttack"/>.</summary>
public sealed record DeepFoolOptions
{
    /// <summary>p: the norm of the perturbation.</summary>
    /// <value><see cref="Norm.L2"/> (Moosavi-Dezfooli et al. 2016, Algorithm 2; eq. 10 and 11 for other norms).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>Which class each step goes for: best compares the classes anew at every step; hardest is chosen once, at the image.</summary>
    /// <value>Best (Moosavi-Dezfooli et al. 2016, Algorithm 2).</value>
    public TargetSelection Target { get; init; } = TargetSelection.Best;

    /// <summary>Among how many classes other than the label, those with the largest logits, best and hardest choose.</summary>
    /// <value>9 (the authors' program compares ten classes, the label among them).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>The most steps an image gets.</summary>
    /// <value>50 (the authors' program).</value>
    public int MaxIterations { get; init; } = 50;

    /// <summary>η: by what share a step goes beyond its length, so that the boundary is crossed and not only reached.</summary>
    /// <value>0.02 (Moosavi-Dezfooli et al. 2016, §3.2, there of the whole perturbation; of each step in most programs).</value>
    public double Overshoot { get; init; } = 0.02;

    /// <summary>A length added to every step, in units of the input space.</summary>
    /// <value>0.0001 (the authors' program).</value>
    public double ExtraLength { get; init; } = 1e-4;

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        SettingCheck.L2OrLInf("DeepFool", Norm);
        if (Target == TargetSelection.Untargeted)
        {
            throw new BadInputException("DeepFool compares the classes itself, so its target must be best, hardest or the number of a class, but any was given.");
        }

        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("overshoot", Overshoot);
        SettingCheck.NotNegative("extra length", ExtraLength);
    }
}
