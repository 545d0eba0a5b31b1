namespace Brink.Attacks;

/// <summary>An attack that searches the smallest perturbation that fools: it answers <em>how small a change</em>.</summary>
public interface IMinimalAttack : IAttack;
