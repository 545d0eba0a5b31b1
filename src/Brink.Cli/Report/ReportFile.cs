using System.Text;
using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Reports.Pages;

namespace Brink.Cli.Report;

/// <summary>The report of finished runs as one HTML file.</summary>
internal static class ReportFile
{
    /// <summary>The default name of the file, <c>report.html</c>.</summary>
    public const string Name = ResultFolder.Report;

    /// <summary>Reads runs and writes their report. An older report stays unchanged if the new one cannot be made.</summary>
    /// <param name="folders">The folders of runs or comparisons, at least one.</param>
    /// <param name="path">The file to write; its folder is created if it does not exist. Null for <see cref="Name"/> in the only folder.</param>
    /// <returns>The path of the written file.</returns>
    /// <exception cref="BadInputException">Several folders are given without a file, a folder contains no readable run, or the file cannot be written.</exception>
    public static string Write(IReadOnlyList<string> folders, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(folders);
        if (path is null && folders.Count > 1)
        {
            // In one of the folders, the file would replace the report of that run.
            throw new BadInputException($"A report of several runs needs a file to write, but none was given; add --out {Name}, or another name.");
        }

        using var saved = SavedRuns.Read(folders);
        var html = Encoding.UTF8.GetBytes(ReportPage.Render(saved.Runs));
        var file = path ?? Path.Combine(folders[0], Name);
        if (Directory.Exists(file))
        {
            throw new BadInputException($"The report needs the name of a file, but the folder {file} was given; add a name such as {Path.Combine(file, Name)}.");
        }

        AtomicFile.CreateFolder(file);
        AtomicFile.Write(file, stream => stream.Write(html));
        return file;
    }
}
