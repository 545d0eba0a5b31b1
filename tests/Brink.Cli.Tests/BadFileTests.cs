using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using SkiaSharp;

namespace Brink.Cli.Tests;

/// <summary>Files that a verb cannot use. Each is refused with one line on the error stream, where the progress of an attack would be too, and leaves no results.</summary>
[Trait("speed", "slow")]
public sealed partial class BadFileTests : IDisposable
{
    private const int Features = 3 * 32 * 32;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("it is empty", "attack --weights {empty.pt}")]
    [InlineData("compressed with gzip", "attack --weights {packed.gz}")]
    [InlineData("an ONNX model", "attack --weights {network.onnx}")]
    [InlineData("TorchScript, a network with its code", "attack --weights {network.pt}")]
    [InlineData("89504e470d0a1a0a", "attack --weights {picture.png}")]
    [InlineData("its entries are 'a.npy'", "attack --weights {arrays.npz}")]
    [InlineData("89484446", "attack --weights {network.h5}")]
    [InlineData("it lacks 'conv1.weight'", "attack --weights {one.safetensors}")]
    [InlineData("accounts for 0 bytes of tensors", "attack --weights {nothing.safetensors}")]
    [InlineData("does not agree with its dtype", "attack --weights {length.safetensors}")]
    [InlineData("the dtype must be one of", "attack --weights {type.safetensors}")]
    [InlineData("has 'a' twice", "attack --weights {twice.safetensors}")]
    [InlineData("lacks one or has it in another form", "attack --weights {negative.safetensors}")]
    [InlineData("does not exist", "attack --weights {one.safetensors}.bak", "attack --weights http://127.0.0.1/weights.pt", "attack --model {absent.pt} --data signs")]
    [InlineData("has no tensors under 'absent'", "attack --weights {one.safetensors}:absent")]
    [InlineData("is a folder", "attack --weights {emptyfolder/}", "attack --model {emptyfolder/}/ --data signs")]
    [InlineData("should be a TorchScript file, but it is an ONNX model", "attack --model {network.onnx} --data signs")]
    [InlineData("should be a TorchScript file, but it is other binary data", "attack --model {picture.png} --data signs")]
    [InlineData("it is another zip archive", "attack --model {arrays.npz} --data signs")]
    [InlineData("weights or Python objects", "attack --model {one.safetensors} --data signs")]
    [InlineData("There is no model named", "attack --model . --data signs", "attack --model Signs --data signs")]
    [InlineData("takes images with 1 channel, but the images have 3 channels", "attack --model {grey.pt} --data signs --trust-model")]
    [InlineData("it failed on one", "attack --model {small.pt} --data signs --trust-model", "attack --model {network.pt} --data idx:{images.idx},{labels.idx} --trust-model --channels rgb")]
    [InlineData("returned no tensor", "attack --model {text.pt} --data signs --trust-model")]
    [InlineData("leave --output out", "attack --model {network.pt} --data signs --trust-model --output main", "attack --model {network.pt} --data signs --trust-model --output 7")]
    [InlineData("have 3 channels", "attack --model {network.pt} --data signs --trust-model --mean 0.5,0.5 --std 1,1")]
    [InlineData("at least 1 second", "attack --model {network.pt} --data signs --trial-seconds 0")]
    [InlineData("contains its weights", "attack --model {network.pt} --weights {one.safetensors} --data signs")]
    public void Models_and_weights(string fragment, params string[] commands) => AssertRefused(fragment, commands);

    [Theory]
    [InlineData("there is nothing at", "attack --model signs --data cifar10:{absent.bin}", "attack --model signs --data images:{absent}", "attack --model signs --data imagenet:{absent}")]
    [InlineData("contains no .bin file", "attack --model signs --data cifar10:{emptyfolder/}")]
    [InlineData("consists of images of 3073 bytes", "attack --model signs --data cifar10:{picture.png}")]
    [InlineData("contains none", "attack --model signs --data images:{emptyfolder/}", "attack --model signs --data images:{emptyclass/}", "attack --model signs --data images:{empty.tar}")]
    [InlineData("is not a tar archive or is damaged", "attack --model signs --data images:{picture.png}", "attack --model signs --data images:{arrays.npz}", "attack --model signs --data images:{text.txt}")]
    [InlineData("None of the 1 images", "attack --model signs --data images:{nopicture/}", "attack --model signs --data images:{emptypicture/}")]
    [InlineData("are in no class folders", "attack --model signs --data images:{flat/}", "attack --model signs --data images:{flat.tar}", "train --model resnet20 --data images:{flat/} --out {new}")]
    [InlineData("33×32 pixels, but the images before it have 32×32", "attack --model signs --data images:{sizes/}")]
    [InlineData("needs synsets as classes", "attack --model signs --data imagenet:{classes/}")]
    [InlineData("12 class folders and signs has 10 classes", "attack --model signs --data images:{twelve/}")]
    [InlineData("a file of labels, but only", "attack --model signs --data idx:{images.idx}")]
    [InlineData("there is no such file", "attack --model signs --data idx:{images.idx},", "attack --model signs --data idx:,{labels.idx}", "attack --model signs --data idx:{images.idx},{emptyfolder/}", "attack --model signs --data idx:{absent.idx},{labels.idx}")]
    [InlineData("begins with the bytes 0, 0, 8, 3", "attack --model signs --data idx:{labels.idx},{images.idx}", "attack --model signs --data idx:{picture.png},{labels.idx}")]
    [InlineData("3 images and", "attack --model signs --data idx:{images.idx},{two.idx}")]
    [InlineData("the file is shorter", "attack --model signs --data idx:{short.idx},{labels.idx}", "attack --model signs --data idx:{huge.idx},{labels.idx}")]
    [InlineData("at least one pixel", "attack --model signs --data idx:{nopixel.idx},{labels.idx}")]
    [InlineData("There is no data set named", "attack --model signs --data :", "attack --model signs --data CIFAR10:x", "attack --model signs --data signs:1", "attack --model signs --data {flat/}")]
    [InlineData("needs a folder or a tar archive", "attack --model signs --data imagenet:")]
    [InlineData("Images need a folder or a tar archive", "attack --model signs --data images:")]
    [InlineData("from 1 to 10000, but", "attack --model signs --data images:{flat/} --resize 0", "attack --model signs --data images:{flat/} --resize 10001", "attack --model signs --data images:{flat/} --crop -1")]
    [InlineData("Only image files are resized", "attack --data signs --resize 32", "attack --data signs --crop 32", "train --model resnet20 --data signs --resize 32 --out {new}")]
    [InlineData("grey, rgb, rgba or bgr", "attack --data signs --channels RGB", "attack --data signs --channels ")]
    [InlineData("none are left after skipping 10", "attack --model signs --data images:{classes/} --skip 10")]
    public void Images(string fragment, params string[] commands) => AssertRefused(fragment, commands);

    [Theory]
    [InlineData("there is no such file", "--labels {absent.csv}", "--labels Predicted", "--labels {emptyfolder/}")]
    [InlineData("is empty", "--labels {empty.csv}")]
    [InlineData("row 1 has 1", "--labels {one.csv}", "--labels {quote.csv}")]
    [InlineData("none of its", "--labels {header.csv}", "--labels {others.csv}")]
    [InlineData("should be UTF-8", "--labels {latin.csv}", "--labels {picture.png}", "--labels {pairs.csv} --classes {latin.txt}")]
    [InlineData("'1' and '2'", "--labels {twice.csv}")]
    [InlineData("must be names, or class numbers", "--labels {negative.csv}", "--labels {fraction.csv}", "--labels {enormous.csv}")]
    [InlineData("0 to 9, but image 0 of 'flat' has the label 10", "--labels {ten.csv}")]
    [InlineData("is empty", "--labels {pairs.csv} --classes {empty.txt}", "--labels {pairs.csv} --classes {gap.txt}")]
    [InlineData("'a' twice", "--labels {pairs.csv} --classes {repeated.txt}")]
    [InlineData("cannot be opened", "--labels {pairs.csv} --classes {absent.txt}", "--labels {pairs.csv} --classes {emptyfolder/}")]
    [InlineData("is none of its 2 names", "--labels {pairs.csv} --classes {two.txt}")]
    public void Labels_and_classes(string fragment, params string[] flags) =>
        AssertRefused(fragment, [.. flags.Select(flag => $"attack --model signs --data images:{{flat/}} {flag}")]);

    [Fact]
    public void A_table_of_labels_is_for_image_files() =>
        AssertRefused("names image files", "attack --data signs --labels {pairs.csv}", "train --model resnet20 --data signs --labels {pairs.csv} --out {new}");

    [Theory]
    [InlineData("there is no folder", "transfer {absent} --model signs", "report {absent}", "picture {absent} --index 0 --out {new.png}", "report {text.txt}")]
    [InlineData("has no results.json", "transfer {emptyfolder/} --model signs", "report {emptyfolder/}", "picture {emptyfolder/} --index 0 --out {new.png}")]
    [InlineData("results.json cannot be read", "transfer {broken/} --model signs", "report {broken/}", "picture {broken/} --index 0 --out {new.png}")]
    [InlineData("ends in neither", "picture {absent} --index 0 --out {new.gif}", "picture {absent} --index 0 --out ", "picture slice --index 0 --out {new.bmp}")]
    [InlineData("whole number", "picture {absent} --index -1 --out {new.png}", "picture {absent} --index 0;1 --out {new.png}", "picture slice --index 0,5 --out {new.png}")]
    [InlineData("The results need a", "attack --out {text.txt}", "attack --out {text.txt}/below", "compare --out {text.txt}", "reproduce table1 --out {text.txt}")]
    [InlineData("A training run needs a folder", "train --model resnet20 --data signs --out {text.txt}")]
    [InlineData("could not be written", "data fetch cifar10 --from http://127.0.0.1:1/ --to {text.txt}")]
    [InlineData("images of CIFAR-10, but", "reproduce table1 --weights resnet20={absent} --data images:{flat/}")]
    [InlineData("there is nothing at", "reproduce table1 --weights resnet20={absent} --data cifar10:{absent}", "reproduce table3 --weights alexnet={absent} --data imagenet:{absent}")]
    [InlineData("needs synsets as classes", "reproduce table3 --weights alexnet={absent} --data imagenet:{classes/}")]
    [InlineData("There is no untrained model", "train --model {network.pt} --data signs --out {new}")]
    [InlineData("equal image sizes", "train --model resnet20 --data signs --data idx:{images.idx},{labels.idx} --out {new}")]
    [InlineData("does not exist", "train --model resnet20 --data signs --weights {absent.pt} --out {new}", "picture slice --index 0 --model {absent.pt} --data signs --out {new.png}", "compare --model {absent.pt} --data signs")]
    public void Other_verbs(string fragment, params string[] commands) => AssertRefused(fragment, commands);

    private void AssertRefused(string fragment, params string[] commands)
    {
        foreach (var command in commands)
        {
            var arguments = command.Split(' ').Select(argument => Placeholder().Replace(argument, match => Make(match.Groups["name"].Value))).ToArray();
            var limited = arguments is ["attack" or "compare", ..] ? [.. arguments, "--limit", "20"] : arguments;
            var error = Invocation.Of(arguments is ["attack" or "compare", ..] && !arguments.Contains("--out") ? [.. limited, "--out", _folder["results"]] : limited).AssertRefused();
            Assert.True(error.Contains(fragment, StringComparison.Ordinal), $"{command}: {error}");
            Assert.False(Directory.Exists(_folder["results"]) && Directory.EnumerateFileSystemEntries(_folder["results"]).Any(), command);
        }
    }

    /// <summary>Makes the file or folder of that name, unless it is to be absent.</summary>
    private string Make(string name)
    {
        var path = _folder[name.TrimEnd('/')];
        if (Path.Exists(path))
        {
            return path;
        }

        switch (name)
        {
            case "network.pt": return TorchScriptFile.Write(path, Features, "Tensor", "return z");
            case "grey.pt": return TorchScriptFile.Write(path, 32 * 32, "Tensor", "return z");
            case "small.pt": return TorchScriptFile.Write(path, 3 * 28 * 28, "Tensor", "return z");
            case "text.pt": return TorchScriptFile.Write(path, Features, "str", "return \"a\"");
            case "emptyfolder/": Directory.CreateDirectory(path); return path;
            case "emptyclass/": Directory.CreateDirectory(Path.Combine(path, "a")); return path;
            case "flat/": return Pictures(path, "0.png", "1.png");
            case "classes/": return Pictures(path, [.. "abcdefghij".Select(letter => $"{letter}/0.png")]);
            case "twelve/": return Pictures(path, [.. "abcdefghijkl".Select(letter => $"{letter}/0.png")]);
            case "sizes/": return Pictures(Pictures(path, "a/0.png"), 33, "a/1.png");
            case "nopicture/": return Text(path, "a/0.png", "no picture");
            case "emptypicture/": return Text(path, "a/0.png", "");
            case "broken/": return Text(path, "results.json", "{");
            case "flat.tar":
                TarFile.CreateFromDirectory(Make("flat/"), path, includeBaseDirectory: false);
                return path;
            case "arrays.npz":
                using (var archive = ZipFile.Open(path, ZipArchiveMode.Create))
                {
                    archive.CreateEntry("a.npy");
                }

                return path;
            default:
                return Content(name) is { } content ? _folder.Write(name, content) : path;
        }
    }

    /// <summary>Returns the content of a file; null if it is to be absent.</summary>
    private static byte[]? Content(string name) => name switch
    {
        "empty.pt" or "empty.csv" or "empty.txt" => [],
        "text.txt" => "some text"u8.ToArray(),
        "packed.gz" => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "network.onnx" => [8, 7, 0x12, 7, .. "pytorch"u8, 0x1a, 3, .. "1.0"u8, 0x3a, 2, 0x12, 0],
        "network.h5" => [0x89, .. "HDF\r\n"u8, 0x1a, .. new byte[100]],
        "picture.png" => Picture(32),
        "empty.tar" => new byte[1024],
        "nothing.safetensors" => Tensors("{}"),
        "one.safetensors" => Tensors("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""),
        "length.safetensors" => Tensors("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}}"""),
        "type.safetensors" => Tensors("""{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"""),
        "twice.safetensors" => Tensors("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""),
        "negative.safetensors" => Tensors("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"""),
        "images.idx" => Idx(3 * 28 * 28, 3, 28, 28),
        "short.idx" => Idx(10, 3, 28, 28),
        "huge.idx" => Idx(10, 3, int.MaxValue, int.MaxValue),
        "nopixel.idx" => Idx(0, 3, 0, 0),
        "labels.idx" => Idx(3, 3),
        "two.idx" => Idx(2, 2),
        "one.csv" => "0.png\n1.png\n"u8.ToArray(),
        "quote.csv" => "\"0.png,1\n"u8.ToArray(),
        "header.csv" => "file,label\n"u8.ToArray(),
        "others.csv" => "x.png,0\ny.png,1\n"u8.ToArray(),
        "latin.csv" => [.. "0.png,"u8, 0xe4, .. "\n1.png,b\n"u8],
        "twice.csv" => "0.png,1\n0.png,2\n"u8.ToArray(),
        "negative.csv" => "0.png,-1\n1.png,0\n"u8.ToArray(),
        "fraction.csv" => "0.png,1.5\n1.png,2\n"u8.ToArray(),
        "enormous.csv" => "0.png,99999999999999999999\n1.png,0\n"u8.ToArray(),
        "ten.csv" => "0.png,10\n1.png,1\n"u8.ToArray(),
        "pairs.csv" => "0.png,a\n1.png,c\n"u8.ToArray(),
        "two.txt" => "a\nb\n"u8.ToArray(),
        "gap.txt" => "a\n\nc\n"u8.ToArray(),
        "repeated.txt" => "a\na\nc\n"u8.ToArray(),
        "latin.txt" => [.. "a\nc\n"u8, 0xe4],
        _ => null,
    };

    private static byte[] Tensors(string header) => [.. BitConverter.GetBytes((long)header.Length), .. Encoding.ASCII.GetBytes(header), .. new byte[4]];

    private static byte[] Idx(int length, params int[] size)
    {
        var file = new byte[4 + (4 * size.Length) + length];
        (file[2], file[3]) = (8, (byte)size.Length);
        for (var side = 0; side < size.Length; side++)
        {
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * side)), size[side]);
        }

        return file;
    }

    private static byte[] Picture(int width)
    {
        using var bitmap = new SKBitmap(width, 32);
        bitmap.Erase(SKColors.Gray);
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    private static string Pictures(string folder, params string[] names) => Pictures(folder, 32, names);

    private static string Pictures(string folder, int width, params string[] names)
    {
        foreach (var file in names.Select(name => Path.Combine(folder, name)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Picture(width));
        }

        return folder;
    }

    private static string Text(string folder, string name, string text)
    {
        var file = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return folder;
    }

    [GeneratedRegex(@"\{(?<name>[^}]+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Placeholder();
}
