using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using ICSharpCode.SharpZipLib.Checksum;

namespace Brink.Models;

/// <summary>Checks a TorchScript file before libtorch loads it, because libtorch ends the process when code does not compile.</summary>
/// <remarks>
/// The file is a zip archive with one folder that contains <c>data.pkl</c>, <c>constants.pkl</c> and <c>code/</c>. The check ensures that the
/// archive is complete and undamaged, that the code of every class it refers to is present, that it calls no extension of PyTorch, because
/// extensions are not available, and no quantized operators, because they have no gradients. It does not ensure that the file is harmless: loading and calling it runs its code.
/// </remarks>
internal static partial class TorchScriptArchive
{
    private const string Pickle = "data.pkl";
    private const string Code = "code/";
    private const string CodeExtension = ".py";

    // The operator libraries of PyTorch itself. Others come from libraries that a Python program has loaded, such as torchvision.
    private static readonly HashSet<string> Operators = new(StringComparer.Ordinal)
    {
        "aten", "prim", "prims", "quantized", "_quantized", "quantized_decomposed", "mkldnn", "mkldnn_prepacked", "onednn", "prepacked", "sparse", "xnnpack", "profiler", "static_runtime",
    };

    /// <summary>Checks that a file is a complete TorchScript file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>True if the modules of the network have a mode, training or evaluation; a frozen network has none.</returns>
    /// <exception cref="BadInputException">Thrown when the file cannot be read, is not TorchScript, is damaged, or contains a quantized network.</exception>
    public static bool Check(string path) => CheckpointFile.Read(path, stream => Check(stream, path));

    private static bool Check(Stream stream, string path)
    {
        switch (FormatDetection.Detect(stream))
        {
            case CheckpointFormat.Zip:
                break;
            case CheckpointFormat.Unknown:
                throw new BadInputException($"{path} should be a TorchScript file, but it is {FormatDetection.Describe(stream)}; give a file written by torch.jit.save, or the name of a model.");
            default:
                throw WeightsOnly(path);
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
            return code.Values.Any(text => ModeAttribute().IsMatch(text));
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or NotSupportedException or RegexMatchTimeoutException)
        {
            throw Damaged(path, Excerpt.Reason(exception), exception);
        }
    }

    /// <summary>Finds the folder that contains all entries.</summary>
    /// <returns>The name of the folder with a slash at its end.</returns>
    private static string Root(ZipArchive archive, string path)
    {
        var names = archive.Entries.Select(entry => entry.FullName).ToArray();
        var root = Array.Find(names, name => name.EndsWith($"/{Pickle}", StringComparison.Ordinal))?[..^Pickle.Length];
        if (root is null)
        {
            throw new BadInputException($"{path} should be a TorchScript file, but it is another zip archive; give a file written by torch.jit.save, or the name of a model.");
        }

        if (!names.Contains($"{root}constants.pkl", StringComparer.Ordinal) || !Array.Exists(names, name => name.StartsWith(root + Code, StringComparison.Ordinal)))
        {
            throw WeightsOnly(path);
        }

        return names.Distinct(StringComparer.Ordinal).Count() == names.Length && !names.Contains("", StringComparer.Ordinal) ? root : throw Damaged(path, "an entry occurs twice, or has no name");
    }

    private static void CheckCode(Dictionary<string, string> code, IEnumerable<string> classes, string path)
    {
        foreach (var name in code.Values.SelectMany(text => QualifiedName().Matches(text).Select(match => match.Value)).Concat(classes).Distinct(StringComparer.Ordinal))
        {
            // The name of a class or function in a file, or of a member of such a class. PyTorch's own classes have no code in the archive.
            var module = Parent(name);
            if (!code.ContainsKey(module) && !code.ContainsKey(Parent(module)) && !name.StartsWith("__torch__.torch.classes.", StringComparison.Ordinal))
            {
                throw Damaged(path, $"the code of {Excerpt.Quote(name)} is missing");
            }
        }

        if (code.Values.SelectMany(text => OperatorCall().Matches(text).Select(match => match.Groups["library"].Value)).FirstOrDefault(library => !Operators.Contains(library)) is { } extension)
        {
            throw new BadInputException($"The network in {path} may use only PyTorch's own operators, but it calls operators of {Excerpt.Quote(extension)}, which Brink cannot load; save it without them.");
        }

        if (code.Values.Any(text => QuantizedOperator().IsMatch(text)))
        {
            throw new BadInputException($"{path} contains a quantized network, but an attack needs the gradient of the outputs with respect to the images, which quantized operators do not have; give the network as it was before quantization.");
        }
    }

    private static string Parent(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;

    private static void CheckContent(ZipArchiveEntry entry, ExpansionBudget budget, MemoryStream? copy, string path)
    {
        // ZipArchive returns encrypted bytes as if they were the content. The budget bounds memory before any of it is allocated.
        if (entry.IsEncrypted || !budget.TrySpend(entry.Length))
        {
            throw Damaged(path, $"{Excerpt.Quote(entry.FullName)} is encrypted, or too large for a file of this size");
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

        // A checksum of zero means that PyTorch was configured not to compute checksums.
        if (length != entry.Length || (entry.Crc32 != 0 && checksum.Value != entry.Crc32))
        {
            throw Damaged(path, $"the length or the checksum of {Excerpt.Quote(entry.FullName)} is wrong");
        }
    }

    [GeneratedRegex(@"\b__torch__(\.\w+)+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"c(?<module>__torch__[\w.]*)\n", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex PickledModule();

    // Only activations are quantized per tensor in the code of a network; operators on weights that are dequantized before use have gradients.
    [GeneratedRegex(@"(?<![\w.])(ops\.quantized\.|torch\.(quantize_per_tensor|quantized_)\w*\()", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex QuantizedOperator();

    [GeneratedRegex(@"^\s+training : ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex ModeAttribute();

    [GeneratedRegex(@"(?<![\w.])ops\.(?<library>\w+)\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex OperatorCall();

    private static BadInputException WeightsOnly(string path) => new(
        $"{path} contains weights or Python objects, but not the code of a network; give it as --weights together with the name of its model as --model, or save the whole network with torch.jit.script(model).save(…).");

    private static BadInputException Damaged(string path, string reason, Exception? cause = null) => new(
        $"{path} cannot be read as TorchScript: its zip archive is damaged ({reason}); download it again, or save it again with torch.jit.script(model).save(…).", cause);
}
