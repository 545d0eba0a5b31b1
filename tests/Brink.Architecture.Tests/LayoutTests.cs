using ArchUnitNET.Domain;
using ArchUnitNET.Loader;

namespace Brink.Architecture.Tests;

/// <summary>Checks the layout that docs/architecture.md describes.</summary>
public sealed class LayoutTests
{
    /// <summary>The assemblies that each assembly may reference.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Brink"] = [],
        ["Brink.Models"] = ["Brink"],
        ["Brink.Data"] = ["Brink"],
        ["Brink.Training"] = ["Brink", "Brink.Models", "Brink.Data"],
        ["Brink.Evaluation"] = ["Brink", "Brink.Models", "Brink.Data"],
        ["Brink.Reports"] = ["Brink", "Brink.Models", "Brink.Data", "Brink.Evaluation"],
        ["Brink.Cli"] = ["Brink", "Brink.Models", "Brink.Data", "Brink.Training", "Brink.Evaluation", "Brink.Reports"],
    };

    [Theory]
    [MemberData(nameof(Assemblies.Names), MemberType = typeof(Assemblies))]
    public void An_assembly_references_only_the_layers_below_it(string name)
    {
        var references = Assemblies.Load(name).GetReferencedAssemblies().Select(reference => reference.Name!).Where(reference => reference.StartsWith("Brink", StringComparison.Ordinal));
        Assert.Empty(references.Except(Allowed[name], StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Assemblies.Names), MemberType = typeof(Assemblies))]
    public void The_namespaces_of_an_assembly_have_no_cycle(string name)
    {
        var architecture = new ArchLoader().LoadAssembly(Assemblies.Load(name)).Build();
        var uses =
            from type in architecture.Types
            where IsOurs(type)
            from dependency in type.Dependencies
            where IsOurs(dependency.Target) && dependency.Target.Namespace.FullName != type.Namespace.FullName
            select (From: type.Namespace.FullName, To: dependency.Target.Namespace.FullName, Reason: $"{type.FullName} uses {dependency.Target.FullName}");
        var cycle = NamespaceCycle.Find(uses);
        Assert.True(cycle is null, $"The namespaces of {name} have a cycle:\n{string.Join('\n', cycle ?? [])}");

        // Type parameters have no assembly.
        bool IsOurs(IType type) => type is { Assembly: not null, Namespace: not null } && type.Assembly.Name.Split(',')[0] == name && type.Namespace.FullName.StartsWith("Brink", StringComparison.Ordinal);
    }

    [Fact]
    public void A_cycle_of_namespaces_is_found()
    {
        (string, string, string)[] uses = [("A", "B", "a uses b"), ("B", "C", "b uses c"), ("A", "C", "a uses c")];
        Assert.Null(NamespaceCycle.Find(uses));
        Assert.Equal("b uses c, c uses b", string.Join(", ", NamespaceCycle.Find([.. uses, ("C", "B", "c uses b")])!.Order(StringComparer.Ordinal)));
    }
}

/// <summary>Searches a graph of namespaces for a cycle.</summary>
internal static class NamespaceCycle
{
    /// <summary>Finds one cycle by depth-first search.</summary>
    /// <param name="uses">The edges of the graph, each with the reason for it.</param>
    /// <returns>The reasons for the edges of the cycle; null if there is none.</returns>
    public static IReadOnlyList<string>? Find(IEnumerable<(string From, string To, string Reason)> uses)
    {
        var edges = uses.GroupBy(use => use.From, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.DistinctBy(use => use.To, StringComparer.Ordinal).ToArray(), StringComparer.Ordinal);
        var finished = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<(string From, string To, string Reason)>();
        return edges.Keys.Order(StringComparer.Ordinal).Select(Visit).FirstOrDefault(cycle => cycle is not null);

        IReadOnlyList<string>? Visit(string node)
        {
            if (path.FindIndex(edge => edge.From == node) is >= 0 and var start)
            {
                return [.. path.Skip(start).Select(edge => edge.Reason)];
            }

            if (finished.Contains(node))
            {
                return null;
            }

            foreach (var edge in edges.GetValueOrDefault(node, []))
            {
                path.Add(edge);
                if (Visit(edge.To) is { } cycle)
                {
                    return cycle;
                }

                path.RemoveAt(path.Count - 1);
            }

            finished.Add(node);
            return null;
        }
    }
}
