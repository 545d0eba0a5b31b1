using Brink.Attacks;

namespace Brink.Evaluation.Catalog;

/// <summary>The attacks of a comparison, from the words of the command line: <c>tr[radius=0.05],deepfool</c>.</summary>
public static class AttackList
{
    /// <summary>Makes the attacks of a list, all of which search the smallest change, in one norm, with one notion of being fooled.</summary>
    /// <param name="list">Attacks with commas between them; commas in brackets belong to the attack.</param>
    /// <param name="settings">Options for all of them; those in brackets win.</param>
    /// <exception cref="BadInputException">The list cannot be read, an attack in it cannot be had, or two of them cannot be compared.</exception>
    public static IReadOnlyList<ListedAttack> Create(string list, IReadOnlyDictionary<string, string>? settings = null)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var attacks = new List<ListedAttack>();
        foreach (var specification in Split(list))
        {
            if (attacks.Exists(attack => attack.Specification == specification))
            {
                throw new BadInputException($"Each attack of a comparison may be given once, but {specification} stands in the list twice; drop one or give it other options.");
            }

            var configured = AttackCatalog.Create(specification, settings);
            var name = specification.Split('[')[0];
            var occurrence = seen[name] = seen.GetValueOrDefault(name) + 1;
            attacks.Add(new(specification, configured, occurrence == 1 ? name : FormattableString.Invariant($"{name}-{occurrence}")));
            CheckMinimal(attacks[^1]);
            CheckComparable(attacks[0], attacks[^1]);
        }

        return attacks;
    }

    /// <summary>Cuts a list at the commas outside brackets.</summary>
    /// <exception cref="BadInputException">A bracket has no partner, or there is nothing between two commas.</exception>
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
        : throw new BadInputException($"A list of attacks needs one between every two commas, such as tr,deepfool, but '{list}' was given.");

    private static BadInputException Unbalanced(string list) =>
        new($"The options of an attack stand in one pair of brackets behind its name, tr[key=value,key=value],deepfool, but the brackets of '{list}' do not pair up so.");

    private static void CheckMinimal(ListedAttack attack)
    {
        if (attack.Configured.Attack is not IMinimalAttack)
        {
            throw new BadInputException($"A comparison needs attacks that search the smallest change, but {attack.Specification} only tries changes up to the length it is given; drop its epsilon, or the attack.");
        }
    }

    private static void CheckComparable(ListedAttack first, ListedAttack other)
    {
        var (norm, otherNorm) = (first.Configured.Attack.Norm.Name, other.Configured.Attack.Norm.Name);
        if (norm != otherNorm)
        {
            throw new BadInputException($"All attacks of a comparison need one norm, but {first.Specification} has {norm} and {other.Specification} has {otherNorm}; set --norm and leave it out of the brackets.");
        }

        var (target, otherTarget) = (first.Configured.Target, other.Configured.Target);
        if (target.Criterion != otherTarget.Criterion || (target.Criterion == "target-class" && target.Name != otherTarget.Name))
        {
            throw new BadInputException($"All attacks of a comparison must agree when an image is fooled, but {first.Specification} goes for the class {target.Name} and {other.Specification} for {otherTarget.Name}; set --target and leave it out of the brackets.");
        }
    }
}
