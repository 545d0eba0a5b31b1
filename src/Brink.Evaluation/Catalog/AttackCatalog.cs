using System.Collections.ObjectModel;
using Brink.Attacks;

namespace Brink.Evaluation.Catalog;

/// <summary>The attacks that can be had by name, from the words of the command line.</summary>
public static class AttackCatalog
{
    /// <summary>The presets of the trust-region attack: the paper's method as we understand it, and the authors' program.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["paper", "authors"];

    /// <summary>Makes an attack.</summary>
    /// <param name="specification">A name, with options in brackets if any: <c>tr[overshoot=0.01,max-iterations=50]</c>.</param>
    /// <param name="settings">Further options by name; those in brackets win.</param>
    /// <exception cref="BadInputException">There is no such attack or option, or a value cannot be used.</exception>
    public static ConfiguredAttack Create(string specification, IReadOnlyDictionary<string, string>? settings = null)
    {
        var (name, bracketed) = Split(specification);
        var all = new Dictionary<string, string>(settings ?? ReadOnlyDictionary<string, string>.Empty, StringComparer.Ordinal);
        var once = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in bracketed)
        {
            all[key] = once.Add(key)
                ? value
                : throw new BadInputException($"Each option of an attack may be given once, but '{specification}' gives {key} twice; drop one.");
        }

        if (name is "tr" or "tr2" or "deepfool" or "cw")
        {
            // The seed is the run's; these draw nothing from it, so that it is no option of theirs.
            if (!once.Contains("seed"))
            {
                Take(all, "seed");
            }

            if (all.ContainsKey("epsilon"))
            {
                throw new BadInputException($"The attack {name} searches the smallest perturbation and takes no epsilon; drop it, or use fgsm, ifgsm or pgd for perturbations up to a given length.");
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

        // The default radius depends on whether the walk follows. Now that this is known it becomes the options' own, so that parts of it can be set.
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
            throw new BadInputException($"The options of an attack stand in brackets, tr[key=value,key=value], but '{specification}' does not end with one.");
        }

        var settings = specification[(bracket + 1)..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2, StringSplitOptions.TrimEntries) is [var key, var value]
                ? KeyValuePair.Create(key, value)
                : throw new BadInputException($"The options of an attack are written key=value, but '{pair}' was given."));
        return (specification[..bracket], [.. settings]);
    }
}
