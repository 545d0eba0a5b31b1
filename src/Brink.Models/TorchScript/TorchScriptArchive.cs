using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using ICSharpCode.SharpZipLib.Checksum;

namespace Brink.Models;

/// <summary>Looks at a TorchScript file before libtorch does, where a program that does not compile ends the process.</summary>
/// <remarks>
/// It is a zip archive with one folder that holds <c>data.pkl</c>, <c>constants.pkl</c> and <c>code/</c>. Made sure of are that it is
/// whole and undamaged, that the code of every class it mentions is there, and that it calls none of PyTorch's extensions, which are not
/// here. Not that it is harmless: it is a program, which loading and calling it runs.
/// </remarks>
internal static partial class TorchScriptArchive
{
    private const string Pickle = "data.pkl";
    private const string Code = "code/";
    private const string CodeExtension = ".py";

    // Operators outside these come from libraries that a Python program has loaded, such as torchvision's.
    private static readonly HashSet<string> Operators = new(StringComparer.Ordinal)
    {
        "aten", "prim", "prims", "quantized", "_quantized", "quantized_decomposed", "mkldnn", "mkldnn_prepacked", "onednn", "prepacked", "sparse", "xnnpack", "profiler", "static_runtime",
    };

    /// <summary>Refuses what is no whole TorchScript file.</summary>
    /// <exception cref="BadInputException">It cannot be read, is something else, or is damaged.</exception>
    public static void Check(string path) => CheckpointFile.Read(path, stream =>
    {
        Check(stream, path);
        return true;
    });

    private static void Check(Stream stream, string path)
    {
        switch (FormatDetection.Detect(stream))
        {
            case CheckpointFormat.Zip:
                break;
            case CheckpointFormat.Unknown:
                throw new BadInputException($"{path} should be a TorchScript file, but it is {FormatDetection.Describe(stream)}; give a file written by torch.jit.save, or the name of a network.");
            default:
                throw WeightsAlone(path);
        }

        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var root = Root(archive, path);
            var budget = new ExpansionBudget(stream.Length);
            var code = new Dictionary<string, string>(StringComparer.Ordinal);
            var classes = new List<string>();
            foreach (var entry in archive.Entries)
            {
                var name = entry.FullName.StartsWith(root, StringComparison.Ordinal) ? entry.FullName[root.Length..] : "";
                var isCode = name.StartsWith(Code, StringComparison.Ordinal) && name.EndsWith(CodeExtension, StringComparison.Ordinal);
                using var text = isCode || name == Pickle ? new MemoryStream() : null;
                CheckContent(entry, budget, text, path);
                if (isCode)
                {
                    code.Add(name[Code.Length..^CodeExtension.Length].Replace('/', '.'), Encoding.UTF8.GetString(text!.ToArray()));
                }
                else if (text is not null)
                {
                    classes.AddRange(PickledModule().Matches(Encoding.Latin1.GetString(text.ToArray())).Select(match => $"{match.Groups["module"].Value}.class"));
                }
            }

            CheckCode(code, classes, path);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            throw Damaged(path, exception.Message.TrimEnd('.'), exception);
        }
    }

    /// <summary>The folder that everything lies in, with its slash.</summary>
    private static string Root(ZipArchive archive, string path)
    {
        var names = archive.Entries.Select(entry => entry.FullName).ToArray();
        var root = Array.Find(names, name => name.EndsWith($"/{Pickle}", StringComparison.Ordinal))?[..^Pickle.Length];
        if (root is null)
        {
            throw new BadInputException($"{path} should be a TorchScript file, but it is another zip archive; give a file written by torch.jit.save, or the name of a network.");
        }

        if (!names.Contains($"{root}constants.pkl", StringComparer.Ordinal) || !Array.Exists(names, name => name.StartsWith(root + Code, StringComparison.Ordinal)))
        {
            throw WeightsAlone(path);
        }

        return names.Distinct(StringComparer.Ordinal).Count() == names.Length ? root : throw Damaged(path, "names in it occur twice");
    }

    private static void CheckCode(Dictionary<string, string> code, IEnumerable<string> classes, string path)
    {
        foreach (var name in code.Values.SelectMany(text => QualifiedName().Matches(text).Select(match => match.Value)).Concat(classes).Distinct(StringComparer.Ordinal))
        {
            // A class or a function of a file, or a member of a class of a file. Classes of PyTorch itself have no code.
            var module = Parent(name);
            if (!code.ContainsKey(module) && !code.ContainsKey(Parent(module)) && !name.StartsWith("__torch__.torch.classes.", StringComparison.Ordinal))
            {
                throw Damaged(path, $"the code of {Excerpt.Quote(name)} is missing");
            }
        }

        if (code.Values.SelectMany(text => OperatorCall().Matches(text).Select(match => match.Groups["library"].Value)).FirstOrDefault(library => !Operators.Contains(library)) is { } extension)
        {
            throw new BadInputException($"The network in {path} should make do with PyTorch's own operators, but it calls those of {Excerpt.Quote(extension)}, which Brink cannot load; write it without them.");
        }
    }

    private static string Parent(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;

    private static void CheckContent(ZipArchiveEntry entry, ExpansionBudget budget, MemoryStream? copy, string path)
    {
        // Encrypted bytes would be taken for content, and memory is to be had for content alone.
        if (entry.IsEncrypted || !budget.TrySpend(entry.Length))
        {
            throw Damaged(path, $"{Excerpt.Quote(entry.FullName)} is encrypted, or larger than can be");
        }

        var checksum = new Crc32();
        var buffer = new byte[1 << 16];
        var length = 0L;
        using var content = entry.Open();
        for (int read; (read = content.Read(buffer)) > 0; length += read)
        {
            checksum.Update(new ArraySegment<byte>(buffer, 0, read));
            copy?.Write(buffer, 0, read);
        }

        // Zero stands where PyTorch was told not to compute it.
        if (length != entry.Length || (entry.Crc32 != 0 && checksum.Value != entry.Crc32))
        {
            throw Damaged(path, $"{Excerpt.Quote(entry.FullName)} is not what was written");
        }
    }

    [GeneratedRegex(@"\b__torch__(\.\w+)+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"c(?<module>__torch__[\w.]*)\n", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex PickledModule();

    [GeneratedRegex(@"(?<![\w.])ops\.(?<library>\w+)\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex OperatorCall();

    private static BadInputException WeightsAlone(string path) => new(
        $"{path} holds weights, or objects of Python, without the code of a network; give it as --weights together with the name of its network as --model, or write the whole network with torch.jit.script(model).save(…).");

    private static BadInputException Damaged(string path, string reason, Exception? cause = null) => new(
        $"{path} cannot be read as TorchScript: its zip archive is damaged ({reason}); fetch it again, or write it anew with torch.jit.script(model).save(…).", cause);
}
