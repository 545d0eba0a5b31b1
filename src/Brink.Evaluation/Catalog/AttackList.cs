namespace Brink.Evaluation.Catalog;

/// <summary>Creates the attacks of a comparison from a list such as <c>tr[radius=0.05],deepfool</c>.</summary>
internal static class AttackList
{
    /// <summary>Creates the attacks of a list without names of classes.</summary>
    /// <inheritdoc cref="Create(string, IReadOnlyDictionary{string, string}, IReadOnlyList{string})"/>
    public static IReadOnlyList<ListedAttack> Create(string list, IReadOnlyDictionary<string, string>? settings = null) => Create(list, settings, []);

    /// <summary>Creates the attacks of a list, all of which must have the same norm and the same criterion.</summary>
    /// <param name="list">Attacks separated by commas. Commas inside brackets separate the options of an attack.</param>
    /// <param name="settings">Options for all attacks, or null for none. Options in brackets take precedence.</param>
    /// <param name="classNames">The names of the classes, which targets may be given by; null if they are not known yet.</param>
    /// <returns>The attacks, in the order of the list.</returns>
    /// <exception cref="BadInputException">The list is malformed, an attack or an option does not exist, or two attacks cannot be compared.</exception>
    public static IReadOnlyList<ListedAttack> Create(string list, IReadOnlyDictionary<string, string>? settings, IReadOnlyList<string>? classNames)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var attacks = new List<ListedAttack>();
        foreach (var specification in Split(list))
        {
            if (attacks.Exists(attack => attack.Specification == specification))
            {
                throw new BadInputException($"Each attack of a comparison may be given once, but {specification} is listed twice; remove one or give it other options.");
            }

            var configured = AttackCatalog.Create(specification, settings, classNames);
            var name = specification.Split('[')[0];
            var occurrence = seen[name] = seen.GetValueOrDefault(name) + 1;
            attacks.Add(new(specification, configured, occurrence == 1 ? name : FormattableString.Invariant($"{name}-{occurrence}")));
            CheckComparable(attacks[0], attacks[^1]);
        }

        return attacks;
    }

    /// <summary>Splits a list at the commas outside brackets.</summary>
    /// <param name="list">Attacks separated by commas.</param>
    /// <returns>The specifications of the attacks, without surrounding spaces.</returns>
    /// <exception cref="BadInputException">Brackets are not balanced, or an attack is missing between two commas.</exception>
    public static IReadOnlyList<string> Split(string list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var attacks = new List<string>();
        var (start, inside) = (0, false);
        for (var position = 0; position < list.Length; position++)
        {
            switch (list[position])
            {
                case ',' when !inside:
                    attacks.Add(Entry(list, start, position));
                    start = position + 1;
                    break;
                case '[' when !inside:
                    inside = true;
                    break;
                case ']' when inside && list.AsSpan(position + 1).TrimStart() is [] or [',', ..]:
                    inside = false;
                    break;
                case '[' or ']':
                    throw Unbalanced(list);
            }
        }

        if (inside)
        {
            throw Unbalanced(list);
        }

        attacks.Add(Entry(list, start, list.Length));
        return attacks;
    }

    private static string Entry(string list, int start, int end) => list[start..end].Trim() is { Length: > 0 } attack
        ? attack
        : throw new BadInputException($"A list of attacks needs an attack between every two commas, such as tr,deepfool, but '{list}' was given.");

    private static BadInputException Unbalanced(string list) =>
        new($"The options of an attack are written in one pair of brackets after its name, tr[key=value,key=value],deepfool, but the brackets of '{list}' are not balanced.");

    private static void CheckComparable(ListedAttack first, ListedAttack other)
    {
        var (norm, otherNorm) = (first.Configured.Attack.Norm.Name, other.Configured.Attack.Norm.Name);
        if (norm != otherNorm)
        {
            throw new BadInputException($"All attacks of a comparison need one norm, but {first.Specification} has {norm} and {other.Specification} has {otherNorm}; set --norm and leave it out of the brackets.");
        }

        if (Goal.Key(first.Configured) != Goal.Key(other.Configured))
        {
            throw new BadInputException($"All attacks of a comparison need one criterion for fooled images, but {first.Specification} has {Goal.Text(first.Configured)} and {other.Specification} has {Goal.Text(other.Configured)}; set --target and --confidence, and leave them out of the brackets.");
        }
    }
}

/// <summary>One attack of a list, with its specification and the name of its folder.</summary>
/// <param name="Specification">The attack as written in the list: <c>tr[radius=0.05]</c>.</param>
/// <param name="Configured">The attack.</param>
/// <param name="Folder">The name of the folder of its run, unique in the list: <c>tr</c>, <c>tr-2</c>.</param>
internal sealed record ListedAttack(string Specification, ConfiguredAttack Configured, string Folder);
