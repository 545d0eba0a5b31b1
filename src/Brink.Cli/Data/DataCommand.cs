using System.CommandLine;
using Brink.Cli.Terminal;
using Brink.Data;

namespace Brink.Cli.Data;

/// <summary><c>brink data fetch</c>: brings published images to where <c>--data</c> looks for them.</summary>
internal static class DataCommand
{
    public static Command Create(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var name = new Argument<string>("SET") { Description = "What to fetch: cifar10 (170 MB)." };
        var from = new Option<string?>("--from") { Description = "Another address of the same file; its checksum is compared all the same.", HelpName = "URL" };
        var to = new Option<string?>("--to") { Description = $"The folder of data. [default: {DataLocations.UserFolder}]", HelpName = "FOLDER" };
        var quiet = new Option<bool>("--quiet") { Description = "Show no progress." };
        var fetch = new Command("fetch", "Download a data set, going on from where an earlier attempt broke off, and unpack it.") { name, from, to, quiet };
        fetch.SetAction(parsed =>
        {
            if (parsed.GetValue(name) is not "cifar10" and var other)
            {
                throw new BadInputException($"There is no data set '{other}' to fetch; choose cifar10.");
            }

            var source = Address(parsed.GetValue(from));
            var folder = parsed.GetValue(to) ?? DataLocations.UserFolder;
            var images = DownloadDisplay.Run(error, parsed.GetValue(quiet), progress => Cifar10Download.FetchAsync(folder, source, progress, cancellationToken).GetAwaiter().GetResult());
            output.WriteLine($"CIFAR-10 is in {images}. --data cifar10 are its test images, --data cifar10:train those for training.");
            if (!DataLocations.Folders.Contains(folder, StringComparer.Ordinal))
            {
                output.WriteLine($"They are found there when {DataLocations.Variable} names the folder {folder}.");
            }

            return ExitCode.Done;
        });
        return new Command("data", "Bring data sets to where --data looks for them.") { fetch };
    }

    private static Uri? Address(string? text) => text is null
        ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new BadInputException($"The flag --from takes an address such as {Cifar10Download.Source}, but '{text}' was given.");
}
