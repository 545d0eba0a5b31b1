using Brink.Attacks;

namespace Brink.Evaluation.Catalog;

/// <summary>An attack with a record of its settings.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Target">Which class it goes for.</param>
/// <param name="Options">Every setting, by its name in kebab case.</param>
public sealed record ConfiguredAttack(IAttack Attack, TargetSelection Target, IReadOnlyDictionary<string, object> Options)
{
    /// <summary>The same attack, made to end on 8-bit images.</summary>
    /// <exception cref="BadInputException">It has a largest length, which rounding would exceed.</exception>
    public ConfiguredAttack Quantized() => this with
    {
        Attack = new QuantizedAttack(Attack, Target),
        Options = new Dictionary<string, object>(Options, StringComparer.Ordinal) { ["quantized"] = true },
    };
}
