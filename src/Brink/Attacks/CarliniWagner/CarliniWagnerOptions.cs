namespace Brink.Attacks;

/// <summary>The settings of <see cref="CarliniWagnerAttack"/>.</summary>
public sealed record CarliniWagnerOptions
{
    /// <summary>p: the norm of the perturbation. Only L2.</summary>
    /// <value><see cref="Norm.L2"/> (Carlini and Wagner 2017, §V.A).</value>
    public Norm Norm { get; init; } = Norm.L2;

    /// <summary>Which class is attacked. Best and hardest are chosen once, at the image.</summary>
    /// <value>Any: the strongest other class at each point (the authors' program, untargeted).</value>
    public TargetSelection Target { get; init; } = TargetSelection.Untargeted;

    /// <summary>Among how many classes other than the label, those with the largest logits, best and hardest choose.</summary>
    /// <value>9 (as the trust-region attack).</value>
    public int Candidates { get; init; } = 9;

    /// <summary>κ: by how much the logit gap must exceed zero before an image counts as fooled.</summary>
    /// <value>0 (Carlini and Wagner 2017, §V.A; the authors' program).</value>
    public double Confidence { get; init; }

    /// <summary>The step length of Adam, in the space of the change of variables.</summary>
    /// <value>0.01 (the authors' program).</value>
    public double LearningRate { get; init; } = 0.01;

    /// <summary>How many trade-off constants are tried for each image.</summary>
    /// <value>9 (the authors' program).</value>
    public int BinarySearchSteps { get; init; } = 9;

    /// <summary>The most steps of Adam for each constant.</summary>
    /// <value>1000 (ours: a tenth of the authors' 10,000, with the same number of constants).</value>
    public int MaxIterations { get; init; } = 1000;

    /// <summary>c: the first trade-off constant.</summary>
    /// <value>0.001 (the authors' program).</value>
    public double InitialConstant { get; init; } = 1e-3;

    /// <summary>Whether an image leaves a constant when a tenth of its iterations has brought its loss down by less than 0.01 %.</summary>
    /// <value>true (the authors' program).</value>
    public bool AbortEarly { get; init; } = true;

    /// <summary>Refuses settings that cannot work.</summary>
    /// <exception cref="BadInputException">With the name of the setting.</exception>
    internal void Check()
    {
        SettingCheck.L2("Carlini–Wagner", Norm);
        SettingCheck.AtLeastOne("iterations", MaxIterations);
        SettingCheck.AtLeastOne("binary search steps", BinarySearchSteps);
        SettingCheck.AtLeastOne("candidate classes", Candidates);
        SettingCheck.NotNegative("confidence", Confidence);
        SettingCheck.Positive("learning rate", LearningRate);
        SettingCheck.Positive("initial constant", InitialConstant);
    }
}
