using System.CommandLine;
using System.Globalization;
using System.Text;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Reports.Pictures;
using TorchSharp;

namespace Brink.Cli.Picture;

/// <summary><c>brink picture slice</c>: the ways of attacks through a slice of input space.</summary>
internal static class SliceCommand
{
    public static Command Create(TextWriter output, CancellationToken cancellationToken)
    {
        var run = new RunOptions();
        var attacks = new Option<string>("--attacks") { Description = "The attacks with commas between them, their options in brackets.", DefaultValueFactory = _ => "deepfool,tr[refine=0,target=best],tr", HelpName = "LIST" };
        var index = new Option<int?>("--index") { CustomParser = WholeNumber.Parse<int>, Description = "The image's place in the data set.", HelpName = "N", Required = true };
        var file = new Option<string>("--out") { Description = "The picture to write, .png or .svg.", HelpName = "FILE", Required = true };
        var command = new Command("slice", "Draw what the network says in a plane around an image, and the ways that attacks took from it.") { attacks, index, file };
        foreach (var option in new Option[] { run.Model, run.Weights, run.Mean, run.StandardDeviation, run.Data, run.Labels, run.Norm, run.Target, run.Space, run.Seed, run.Device, run.Threads })
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            var (path, place) = (parsed.GetValue(file)!, parsed.GetValue(index)!.Value);
            var svg = PictureFile.IsSvg(path);
            var listed = AttackList.Create(parsed.GetValue(attacks)!, Settings(parsed, run));
            using var input = RunInput.Open(parsed, run, cancellationToken, place);
            var slice = Cut(input, listed, (int)((parsed.GetValue(run.Seed) ?? 0) + place), cancellationToken);
            PictureFile.Write(path, svg ? Encoding.UTF8.GetBytes(slice.ToSvg()) : slice.ToPng());
            output.WriteLine($"Written to {path}");
            return ExitCode.Done;
        });
        return command;
    }

    private static InputSlice Cut(RunInput input, IReadOnlyList<ListedAttack> attacks, int seed, CancellationToken cancellationToken)
    {
        using var scope = torch.NewDisposeScope();
        var images = input.Images;
        var image = input.Model.FromPixels(images.Images(0, 1)).to(input.Device);
        var label = images.Labels(0, 1).to(input.Device);
        var paths = attacks.Select(attack => AttackPath.Record(attack.Specification, input.Model, attack.Configured.Attack, image, label, images.FirstIndex, cancellationToken)).ToArray();
        if (!paths[0].Result.Attacked)
        {
            throw new BadInputException($"A slice needs an image that attacks can start from, but image {images.FirstIndex} is {(paths[0].Result.PredictionBefore == paths[0].Result.Label ? "of the class to reach already" : "classified wrong to begin with")}; give another --index.");
        }

        return InputSlice.Of(paths, input.Model, [images.Channels, images.Height, images.Width], images.ClassNames, $"{input.Network.Name}, image {images.FirstIndex}", seed, input.Device, cancellationToken);
    }

    private static Dictionary<string, string> Settings(ParseResult parsed, RunOptions run)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["norm"] = parsed.GetValue(run.Norm) ?? Norm.L2.Name };
        if (parsed.GetValue(run.Target) is { } target)
        {
            settings["target"] = target;
        }

        if (parsed.GetValue(run.Seed) is { } seed)
        {
            settings["seed"] = seed.ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }
}
