using System.Collections.ObjectModel;
using System.Globalization;
using Brink.Attacks;
using Brink.Evaluation.Reproduction;

namespace Brink.Evaluation.Catalog;

/// <summary>Creates attacks from their names and options, as they are written on the command line.</summary>
public static class AttackCatalog
{
    private const string Seed = "seed";

    /// <summary>The option of every attack that limits the forward plus backward passes of an image.</summary>
    internal const string MaxPasses = "max-passes";

    /// <summary>The attacks, in the order of the documentation.</summary>
    internal static IReadOnlyList<AttackDescriptor> All { get; } =
    [
        new("tr", "trust region", ["l2", "linf", "l1"], ["minimal"], TrustRegion),
        new("tr2", "second-order trust region", ["l2"], ["minimal"], settings => TrustRegion(settings, TrustRegionOptions.SecondOrder)),
        new("deepfool", "DeepFool", ["l2", "linf"], ["minimal"], _ => new DeepFoolOptions()),
        new("fgsm", "fast gradient", ["l2", "linf"], ["minimal", "budgeted"], _ => FastGradientOptions.Single with { }),
        new("ifgsm", "iterative fast gradient", ["l2", "linf"], ["minimal", "budgeted"], _ => FastGradientOptions.Iterative with { }),
        new("pgd", "projected gradient descent", ["l2", "linf"], ["minimal", "budgeted"], _ => FastGradientOptions.Projected with { }),
        new("cw", "Carlini–Wagner", ["l2"], ["minimal"], _ => new CarliniWagnerOptions()),
    ];

    /// <summary>The presets of the trust-region attack: <c>paper</c>, the method of Yao et al. (CVPR 2019), and <c>authors</c>, the authors' program.</summary>
    internal static IReadOnlyList<string> Presets { get; } = ["paper", "authors"];

    /// <summary>The names of all attacks in a sentence.</summary>
    internal static string Names => $"{string.Join(", ", All.SkipLast(1).Select(attack => attack.Name))} or {All[^1].Name}";

    /// <summary>Creates an attack.</summary>
    /// <param name="specification">The name of an attack, optionally with options in brackets: <c>tr[overshoot=0.01,max-iterations=50]</c>.</param>
    /// <param name="settings">Further options by name, or null for none. Options in brackets take precedence.</param>
    /// <returns>The attack, with its criterion and the values of all its options.</returns>
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
        var attack = All.FirstOrDefault(attack => attack.Name == name) ?? throw new BadInputException($"There is no attack named '{name}'; choose {Names}.");
        var all = new Dictionary<string, string>(settings ?? ReadOnlyDictionary<string, string>.Empty, StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in bracketed)
        {
            all[key] = given.Add(key)
                ? value
                : throw new BadInputException($"Each option of an attack may be given once, but '{specification}' gives {key} twice; remove one.");
        }

        var goal = Goal.Take(all, classNames);
        var maxPasses = Take(all, MaxPasses) is { } passes ? ParsePasses(passes) : (int?)null;
        var preset = all.GetValueOrDefault("preset");
        var options = attack.Options(all);
        var keys = AttackSettings.Describe(options).Keys;
        // The seed of the run is that of every option of this kind. Attacks that draw no random numbers have none.
        if (!given.Contains(Seed) && Take(all, Seed) is { } seed && keys.FirstOrDefault(key => key == Seed || key.EndsWith($"-{Seed}", StringComparison.Ordinal)) is { } seedKey)
        {
            all.TryAdd(seedKey, seed);
        }

        if (all.ContainsKey("epsilon") && options is not FastGradientOptions)
        {
            throw new BadInputException($"The attack {name} searches for the smallest perturbation and takes no epsilon; remove it, or use fgsm, ifgsm or pgd for perturbations up to a given length.");
        }

        if (all.ContainsKey("epsilon") && all.ContainsKey("tolerance"))
        {
            throw new BadInputException("The option tolerance ends a search that an epsilon replaces; remove one of the two.");
        }

        AttackSettings.Apply(options, name, all);
        var described = AttackSettings.Describe(options);
        if (options is FastGradientOptions { Epsilon: not null })
        {
            described.Remove("tolerance");
        }

        if (options is TrustRegionOptions { Refinement: null })
        {
            described["refine"] = 0;
        }

        goal.Describe(described);
        if (maxPasses is { } most)
        {
            described[MaxPasses] = most;
        }

        if (preset is not null)
        {
            described["preset"] = preset;
        }

        return new(options.CreateAttack(), goal.Criterion, described);
    }

    /// <summary>Returns the settings of <c>tr</c> before its options are applied: those of the preset, with a fixed radius or without the boundary walk if requested.</summary>
    private static IAttackOptions TrustRegion(Dictionary<string, string> settings)
    {
        var norm = Norm.Parse(settings.GetValueOrDefault("norm") ?? "l2");
        if (settings.GetValueOrDefault("preset") != "authors")
        {
            // Without the walk, the first adversarial point is the result, which takes the shorter steps of the paper.
            return TrustRegion(settings, settings.ContainsKey("preset") ? TrustRegionOptions.Paper(norm) : Steps(settings) == 0 ? TrustRegionOptions.Unrefined : new());
        }

        settings.Remove("preset");
        if (Steps(settings) > 0 || settings.ContainsKey("effort") || settings.GetValueOrDefault("objective", "gap") != "gap")
        {
            throw new BadInputException("The preset authors is the authors' program, which has no boundary walk and follows the logit gap; remove --refine, --effort and --objective, or the preset.");
        }

        settings.Remove("refine");
        settings.Remove("objective");
        return FixedRadius(settings) is { } radius ? AuthorsOptions.Fixed(norm, radius) : AuthorsOptions.Adaptive(norm);
    }

    private static IAttackOptions TrustRegion(Dictionary<string, string> settings, TrustRegionOptions options)
    {
        if (Take(settings, "preset") is { } preset && (!Presets.Contains(preset, StringComparer.Ordinal) || preset == "authors"))
        {
            throw new BadInputException(preset == "authors"
                ? "The preset authors is that of tr, because the authors' program has no second order; use tr, or remove the preset."
                : $"The preset must be {string.Join(" or ", Presets)}, but '{preset}' was given.");
        }

        // Nested records are copied, because their properties are set one by one.
        options = options with { Radius = FixedRadius(settings) is { } length ? RadiusPolicy.Fixed(length) : options.Radius with { }, Curvature = options.Curvature is { } curvature ? curvature with { } : null };
        var (steps, effort) = (Steps(settings), Effort(settings));
        settings.Remove("refine");
        settings.Remove("effort");
        if (effort is not null && (steps == 0 || options.Curvature is not null))
        {
            throw new BadInputException($"The effort is spent on walks along the decision boundary, which {(steps == 0 ? "refine=0 disables" : "tr2 does not have")}; remove the effort{(steps == 0 ? " or refine=0" : "")}.");
        }

        var walk = options.Refinement ?? new();
        return options with
        {
            Refinement = effort is not null ? walk with { Effort = effort, Steps = steps ?? walk.Steps }
                : steps is null ? options.Refinement is null ? null : walk with { }
                : steps == 0 ? null
                : new() { Steps = steps.Value },
        };
    }

    /// <summary>Returns the requested effort, in gradients; null if it is not given.</summary>
    private static int? Effort(Dictionary<string, string> settings) => settings.GetValueOrDefault("effort") switch
    {
        null => null,
        "low" => BoundaryWalkOptions.LowEffort,
        "default" => BoundaryWalkOptions.DefaultEffort,
        "high" => BoundaryWalkOptions.HighEffort,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var effort) && effort > 0 => effort,
        var text => throw new BadInputException($"The effort must be low, default, high, or the number of gradients of an image, but {Excerpt.Quote(text)} was given."),
    };

    /// <summary>Returns the requested number of steps of the boundary walk; null if it is not given.</summary>
    private static int? Steps(Dictionary<string, string> settings) => !settings.TryGetValue("refine", out var refine) ? null
        : int.TryParse(refine, NumberStyles.None, CultureInfo.InvariantCulture, out var steps) ? steps
        : throw new BadInputException($"The option refine must be a whole number of at least 0, but '{refine}' was given.");

    private static int ParsePasses(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var passes) && passes > 0 ? passes
        : throw new BadInputException($"The option {MaxPasses} must be a whole number of at least 1, but '{text}' was given.");

    private static double? FixedRadius(Dictionary<string, string> settings) => Take(settings, "radius") is not { } text || text == "adaptive" ? null
        : AttackSettings.TryParseNumber(text, out var radius) && radius > 0 ? radius
        : throw new BadInputException($"The radius must be adaptive or a positive number such as 0.05, but '{text}' was given.");

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

/// <summary>An attack that can be created by its name.</summary>
/// <param name="Name">The name on the command line.</param>
/// <param name="Title">The name in text.</param>
/// <param name="NormNames">The names of the norms that it supports.</param>
/// <param name="Kinds">The kinds of results: <c>minimal</c> perturbations, and <c>budgeted</c> ones up to a given length.</param>
/// <param name="Options">The function that returns new settings before the options are applied; it takes away the options that it uses.</param>
internal sealed record AttackDescriptor(string Name, string Title, IReadOnlyList<string> NormNames, IReadOnlyList<string> Kinds, Func<Dictionary<string, string>, IAttackOptions> Options);

/// <summary>An attack with its criterion and the values of its options.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Criterion">The criterion of success.</param>
/// <param name="Options">The value of every option, by its name in kebab case.</param>
public sealed record ConfiguredAttack(IAttack Attack, Criterion Criterion, IReadOnlyDictionary<string, object> Options)
{
    /// <summary>The maximum number of forward plus backward passes per image, for <see cref="IAttack.Run"/>; null for no limit.</summary>
    public int? MaxPasses => Options.GetValueOrDefault(AttackCatalog.MaxPasses) as int?;

    /// <summary>The target: <c>untargeted</c>, <c>best</c>, <c>hardest</c>, the number of a class, or <c>per-image</c>.</summary>
    internal string Target => Options.TryGetValue("target", out var target) ? $"{target}" : "untargeted";

    /// <summary>Indicates whether the attack compares classes, which takes a backward pass and memory for each of them.</summary>
    internal bool ComparesClasses => Criterion.ComparesClasses && Target is "best" or "hardest";

    /// <summary>Returns this attack with rounding of its results to 8-bit images.</summary>
    /// <returns>An attack whose adversarial images have pixel values that are multiples of 1/255.</returns>
    /// <exception cref="BadInputException">The attack has a largest length (epsilon), which rounding would exceed.</exception>
    public ConfiguredAttack Quantized() => this with
    {
        Attack = new QuantizedAttack(Attack),
        Options = new Dictionary<string, object>(Options, StringComparer.Ordinal) { ["quantized"] = true },
    };
}
