namespace Brink.Data;

/// <summary>Files by name, below a folder or inside an archive. Reading is safe from several threads at once.</summary>
internal interface IFileStore : IDisposable
{
    /// <summary>The path of each file below the root, parts separated by <c>/</c>; each once, in any order. What is hidden is not among them.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The whole content of a file.</summary>
    /// <exception cref="UnreadableImageException">It is empty, or not whole.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    byte[] Read(string name);
}
