using System.Globalization;
using System.Text.RegularExpressions;

namespace Brink.Evaluation.Runs;

/// <summary>The folder <c>png</c> of a run: every adversarial image as a picture of 8 bits, named by its place in the data set.</summary>
internal static partial class PictureFolder
{
    private const string Name = "png";

    /// <summary>The path of the picture of one image.</summary>
    /// <param name="folder">The folder of the pictures.</param>
    /// <param name="index">The index of the image in the data set.</param>
    internal static string PicturePath(string folder, long index) => Path.Combine(folder, $"{index.ToString("D6", CultureInfo.InvariantCulture)}.png");

    /// <summary>Removes the pictures of an earlier run, and their folder unless something else is in it.</summary>
    /// <param name="run">The folder of the run.</param>
    /// <exception cref="IOException">One cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">One cannot be removed.</exception>
    internal static void Delete(string run)
    {
        var folder = Path.Combine(run, Name);
        if (!Directory.Exists(folder))
        {
            return;
        }

        // What has another name is somebody else's.
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => Picture().IsMatch(Path.GetFileName(path))).ToArray())
        {
            File.Delete(path);
        }

        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    /// <summary>Creates the folder and removes the pictures of an earlier run from it.</summary>
    /// <param name="run">The folder of the run.</param>
    /// <returns>The folder of the pictures.</returns>
    /// <exception cref="BadInputException">The folder cannot be created or written to.</exception>
    internal static string Prepare(string run)
    {
        var folder = Path.Combine(run, Name);
        try
        {
            Delete(run);
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"The pictures need a folder that can be written to, but {folder} cannot ({exception.Message.TrimEnd('.')}); free space or choose another.", exception);
        }
    }

    /// <summary>The name of a picture, also of one that a killed process was still writing.</summary>
    [GeneratedRegex(@"^[0-9]{6,}\.png(\.[0-9a-f]{32}\.partial)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Picture();
}
