namespace Brink.Architecture.Tests;

/// <summary>Keeps the public surface small. PublicAPI.*.txt in each project records it member by member.</summary>
public sealed class PublicSurfaceTests
{
    // What users of the libraries type. A type that only the command needs is internal.
    private const int MostPublicTypes = 80;

    [Fact]
    public void The_libraries_have_at_most_80_public_types()
    {
        var types = Assemblies.Libraries.SelectMany(name => Assemblies.Load(name).GetExportedTypes()).Select(type => type.FullName).ToArray();
        Assert.True(types.Length <= MostPublicTypes, $"There are {types.Length} public types:\n{string.Join('\n', types)}");
    }

    [Fact]
    public void The_public_types_of_the_core_are_in_two_namespaces() =>
        Assert.Equal("Brink, Brink.Attacks", string.Join(", ", Assemblies.Load("Brink").GetExportedTypes().Select(type => type.Namespace).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));

    [Fact]
    public void The_command_has_no_public_types() =>
        Assert.DoesNotContain(Assemblies.Load("Brink.Cli").GetExportedTypes(), type => type.Namespace!.StartsWith("Brink.Cli", StringComparison.Ordinal));
}
