namespace Brink.Attacks;

/// <summary>The settings of an attack.</summary>
internal interface IAttackOptions
{
    /// <summary>Creates the attack with these settings.</summary>
    /// <returns>The attack.</returns>
    /// <exception cref="BadInputException">A setting is outside its range.</exception>
    IAttack CreateAttack();
}
