namespace Brink.Data;

/// <summary>A file that should be an image.</summary>
/// <param name="Name">Its path below the root.</param>
/// <param name="Class">The name of its class folder.</param>
internal sealed record ImageFile(string Name, string Class);
