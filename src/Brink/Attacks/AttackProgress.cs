namespace Brink.Attacks;

/// <summary>How far a running attack is.</summary>
/// <param name="Iteration">The iteration just finished, from 1.</param>
/// <param name="Attacked">The images under attack, those that are done included.</param>
/// <param name="Active">The images still to be fooled.</param>
public readonly record struct AttackProgress(int Iteration, int Attacked, int Active);
