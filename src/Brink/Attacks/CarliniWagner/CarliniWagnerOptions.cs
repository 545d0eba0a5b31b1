namespace Brink.Attacks;

/// <summary>The settings of <see cref="CarliniWagnerAttack"/>.</summary>
public sealed record CarliniWagnerOptions : IAttackOptions
{
    /// <summary>The norm of the perturbation; only L2 is supported.</summary>
    /// <value><see cref="Norm.L2"/> (Carlini and Wagner 2017, §V.A).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>The selection of the class that the attack approaches. Best and hardest are chosen once, at the original image.</summary>
    /// <value><see cref="TargetSelection.Untargeted"/>: the class other than the label with the largest logit at each point (the authors' program).</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>The number of classes, those with the largest logits other than the label, among which best and hardest choose.</summary>
    /// <value>9 (as in the trust-region attack).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>The margin κ that an image must reach to count as fooled, in units of the logits; Carlini and Wagner call it confidence.</summary>
    /// <value>0 (Carlini and Wagner 2017, §V.A; the authors' program).</value>
    public double Kappa { get; init; }

    /// <summary>The step length of Adam, in the space of the tanh substitution.</summary>
    /// <value>0.01 (the authors' program).</value>
    public double LearningRate { get; init; } = 0.01;

    /// <summary>The number of trade-off constants that are tried per image.</summary>
    /// <value>9 (the authors' program).</value>
    public int BinarySearchSteps { get; init; } = 9;

    /// <summary>The maximum number of steps of Adam per constant.</summary>
    /// <value>1000 (ours); 10,000 in the authors' program, which takes ten times as long.</value>
    public int MaxIterations { get; init; } = 1000;

    /// <summary>The first trade-off constant c.</summary>
    /// <value>0.001 (the authors' program).</value>
    public double InitialConstant { get; init; } = 1e-3;

    /// <summary>Indicates whether a descent ends early if a tenth of its iterations has reduced the lowest loss by less than 0.01 %.</summary>
    /// <value>true (the authors' program).</value>
    public bool AbortEarly { get; init; } = true;

    /// <summary>Creates the attack with these settings.</summary>
    /// <returns>The attack.</returns>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public IAttack CreateAttack() => new CarliniWagnerAttack(this);

    /// <summary>Checks the settings.</summary>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    internal void Check()
    {
        SettingCheck.L2("Carlini–Wagner", Norm);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("binary search steps", BinarySearchSteps);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("margin kappa", Kappa);
        SettingCheck.Positive("learning rate", LearningRate);
        SettingCheck.Positive("initial constant", InitialConstant);
    }
}
