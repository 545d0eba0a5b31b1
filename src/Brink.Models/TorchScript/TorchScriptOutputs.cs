using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace Brink.Models;

/// <summary>Gives a network that returns a tuple, list or dictionary two methods that return its tensors, and their names, as lists.</summary>
/// <remarks>
/// TorchSharp cannot return dictionaries from a script. The methods are appended to the class of the network in a copy of the file; a script declares the type of
/// each result, from which their code follows. Names are keys, fields and positions, joined by dots: <c>logits</c>, <c>0</c>, <c>1.features</c>.
/// </remarks>
internal static partial class TorchScriptOutputs
{
    /// <summary>The method that returns the tensors.</summary>
    public const string Tensors = "brink_tensors";

    /// <summary>The method that returns their names, each as a tensor of bytes in UTF-8.</summary>
    public const string Names = "brink_names";

    // Deeper types do not occur; the bound protects the recursion.
    private const int DeepestType = 16;

    /// <summary>Writes a copy of a network with the two methods.</summary>
    /// <param name="path">The file, an undamaged archive.</param>
    /// <returns>The path of the copy, which the caller deletes; null if the network returns a single tensor, or its result has an unknown type.</returns>
    public static string? Extend(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        if (Root(archive) is not var (file, name) || archive.GetEntry(file) is not { } entry)
        {
            return null;
        }

        var code = Text(entry);
        if (ClassBody(code, name[(name.LastIndexOf('.') + 1)..]) is not var (start, end) || ForwardSignature().Match(code, start, end - start) is not { Success: true } signature || signature.Groups["type"].Value.Trim() == "Tensor")
        {
            return null;
        }

        var type = signature.Groups["type"].Value;
        var methods = Method(Tensors, name, type, archive, withNames: false) + Method(Names, name, type, archive, withNames: true);
        var copy = Path.Combine(Path.GetTempPath(), $"brink-{Guid.NewGuid():N}.pt");
        try
        {
            Copy(archive, copy, entry, $"{code[..end].TrimEnd('\n')}\n{methods}{code[end..]}");
            return copy;
        }
        catch
        {
            File.Delete(copy);
            throw;
        }
    }

    /// <summary>Copies an archive with another content of one file.</summary>
    private static void Copy(ZipArchive archive, string copy, ZipArchiveEntry changed, string content)
    {
        using var target = ZipFile.Open(copy, ZipArchiveMode.Create);
        foreach (var source in archive.Entries)
        {
            // Not compressed: libtorch reads tensors in place.
            using var output = target.CreateEntry(source.FullName, CompressionLevel.NoCompression).Open();
            if (source == changed)
            {
                output.Write(Encoding.UTF8.GetBytes(content));
            }
            else
            {
                using var input = source.Open();
                input.CopyTo(output);
            }
        }
    }

    /// <summary>Finds the class of the network, the first that its pickle names, and the file of its code.</summary>
    private static (string File, string Class)? Root(ZipArchive archive)
    {
        if (archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal)) is not { } pickle)
        {
            return null;
        }

        using var content = pickle.Open();
        var head = new byte[4096];
        var match = FirstClass().Match(Encoding.Latin1.GetString(head, 0, content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)));
        var module = match.Groups["module"].Value;
        return match.Success ? ($"{pickle.FullName[..^"data.pkl".Length]}code/{module.Replace('.', '/')}.py", $"{module}.{match.Groups["name"].Value}") : null;
    }

    /// <summary>Finds the lines of a class in the code of a file.</summary>
    private static (int Start, int End)? ClassBody(string code, string name)
    {
        var start = code.StartsWith($"class {name}(", StringComparison.Ordinal) ? 0 : code.IndexOf($"\nclass {name}(", StringComparison.Ordinal) + 1;
        if (start == 0 && !code.StartsWith($"class {name}(", StringComparison.Ordinal))
        {
            return null;
        }

        var next = NextDefinition().Match(code, start + 1);
        return (start, next.Success ? next.Index : code.Length);
    }

    private static string Method(string method, string self, string type, ZipArchive archive, bool withNames)
    {
        var code = new StringBuilder();
        code.Append(System.Globalization.CultureInfo.InvariantCulture, $"  def {method}(self: {self},\n    x: Tensor) -> List[Tensor]:\n    found = annotate(List[Tensor], [])\n    names = annotate(List[str], [])\n    result = (self).forward(x, )\n");
        var variables = 0;
        Collect(type, "result", "\"\"", "    ", depth: 0);
        code.Append(withNames
            ? "    codes = annotate(List[Tensor], [])\n    for name in names:\n      letters = annotate(List[int], [])\n      for letter in range(len(name)):\n        letters.append(ord(name[letter]))\n      codes.append(torch.tensor(letters, dtype=4))\n    return codes\n"
            : "    return found\n");
        return code.ToString();

        void Collect(string declared, string value, string name, string indent, int depth)
        {
            var (generic, arguments) = Split(declared);
            var variable = $"v{variables++}";
            if (depth > DeepestType)
            {
                return;
            }

            switch (generic)
            {
                case "Tensor":
                    code.Append(System.Globalization.CultureInfo.InvariantCulture, $"{indent}found.append({value})\n{indent}names.append({name})\n");
                    break;
                case "Optional" when arguments.Count == 1:
                    code.Append(System.Globalization.CultureInfo.InvariantCulture, $"{indent}{variable} = {value}\n{indent}if {variable} is not None:\n{indent}  {variable}_ = {variable}\n");
                    Collect(arguments[0], $"{variable}_", name, $"{indent}  ", depth + 1);
                    break;
                case "List" when arguments.Count == 1:
                    code.Append(System.Globalization.CultureInfo.InvariantCulture, $"{indent}{variable} = {value}\n{indent}for {variable}i in range(len({variable})):\n{indent}  {variable}_ = {variable}[{variable}i]\n");
                    Collect(arguments[0], $"{variable}_", Joined(name, $"str({variable}i)"), $"{indent}  ", depth + 1);
                    break;
                case "Dict" when arguments is ["str", var values]:
                    code.Append(System.Globalization.CultureInfo.InvariantCulture, $"{indent}{variable} = {value}\n{indent}for {variable}k in {variable}.keys():\n{indent}  {variable}_ = {variable}[{variable}k]\n");
                    Collect(values, $"{variable}_", Joined(name, $"{variable}k"), $"{indent}  ", depth + 1);
                    break;
                case "Tuple":
                    code.Append(System.Globalization.CultureInfo.InvariantCulture, $"{indent}{variable} = {value}\n");
                    for (var index = 0; index < arguments.Count; index++)
                    {
                        Collect(arguments[index], $"({variable})[{index}]", Joined(name, $"\"{index}\""), indent, depth + 1);
                    }

                    break;
                default:
                    // A named tuple; classes and numbers contain no tensors that could be logits.
                    foreach (var (field, fieldType) in Fields(archive, generic))
                    {
                        Collect(fieldType, $"{value}.{field}", Joined(name, $"\"{field}\""), indent, depth + 1);
                    }

                    break;
            }
        }
    }

    private static string Joined(string prefix, string name) => prefix == "\"\"" ? name : $"{prefix} + \".\" + {name}";

    /// <summary>Returns the fields of a named tuple, and none for other types.</summary>
    private static IEnumerable<(string Name, string Type)> Fields(ZipArchive archive, string type)
    {
        var module = type.LastIndexOf('.') is > 0 and var dot ? type[..dot] : "";
        if (archive.Entries.FirstOrDefault(entry => entry.FullName.EndsWith($"/code/{module.Replace('.', '/')}.py", StringComparison.Ordinal)) is not { } entry)
        {
            return [];
        }

        var (code, name) = (Text(entry), type[(module.Length + 1)..]);
        return ClassBody(code, name) is var (start, end) && code.AsSpan(start).StartsWith($"class {name}(NamedTuple)", StringComparison.Ordinal)
            ? Field().Matches(code[start..end]).Select(match => (match.Groups["name"].Value, match.Groups["type"].Value))
            : [];
    }

    /// <summary>Splits a type such as <c>Dict[str, Tensor]</c> into its name and its arguments.</summary>
    private static (string Name, List<string> Arguments) Split(string type)
    {
        type = type.Trim();
        var open = type.IndexOf('[', StringComparison.Ordinal);
        var arguments = new List<string>();
        if (open < 0 || !type.EndsWith(']'))
        {
            return (type, arguments);
        }

        var (depth, start) = (0, open + 1);
        for (var index = start; index < type.Length; index++)
        {
            depth += type[index] switch { '[' => 1, ']' => -1, _ => 0 };
            if (depth < 0 || (depth == 0 && type[index] == ','))
            {
                arguments.Add(type[start..index].Trim());
                start = index + 1;
            }
        }

        return (type[..open], arguments);
    }

    private static string Text(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open(), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"c(?<module>__torch__[\w.]*)\n(?<name>\w+)\n", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex FirstClass();

    [GeneratedRegex(@"^(class|def) ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex NextDefinition();

    [GeneratedRegex(@"^  def forward\(\w+: [\w.]+,\s+\w+: Tensor\b[^)]*\) -> (?<type>[^:]+):\s*$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex ForwardSignature();

    [GeneratedRegex(@"^  (?<name>\w+) : (?<type>.+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 4_000)]
    private static partial Regex Field();
}
