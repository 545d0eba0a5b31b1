using System.CommandLine;
using Brink.Cli.Terminal;
using Brink.Data;

namespace Brink.Cli.Data;

/// <summary><c>brink data fetch</c>: downloads published data sets to the folder in which <c>--data</c> finds them.</summary>
internal static class DataCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var name = new Argument<string>("SET") { Description = "The data set: cifar10 (170 MB)." };
        var from = new Option<string?>("--from") { Description = "Another address of the same file. The checksum is verified in any case.", HelpName = "URL" };
        var to = new Option<string?>("--to") { Description = $"The folder for data sets. [default: {DataLocations.UserFolder}]", HelpName = "FOLDER" };
        var limits = Cifar10Download.Limits;
        var quiet = new Option<bool>("--quiet") { Description = "Show no progress." };
        var fetch = new Command("fetch", FormattableString.Invariant($"Download a data set and unpack it. An interrupted download is continued, up to {limits.Attempts} times. It is given up if the server does not answer within {limits.Window.TotalSeconds:F0} seconds, sends fewer than {limits.LeastBytesPerSecond:F0} bytes a second over {limits.Window.TotalSeconds:F0} seconds, or sends more than {limits.MostBytes / 1_000_000} MB.")) { name, from, to, quiet };
        fetch.SetAction(parsed =>
        {
            if (parsed.GetValue(name) is not "cifar10" and var other)
            {
                throw new BadInputException($"There is no data set '{other}' to fetch; choose cifar10.");
            }

            var source = Address(parsed.GetValue(from));
            var folder = parsed.GetValue(to) is "" ? throw new BadInputException("The data sets need a folder, but an empty name was given; give --to FOLDER, or remove it.") : parsed.GetValue(to) ?? DataLocations.UserFolder;
            var images = DownloadDisplay.Run(error, parsed.GetValue(quiet), progress => Cifar10Download.FetchAsync(folder, source, progress, cancellationToken).GetAwaiter().GetResult());
            output.WriteLine($"CIFAR-10 is in {images}. Use --data cifar10 for the test images and --data cifar10:train for the training images.");
            if (!DataLocations.Folders.Contains(folder, StringComparer.Ordinal))
            {
                output.WriteLine($"Set {DataLocations.Variable} to {folder}, so that they are found there.");
            }

            return ExitCode.Done;
        });
        return new Command("data", "Download data sets, so that --data finds them by name.") { fetch };
    }

    private static Uri? Address(string? text) => text is null
        ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new BadInputException($"The flag --from takes an address such as {Cifar10Download.Source}, but '{text}' was given.");
}
