using System.CommandLine;
using System.Text;
using Brink.Cli.Inputs;
using Brink.Cli.Terminal;
using Brink.Evaluation.Catalog;
using Brink.Reports.Pictures;
using TorchSharp;

namespace Brink.Cli.Picture;

/// <summary><c>brink picture slice</c>: draws the paths of attacks in a plane of the input space.</summary>
internal static class SliceCommand
{
    public static Command Create(TextWriter output, CancellationToken cancellationToken)
    {
        var run = new RunOptions();
        run.Norm.Description = "The norm that measures perturbations: l2, linf or l1 (brink attacks lists those of each attack). [default: l2]";
        var attacks = new Option<string>("--attacks") { Description = "The attacks, separated by commas, with options in brackets.", DefaultValueFactory = _ => "deepfool,tr[refine=0,target=best],tr", HelpName = "LIST" };
        var index = new Option<int?>("--index") { CustomParser = WholeNumber.Parse<int>, Description = "The index of the image in the data set.", HelpName = "N", Required = true };
        var file = new Option<string>("--out") { Description = "The file to write, .png or .svg.", HelpName = "FILE", Required = true };
        var command = new Command("slice", "Draw the predictions of the model in a plane through an image, and the paths of attacks in it.") { attacks, index, file };
        foreach (var option in (Option[])[run.Model, run.Weights, .. run.Script.All, run.Mean, run.StandardDeviation, run.Data, .. run.Preparation, run.Norm, run.Target, run.Space, run.Seed, run.Device, run.Threads])
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            var (path, imageIndex) = (parsed.GetValue(file)!, parsed.GetValue(index)!.Value);
            var svg = PictureFile.IsSvg(path);
            IReadOnlyList<ListedAttack> Listed(IReadOnlyList<string>? classNames) => AttackList.Create(parsed.GetValue(attacks)!, run.AttackSettings(parsed, Norm.L2.Name), classNames);
            var listed = Listed(null);
            using var input = RunInput.Open(parsed, run, classNames => [.. (listed = Listed(classNames)).Select(attack => attack.Configured)], [], cancellationToken, imageIndex);
            var slice = Slice(input, listed, (int)((parsed.GetValue(run.Seed) ?? 0) + imageIndex), cancellationToken);
            PictureFile.Write(path, svg ? Encoding.UTF8.GetBytes(slice.ToSvg()) : slice.ToPng());
            output.WriteLine($"Written to {path}");
            return ExitCode.Done;
        });
        return command;
    }

    private static InputSlice Slice(RunInput input, IReadOnlyList<ListedAttack> attacks, int seed, CancellationToken cancellationToken)
    {
        using var scope = torch.NewDisposeScope();
        var images = input.Images;
        var image = input.Model.FromPixels(images.Images(0, 1)).to(input.Device);
        var label = images.Labels(0, 1).to(input.Device);
        var paths = attacks.Select(attack => AttackPath.Record(attack.Specification, input.Model, attack.Configured, image, label, images.FirstIndex, cancellationToken)).ToArray();
        if (!paths[0].Result.Attacked)
        {
            throw new BadInputException($"A slice needs an image that can be attacked, but image {images.FirstIndex} {(paths[0].Result.PredictionBefore == paths[0].Result.Label ? "already has the target class as its label" : "is misclassified before the attack")}; give another --index.");
        }

        return InputSlice.Of(paths, input.Model, [images.Channels, images.Height, images.Width], images.ClassNames, $"{input.Loaded.Name}, image {images.FirstIndex}", seed, input.Device, cancellationToken);
    }
}
