namespace Brink.Attacks;

/// <summary>The settings of <see cref="DeepFoolAttack"/>.</summary>
public sealed record DeepFoolOptions : IAttackOptions
{
    /// <summary>The norm ‖·‖_p of the perturbation.</summary>
    /// <value><see cref="Norm.L2"/> (Moosavi-Dezfooli et al. 2016, Algorithm 2; eq. 10 and 11 for other norms).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>The selection of the class that the attack approaches, best or hardest. Best is chosen anew at every step; hardest is chosen once, at the original image.</summary>
    /// <value><see cref="TargetSelection.Best"/> (Moosavi-Dezfooli et al. 2016, Algorithm 2).</value>
    public TargetSelection Target { get; init; } = TargetSelection.Best;

    /// <summary>The number of classes, those with the largest logits other than the label, among which best and hardest choose.</summary>
    /// <value>9 (the authors' program, which compares ten classes including the label).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>The maximum number of steps per image.</summary>
    /// <value>50 (the authors' program).</value>
    public int MaxIterations { get; init; } = 50;

    /// <summary>The overshoot: the share of its length that is added to a step, so that it crosses the boundary.</summary>
    /// <value>0.02 (Moosavi-Dezfooli et al. 2016, §3.2, where it is a share of the whole perturbation; most programs apply it to each step).</value>
    public double Overshoot { get; init; } = 0.02;

    /// <summary>The length that is added to every step, in units of the input space.</summary>
    /// <value>0.0001 (the authors' program).</value>
    public double ExtraLength { get; init; } = 1e-4;

    /// <summary>Creates the attack with these settings.</summary>
    /// <returns>The attack.</returns>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public IAttack CreateAttack() => new DeepFoolAttack(this);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.L2OrLInf("DeepFool", Norm);
        if (Target == TargetSelection.Untargeted)
        {
            throw new BadInputException("DeepFool compares the classes itself, so its target must be best or hardest, or the criterion a target class, but untargeted was given.");
        }

        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("overshoot", Overshoot);
        SettingCheck.NotNegative("extra length", ExtraLength);
    }
}
