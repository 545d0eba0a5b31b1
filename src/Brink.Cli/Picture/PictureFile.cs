using Brink.Data;

namespace Brink.Cli.Picture;

/// <summary>A picture's file, PNG or SVG by its name.</summary>
internal static class PictureFile
{
    /// <summary>Whether it is to be SVG rather than PNG.</summary>
    /// <exception cref="BadInputException">The name ends otherwise.</exception>
    public static bool IsSvg(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".svg" => true,
        ".png" => false,
        _ => throw new BadInputException($"A picture is PNG or SVG, but '{path}' ends in neither; give a name that ends in .png or .svg."),
    };

    /// <summary>Writes it, in a folder that is made where it does not exist.</summary>
    /// <exception cref="BadInputException">It cannot be written.</exception>
    public static void Write(string path, byte[] content)
    {
        AtomicFile.CreateFolder(path);
        AtomicFile.Write(path, stream => stream.Write(content));
    }
}
