using System.Collections.ObjectModel;
using Brink.Attacks;

namespace Brink.Evaluation.Catalog;

/// <summary>Creates attacks from their names and options, as they are written on the command line.</summary>
public static class AttackCatalog
{
    /// <summary>The presets of the trust-region attack: <c>paper</c>, the formulas of Yao et al. (CVPR 2019), and <c>authors</c>, those of the authors' program.</summary>
    internal static IReadOnlyList<string> Presets { get; } = ["paper", "authors"];

    /// <summary>Creates an attack.</summary>
    /// <param name="specification">The name of an attack, optionally with options in brackets: <c>tr[overshoot=0.01,max-iterations=50]</c>.</param>
    /// <param name="settings">Further options by name, or null for none. Options in brackets take precedence.</param>
    /// <returns>The attack, with its target and the values of all its options.</returns>
    /// <exception cref="BadInputException">The attack or an option does not exist, or a value is invalid.</exception>
    public static ConfiguredAttack Create(string specification, IReadOnlyDictionary<string, string>? settings = null) => Create(specification, settings, []);

    /// <summary>Creates an attack whose target class may be given by its name.</summary>
    /// <param name="specification">The attack, as for the public method.</param>
    /// <param name="settings">Further options by name, or null for none.</param>
    /// <param name="classNames">The names of the classes; null if they are not known yet, in which case any name stands for the first class.</param>
    /// <returns>The attack.</returns>
    /// <exception cref="BadInputException">The attack, an option or the target class does not exist, or a value is invalid.</exception>
    internal static ConfiguredAttack Create(string specification, IReadOnlyDictionary<string, string>? settings, IReadOnlyList<string>? classNames)
    {
        var (name, bracketed) = Split(specification);
        var all = new Dictionary<string, string>(settings ?? ReadOnlyDictionary<string, string>.Empty, StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in bracketed)
        {
            all[key] = given.Add(key)
                ? value
                : throw new BadInputException($"Each option of an attack may be given once, but '{specification}' gives {key} twice; remove one.");
        }

        if (all.TryGetValue("target", out var target))
        {
            all["target"] = ClassNumber(target, classNames);
        }

        if (name is "tr" or "tr2" or "deepfool" or "cw")
        {
            // These attacks draw no random numbers, so the seed of the run is not an option of theirs.
            if (!given.Contains("seed"))
            {
                Take(all, "seed");
            }

            if (all.ContainsKey("epsilon"))
            {
                throw new BadInputException($"The attack {name} searches for the smallest perturbation and takes no epsilon; remove it, or use fgsm, ifgsm or pgd for perturbations up to a given length.");
            }
        }

        return name switch
        {
            "tr" => TrustRegion(name, new(), all),
            "tr2" => TrustRegion(name, TrustRegionOptions.SecondOrder, all),
            "deepfool" => DeepFool(all),
            "fgsm" => FastGradient(name, FastGradientOptions.Single, all),
            "ifgsm" => FastGradient(name, FastGradientOptions.Iterative, all),
            "pgd" => FastGradient(name, FastGradientOptions.Projected, all),
            "cw" => CarliniWagner(all),
            _ => throw new BadInputException($"There is no attack named '{name}'; choose tr, tr2, deepfool, fgsm, ifgsm, pgd or cw."),
        };
    }

    private static ConfiguredAttack TrustRegion(string name, TrustRegionOptions defaults, Dictionary<string, string> settings)
    {
        var norm = Norm.Parse(Take(settings, "norm") ?? "l2");
        var preset = Take(settings, "preset") ?? "paper";
        var radius = Take(settings, "radius") is { } text && text != "adaptive" ? ParseRadius(text) : (double?)null;
        var options = preset switch
        {
            "paper" => defaults with { Norm = norm },
            "authors" => TrustRegionOptions.Authors(norm, radius) with { Curvature = defaults.Curvature },
            _ => throw new BadInputException($"The preset must be {string.Join(" or ", Presets)}, but '{preset}' was given."),
        };
        if (Take(settings, "refine") is { } refine)
        {
            AttackSettings.Apply(options, name, [new("refine", refine)]);
        }

        // The default radius depends on refine. It is copied into the options, so that its properties can be set one by one.
        options = options with { Radius = radius is { } length ? RadiusPolicy.Fixed(length) : options.Radius with { } };
        AttackSettings.Apply(options, name, settings);
        var described = AttackSettings.Describe(options);
        described["preset"] = preset;
        return new(new TrustRegionAttack(options), options.Target, described);
    }

    private static double ParseRadius(string text) => AttackSettings.TryParseNumber(text, out var radius) && radius > 0
        ? radius
        : throw new BadInputException($"The radius must be adaptive or a positive number such as 0.05, but '{text}' was given.");

    private static ConfiguredAttack DeepFool(Dictionary<string, string> settings)
    {
        var options = new DeepFoolOptions();
        AttackSettings.Apply(options, "deepfool", settings);
        return new(new DeepFoolAttack(options), options.Target, AttackSettings.Describe(options));
    }

    private static ConfiguredAttack FastGradient(string name, FastGradientOptions defaults, Dictionary<string, string> settings)
    {
        var epsilon = Take(settings, "epsilon");
        var tolerance = epsilon is null ? Take(settings, "tolerance") : null;
        var options = defaults with { };
        AttackSettings.Apply(options, name, settings);
        var described = AttackSettings.Describe(options);
        IAttack attack;
        if (epsilon is not null)
        {
            var budgeted = new BudgetedFastGradientAttack(AttackSettings.ParseNumber("epsilon", epsilon), options);
            (attack, described["epsilon"]) = (budgeted, budgeted.Epsilon);
        }
        else
        {
            var share = tolerance is null ? MinimalFastGradientAttack.DefaultTolerance : AttackSettings.ParseNumber("tolerance", tolerance);
            (attack, described["tolerance"]) = (new MinimalFastGradientAttack(options, share), share);
        }

        return new(attack, options.Target, described);
    }

    private static ConfiguredAttack CarliniWagner(Dictionary<string, string> settings)
    {
        var options = new CarliniWagnerOptions();
        AttackSettings.Apply(options, "cw", settings);
        return new(new CarliniWagnerAttack(options), options.Target, AttackSettings.Describe(options));
    }

    /// <summary>Replaces the name of a class by its number; other targets stay as they are.</summary>
    private static string ClassNumber(string target, IReadOnlyList<string>? names)
    {
        if (AttackSettings.TryParseTarget(target) is not null)
        {
            return target;
        }

        foreach (var comparison in new[] { StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase })
        {
            if (names?.Index().Where(entry => entry.Item.Equals(target, comparison)).Select(entry => entry.Index).ToArray() is [var number])
            {
                return FormattableString.Invariant($"{number}");
            }
        }

        // The classes of a set may be thousands.
        const int mostNamed = 10;
        return names is null ? "0"
            : names.Count == 0 ? target
            : throw new BadInputException($"The target must be untargeted, best, hardest, or the number or name of a class, but '{target}' was given; the classes of the images are {string.Join(", ", names.Take(mostNamed))}{(names.Count > mostNamed ? ", …" : "")}.");
    }

    private static string? Take(Dictionary<string, string> settings, string key) => settings.Remove(key, out var value) ? value : null;

    private static (string Name, IReadOnlyList<KeyValuePair<string, string>> Settings) Split(string specification)
    {
        var bracket = specification.IndexOf('[', StringComparison.Ordinal);
        if (bracket < 0)
        {
            return (specification, []);
        }

        if (!specification.EndsWith(']'))
        {
            throw new BadInputException($"The options of an attack are written in brackets, tr[key=value,key=value], but '{specification}' does not end with a bracket.");
        }

        var settings = specification[(bracket + 1)..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2, StringSplitOptions.TrimEntries) is [var key, var value]
                ? KeyValuePair.Create(key, value)
                : throw new BadInputException($"The options of an attack are written key=value, but '{pair}' was given."));
        return (specification[..bracket], [.. settings]);
    }
}

/// <summary>An attack with its target and the values of its options.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Target">The target of the attack.</param>
/// <param name="Options">The value of every option, by its name in kebab case.</param>
public sealed record ConfiguredAttack(IAttack Attack, TargetSelection Target, IReadOnlyDictionary<string, object> Options)
{
    /// <summary>Returns this attack with rounding of its results to 8-bit images.</summary>
    /// <returns>An attack whose adversarial images have pixel values that are multiples of 1/255.</returns>
    /// <exception cref="BadInputException">The attack has a largest length (epsilon), which rounding would exceed.</exception>
    public ConfiguredAttack Quantized() => this with
    {
        Attack = new QuantizedAttack(Attack, Target),
        Options = new Dictionary<string, object>(Options, StringComparer.Ordinal) { ["quantized"] = true },
    };
}
