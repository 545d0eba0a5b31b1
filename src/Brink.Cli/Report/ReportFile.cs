using System.Text;
using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Reports.Pages;

namespace Brink.Cli.Report;

/// <summary>A report of finished runs: one HTML file that can be mailed, put on a web server, printed.</summary>
internal static class ReportFile
{
    /// <summary><c>report.html</c>: what it is called where nobody says otherwise.</summary>
    public const string Name = ResultFolder.Report;

    /// <summary>Reads runs and writes their report.</summary>
    /// <param name="folders">The folders of runs or of comparisons, at least one.</param>
    /// <param name="path">The file, in a folder that is made where it does not exist; null for <see cref="Name"/> in the only folder.</param>
    /// <returns>The file.</returns>
    /// <exception cref="BadInputException">There are several folders and no file; a folder holds no run that can be read, or the file cannot be written. An older file, if any, is then untouched.</exception>
    public static string Write(IReadOnlyList<string> folders, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(folders);
        if (path is null && folders.Count > 1)
        {
            // In the folder of one of them it would take the place of that run's own report.
            throw new BadInputException($"A report of several runs needs a file of its own, but none was given; add --out {Name}, or another name.");
        }

        var html = Encoding.UTF8.GetBytes(Render(folders));
        var file = path ?? Path.Combine(folders[0], Name);
        if (Directory.Exists(file))
        {
            throw new BadInputException($"The report needs the name of a file, but the folder {file} was given; add a name such as {Path.Combine(file, Name)}.");
        }

        AtomicFile.CreateFolder(file);
        AtomicFile.Write(file, stream => stream.Write(html));
        return file;
    }

    /// <summary>The report as HTML.</summary>
    /// <param name="folders">The folders of runs or of comparisons, at least one.</param>
    /// <exception cref="BadInputException">A folder holds no run that can be read.</exception>
    public static string Render(IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        if (folders.Count == 0)
        {
            throw new ArgumentException("A report needs at least one run.", nameof(folders));
        }

        var runs = new List<SavedRun>();
        try
        {
            foreach (var folder in ComparisonFolder.Runs(folders))
            {
                runs.Add(SavedRun.Read(folder));
            }

            return ReportPage.Render(runs);
        }
        finally
        {
            runs.ForEach(run => run.Dispose());
        }
    }
}
