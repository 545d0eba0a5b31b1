namespace Brink.Attacks;

/// <summary>An attack that may use perturbations up to a given length: it answers <em>whether a change of that size suffices</em>, and its lengths say nothing about smaller ones.</summary>
public interface IBudgetedAttack : IAttack
{
    /// <summary>ε, the largest length, in the attack's norm and units of the classifier's input space.</summary>
    double Epsilon { get; }
}
