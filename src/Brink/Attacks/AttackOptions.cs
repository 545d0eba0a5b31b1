namespace Brink.Attacks;

/// <summary>The settings of an attack.</summary>
public abstract record AttackOptions
{
    /// <summary>Creates the attack with these settings.</summary>
    /// <returns>The attack.</returns>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    public abstract IAttack CreateAttack();
}
