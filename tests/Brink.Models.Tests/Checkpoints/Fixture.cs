namespace Brink.Models.Tests.Checkpoints;

/// <summary>The files that Fixtures/make_fixtures.py wrote.</summary>
internal static class Fixture
{
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    public static byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));
}
