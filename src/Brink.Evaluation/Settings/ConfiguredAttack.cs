using Brink.Attacks;
using Brink.Targets;

namespace Brink.Evaluation.Settings;

/// <summary>An attack with a record of its settings.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Target">Which class it goes for.</param>
/// <param name="Options">Every setting, by its name in kebab case.</param>
public sealed record ConfiguredAttack(IAttack Attack, TargetSelection Target, IReadOnlyDictionary<string, object> Options);
