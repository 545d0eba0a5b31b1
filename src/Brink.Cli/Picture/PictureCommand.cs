using System.CommandLine;
using System.Globalization;
using System.Text;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;
using Brink.Reports.Pictures;

namespace Brink.Cli.Picture;

/// <summary><c>brink picture</c>: draws original and adversarial images of runs, and their perturbations.</summary>
internal static class PictureCommand
{
    public static Command Create(TextWriter output, CancellationToken cancellationToken)
    {
        var runs = new Argument<string[]>("RUN") { Description = "Run folders over the same images, as written by brink attack --out, or the folder of a comparison.", Arity = ArgumentArity.ZeroOrMore };
        var indices = new Option<string?>("--index") { Description = "The indices of the images in the data set.", HelpName = "N[,N…]" };
        var file = new Option<string?>("--out") { Description = "The file to write, .png or .svg.", HelpName = "FILE" };
        var weights = new Option<string?>("--weights") { Description = "The weights of the model, to print its confidence; not needed for embedded weights.", HelpName = "FILE[:KEY]" };
        var command = new Command("picture", "Draw images of runs: the original, the adversarial image of each attack, and the perturbation.") { runs, indices, file, weights, SliceCommand.Create(output, cancellationToken) };
        command.SetAction(parsed =>
        {
            var (folders, indexList, path) = (parsed.GetValue(runs)!, parsed.GetValue(indices), parsed.GetValue(file));
            if (folders.Length == 0 || indexList is null || path is null)
            {
                throw new BadInputException($"A picture needs a run folder, --index and --out, but {(folders.Length == 0 ? "no folder" : indexList is null ? "no --index" : "no --out")} was given; see brink picture --help.");
            }

            var svg = PictureFile.IsSvg(path);
            var images = Indices(indexList);
            TorchLibrary.Require();
            using var saved = SavedRuns.Read(folders);
            using var model = Model(saved.Runs[0], parsed.GetValue(weights));
            var picture = PerturbationPicture.Of(saved.Runs, images, model is null ? null : new(model, InputSpace.Pixel));
            PictureFile.Write(path, svg ? Encoding.UTF8.GetBytes(picture.ToSvg()) : picture.ToPng());
            output.WriteLine($"Written to {path}");
            return ExitCode.Done;
        });
        return command;
    }

    private static long[] Indices(string list) => [.. list.Split(',').Select(text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        ? index
        : throw new BadInputException($"The flag --index takes whole numbers separated by commas, such as 3,17, but '{list}' was given."))];

    /// <summary>Loads the model of a run; null if its weights are neither given nor embedded.</summary>
    private static LoadedModel? Model(SavedRun run, string? weights)
    {
        var embedded = run.Summary.Options.TryGetValue("weights", out var name) && $"{name}" == "embedded" && ModelCatalog.Names.Contains(run.Summary.Model, StringComparer.Ordinal);
        return weights is not null || embedded
            ? NamedModel.Load(run.Summary.Model, weights, run.Normalization)
            : null;
    }
}

/// <summary>The file of a picture, PNG or SVG according to its name.</summary>
internal static class PictureFile
{
    /// <summary>Determines whether the file is SVG rather than PNG.</summary>
    /// <exception cref="BadInputException">The name ends in neither <c>.svg</c> nor <c>.png</c>.</exception>
    public static bool IsSvg(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".svg" => true,
        ".png" => false,
        _ => throw new BadInputException($"A picture is written as PNG or SVG, but '{path}' ends in neither; give a name that ends in .png or .svg."),
    };

    /// <summary>Writes the file; its folder is created if it does not exist.</summary>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public static void Write(string path, byte[] content)
    {
        AtomicFile.CreateFolder(path);
        AtomicFile.Write(path, stream => stream.Write(content));
    }
}
