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

/// <summary><c>brink picture</c>: images of runs, what was done to them and where.</summary>
internal static class PictureCommand
{
    public static Command Create(TextWriter output, CancellationToken cancellationToken)
    {
        var runs = new Argument<string[]>("RUN") { Description = "The folders of runs over the same images, as brink attack --out writes them, or of a comparison.", Arity = ArgumentArity.ZeroOrMore };
        var indices = new Option<string?>("--index") { Description = "The places of the images in the data set.", HelpName = "N[,N…]" };
        var file = new Option<string?>("--out") { Description = "The picture to write, .png or .svg.", HelpName = "FILE" };
        var weights = new Option<string?>("--weights") { Description = "The weights of the runs' network, for its confidence; not needed where it brings its own.", HelpName = "FILE" };
        var command = new Command("picture", "Draw images of runs: the original, what each attack made of it, and where the change is.") { runs, indices, file, weights, SliceCommand.Create(output, cancellationToken) };
        command.SetAction(parsed =>
        {
            var (folders, wanted, path) = (parsed.GetValue(runs)!, parsed.GetValue(indices), parsed.GetValue(file));
            if (folders.Length == 0 || wanted is null || path is null)
            {
                throw new BadInputException($"A picture needs the folder of a run, --index and --out, but {(folders.Length == 0 ? "no folder" : wanted is null ? "no --index" : "no --out")} was given; see brink picture --help.");
            }

            var svg = PictureFile.IsSvg(path);
            var places = Places(wanted);
            TorchLibrary.Require();
            var saved = new List<SavedRun>();
            try
            {
                foreach (var folder in ComparisonFolder.Runs(folders))
                {
                    saved.Add(SavedRun.Read(folder));
                }

                using var network = Network(saved[0], parsed.GetValue(weights));
                var picture = PerturbationPicture.Of(saved, places, network is null ? null : new(network, InputSpace.Pixel));
                PictureFile.Write(path, svg ? Encoding.UTF8.GetBytes(picture.ToSvg()) : picture.ToPng());
            }
            finally
            {
                saved.ForEach(run => run.Dispose());
            }

            output.WriteLine($"Written to {path}");
            return ExitCode.Done;
        });
        return command;
    }

    private static long[] Places(string list) => [.. list.Split(',').Select(text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var place)
        ? place
        : throw new BadInputException($"The flag --index takes whole numbers separated by commas, such as 3,17, but '{list}' was given."))];

    /// <summary>The network of a run; null where its weights are not at hand.</summary>
    private static LoadedModel? Network(SavedRun run, string? weights)
    {
        var brings = run.Summary.Options.TryGetValue("weights", out var name) && $"{name}" == "embedded" && ModelCatalog.Names.Contains(run.Summary.Model, StringComparer.Ordinal);
        return weights is not null || brings
            ? ModelCatalog.Load(run.Summary.Model, weights is null ? null : DataLocations.Resolve(weights), run.Normalization)
            : null;
    }
}
