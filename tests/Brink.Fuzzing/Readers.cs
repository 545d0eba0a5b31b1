using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Brink.Cli.Attack;
using Brink.Cli.Transfer;
using Brink.Data;
using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Evaluation.Runs;
using Brink.Evaluation.Transfer;
using Brink.Models;
using Brink.Models.Tests.Checkpoints;
using Brink.Reports.Pages;
using Brink.Reports.Pictures;
using Brink.Reports.Testing;
using Brink.Training;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Fuzzing;

/// <summary>Every reader of files in Brink, each with small valid files.</summary>
internal sealed class Readers : IDisposable
{
    private const int Side = 4;
    private const int Images = 6;

    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = new("tiny", nn.Sequential(nn.Flatten(), nn.Linear(3 * Side * Side, 3)), 3, new([0.5, 0.4, 0.3], [0.25, 0.25, 0.25]));
    private readonly ImageSet _images = new("tiny", ["a", "b", "c"], 3, Side, Side, new byte[Images * 3 * Side * Side], new long[Images]);

    private static Dictionary<string, Func<Readers, string, Reader>> All { get; } = new(StringComparer.Ordinal)
    {
        ["zip"] = (readers, name) => new(name, readers.Zips(), Of(Mutation.OfZip, readers.Zips()), ReadCheckpoint),
        ["pickle"] = (readers, name) => Plain(name, [.. Fixtures("*_legacy.pt"), Pickle.LegacyWithTensor(Pickle.Tensor(Pickle.Storage("0", 4), 0, Pickle.Integers(2, 2), Pickle.Integers(2, 1)))], ReadCheckpoint),
        ["safetensors"] = (readers, name) => new(name, readers.SafetensorsFiles(), Of(Mutation.OfSafetensors, readers.SafetensorsFiles()), ReadCheckpoint),
        ["torchsharp"] = (readers, name) => Plain(name, [readers.TorchSharpFile()], ReadCheckpoint),
        ["weights"] = (readers, name) => Plain(name, readers.WeightFiles(), readers.ReadWeights),
        ["metadata"] = (readers, name) => new(name, readers.SafetensorsFiles(), Of(Mutation.OfSafetensors, readers.SafetensorsFiles()), file => Safetensors.ReadMetadata(readers.Written(file)) is not null),
        ["script"] = (readers, name) => new(name, Fixtures("torchscript*.pt"), Of(Mutation.OfZip, Fixtures("torchscript*.pt")), readers.ReadScript),
        ["cifar10"] = (readers, name) => Plain(name, [[.. Enumerable.Range(0, 2 * 3073).Select(place => (byte)(place % 3073 == 0 ? 3 : place))]], file => Checked(Cifar10.Read(readers.Written(file)))),
        ["idx"] = (readers, name) => Plain(name, [[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, .. new byte[8]]], readers.ReadIdx),
        ["idx-gzip"] = (readers, name) => new(name, [[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, .. new byte[8]]], OfGzip, readers.ReadGzip),
        ["png"] = (readers, name) => new(name, Pngs(), Of(Mutation.OfPng, Pngs()), ReadImage),
        ["jpeg"] = (readers, name) => Plain(name, Jpegs(), ReadImage),
        ["folder"] = (readers, name) => new(name, [.. Pngs(), .. Jpegs()], (random, file) => Mutation.Of(random, file, Jpegs()), readers.ReadFolder),
        ["tar"] = (readers, name) => new(name, Tars("cat", "dog"), (random, file) => random.Next(3) == 0 ? Mutation.Of(random, file, []) : Mutation.OfTar(random, file, Tars("cat", "dog")), file => Checked(ImageFolder.Read(readers.Written(file)))),
        ["imagenet"] = (readers, name) => new(name, Tars(ImageNetFolder.Synsets[0], ImageNetFolder.Synsets[999]), (random, file) => Mutation.OfTar(random, file, []), file => Checked(ImageNetFolder.Read(readers.Written(file), 0, null, new() { Resize = 8, Crop = 4 }, CancellationToken.None))),
        ["labels"] = (readers, name) => Plain(name, [.. new[] { "a/1.png,dog\na/2.png,cat\n3,cat\n", "file;label\n1.png;3\n2.png;0\n", "\"a/1.png\"\tx \"\"y\n\"2\"\t\"z\n1\"\n" }.Select(Encoding.UTF8.GetBytes)], readers.ReadLabels),
        ["classes"] = (readers, name) => Plain(name, ["a\nb\nc\n"u8.ToArray(), "first\r\nc\r\nb\r\na\r\n"u8.ToArray()], file => Checked(ClassList.Apply(readers._images, readers.Written(file), hasLabels: file.Length % 2 == 0))),
        ["summary"] = (readers, name) => Plain(name, [readers.RunFile(ResultFolder.Summary)], readers.ReadSummary),
        ["parquet"] = (readers, name) => Plain(name, [readers.RunFile(ResultFolder.Table)], ReadParquet),
        ["range"] = (readers, name) => new(name, [readers.RangeFileBytes()], OfRange, readers.ReadRange),
        ["comparison"] = (readers, name) => Plain(name, [readers.ComparisonFile()], readers.ReadComparison),
        ["envelope"] = (readers, name) => Plain(name, ["""{"index": [0, 2, 1], "norm": "l2", "space": "pixels in [0, 1]", "attacks": {"fab": {"forwards": 2.5, "backwards": 9, "distances": [0.25, null, 0]}}}"""u8.ToArray()], readers.ReadEnvelope),
        ["training"] = (readers, name) => new(name, [readers.TrainingFile()], Of(Mutation.OfSafetensors, [readers.TrainingFile()]), readers.ReadTraining),
        ["run"] = (readers, name) => new(name, readers.RunFiles(), (random, file) => OfRunFile(random, file), readers.ReadRun),
    };

    /// <summary>The names of all readers.</summary>
    public static IReadOnlyCollection<string> Names => All.Keys;

    /// <summary>Creates a reader with its valid files.</summary>
    public Reader Open(string name) => All[name](this, name);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private static Reader Plain(string name, IReadOnlyList<byte[]> seeds, Func<byte[], bool> read) => new(name, seeds, (random, file) => Mutation.Of(random, file, seeds), read);

    /// <summary>Damages the format half of the time, and the bytes otherwise.</summary>
    private static Func<Random, byte[], byte[]> Of(Func<Random, byte[], byte[]> structured, IReadOnlyList<byte[]> seeds) => (random, file) => random.Next(2) == 0 ? structured(random, file) : Mutation.Of(random, file, seeds);

    private static byte[][] Fixtures(string pattern) => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures"), pattern).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <summary>Writes a file, always to the same path.</summary>
    private string Written(byte[] file) => _folder.Write("file", file);

    // ---- weights ----
    private byte[][] Zips() => [.. Fixtures("assorted*_zip.pt"), .. Fixtures("checkpoint_zip.pt"), .. Fixtures("two_networks_zip.pt")];

    private byte[][] SafetensorsFiles() => [.. Fixtures("*.safetensors"), SafetensorsFile(new(StringComparer.Ordinal) { ["comment"] = "text", ["é"] = "\u001b" })];

    private byte[] SafetensorsFile(Dictionary<string, string> metadata)
    {
        using var stream = new MemoryStream();
        Safetensors.Write(stream, _model.Module.state_dict(), metadata);
        return stream.ToArray();
    }

    private byte[] TorchSharpFile()
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            _model.Module.save(writer);
        }

        return stream.ToArray();
    }

    private byte[][] WeightFiles()
    {
        var names = _model.Module.state_dict();
        Content state = new(names.Select(tensor => KeyValuePair.Create($"module.{tensor.Key}", (object)tensor.Value)).Append(new("mean", tensor(new[] { 0.5f, 0.5f, 0.5f }))));
        return [SafetensorsFile([]), TorchSharpFile(), TorchSave.Bytes(state), TorchSave.Bytes(new() { ["epoch"] = 3, ["state_dict"] = state })];
    }

    private static bool ReadCheckpoint(byte[] file)
    {
        using var stream = new MemoryStream(file);
        foreach (var tensor in Checkpoint.Read(stream, "file", tensors => tensors).Values)
        {
            // Read to its last element, where a wrong bound would be detected.
            using var sum = tensor.to(float64).sum();
        }

        return true;
    }

    private bool ReadWeights(byte[] file)
    {
        using var network = nn.Sequential(nn.Flatten(), nn.Linear(3 * Side * Side, 3));
        Check(StateDict.Load(network, Written(file), key: null, name => name, _model.Normalization));
        return true;
    }

    private bool ReadScript(byte[] file)
    {
        var path = Written(file);
        TorchScriptArchive.Check(path);
        if (TorchScriptOutputs.Extend(path) is { } copy)
        {
            File.Delete(copy);
        }

        return true;
    }

    private byte[] TrainingFile()
    {
        var folder = OpenTraining(resume: false);
        using var velocities = new Velocities(_model.Module);
        folder.Save(_model.Module, velocities.Tensors, new() { Epoch = 1, BatchSize = 2 });
        var bytes = File.ReadAllBytes(_folder[$"training/{TrainingFolder.Checkpoint}"]);
        Directory.Delete(_folder["training"], recursive: true);
        return bytes;
    }

    private bool ReadTraining(byte[] file)
    {
        Directory.CreateDirectory(_folder["training"]);
        _folder.Write($"training/{TrainingFolder.Checkpoint}", file);
        using var velocities = new Velocities(_model.Module);
        return OpenTraining(resume: true).Load(_model.Module, velocities.Tensors) is not null;
    }

    private TrainingFolder OpenTraining(bool resume) => TrainingFolder.Open(_folder["training"], new Dictionary<string, string>(StringComparer.Ordinal) { ["model"] = "tiny", ["seed"] = "0" }, resume);

    private sealed class Velocities(nn.Module network) : IDisposable
    {
        public IReadOnlyDictionary<string, Tensor> Tensors { get; } = network.named_parameters().ToDictionary(parameter => parameter.name, parameter => zeros_like(parameter.parameter).DetachFromDisposeScope(), StringComparer.Ordinal);

        public void Dispose()
        {
            foreach (var tensor in Tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }

    // ---- images ----
    private static byte[][] Pngs() => [.. new[] { SKColorType.Rgba8888, SKColorType.Gray8 }.Select(type => Encoded(type, SKEncodedImageFormat.Png)), PalettePng()];

    private static byte[][] Jpegs() => [.. new[] { SKColorType.Rgba8888, SKColorType.Gray8 }.Select(type => Encoded(type, SKEncodedImageFormat.Jpeg))];

    private static byte[] Encoded(SKColorType type, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(8, 6, type, type == SKColorType.Gray8 ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        bitmap.Erase(new SKColor(200, 100, 50, 128));
        using var data = bitmap.Encode(format, 90);
        return data.ToArray();
    }

    /// <summary>An interlaced PNG of two colours with transparency.</summary>
    private static byte[] PalettePng()
    {
        using var pixels = new MemoryStream();
        using (var deflate = new ZLibStream(pixels, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write([0, 0x40]);
        }

        byte[] png = [0x89, .. "PNG\r\n\u001a\n"u8];
        foreach (var (type, data) in new (string, byte[])[] { ("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 0, 0, 1]), ("PLTE", [255, 0, 0, 0, 255, 0, 0, 0, 255]), ("tRNS", [255, 0]), ("IDAT", pixels.ToArray()), ("IEND", []) })
        {
            byte[] named = [.. Encoding.ASCII.GetBytes(type), .. data];
            png = [.. png, .. BitConverter.GetBytes(data.Length).Reverse(), .. named, .. Mutation.Crc(named)];
        }

        return png;
    }

    private static bool ReadImage(byte[] file)
    {
        try
        {
            using var image = DecodedImage.Decode(file);
            foreach (var options in new ImageOptions[] { new(), new() { Channels = PixelChannels.Grey, Resize = 3, Crop = 2 } })
            {
                var preparation = new ImagePreparation(options);
                var (width, height) = preparation.SizeOf((image.Width, image.Height));
                // The resized image of an elongated one is as long as it.
                if ((long)width * height <= 1 << 20)
                {
                    preparation.Prepare(image, new byte[preparation.ChannelCount * width * height]);
                }
            }

            return true;
        }
        catch (UnreadableImageException)
        {
            // The set is read without this image.
            return false;
        }
    }

    private bool ReadFolder(byte[] file)
    {
        Directory.CreateDirectory(_folder["images/cat"]);
        _folder.Write("images/cat/1.png", Pngs()[0]);
        // The name of a file may contain any character, and so may that of a class.
        var name = new string([.. Encoding.Latin1.GetString(file[..Math.Min(file.Length, 40)]).Where(letter => letter is not ('/' or '\0'))]);
        Directory.CreateDirectory(_folder[$"images/c{name}"]);
        _folder.Write($"images/c{name}/{name}.png", file);
        try
        {
            return Checked(ImageFolder.Read(_folder["images"], 0, null, new() { Resize = 8, Crop = 4 }, CancellationToken.None));
        }
        finally
        {
            Directory.Delete(_folder["images"], recursive: true);
        }
    }

    private static byte[][] Tars(string one, string other) => [.. new[] { TarEntryFormat.Ustar, TarEntryFormat.Gnu, TarEntryFormat.Pax }.Select(format =>
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, format, leaveOpen: true))
        {
            foreach (var name in new[] { $"train/{one}/1.png", $"train/{other}/{new string('n', format == TarEntryFormat.Ustar ? 20 : 120)}.png", "train/read.me" })
            {
                TarEntry entry = format switch
                {
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new PaxTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = new MemoryStream(Pngs()[0]);
                writer.WriteEntry(entry);
            }
        }

        return stream.ToArray();
    })];

    private bool ReadIdx(byte[] file)
    {
        var labels = _folder.Write("labels", [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]);
        return Checked(DataCatalog.Open($"idx:{Written(file)},{labels}"));
    }

    private static byte[] OfGzip(Random random, byte[] file)
    {
        file = Mutation.Of(random, file, []);
        return random.Next(2) == 0 ? Mutation.Of(random, Compressed(file), []) : Compressed(file);
    }

    private static byte[] Compressed(byte[] file)
    {
        using var stream = new MemoryStream();
        using (var compressing = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            compressing.Write(file);
        }

        return stream.ToArray();
    }

    private bool ReadGzip(byte[] file)
    {
        // The seed is readable only when it is compressed.
        var isCompressed = file is [0x1f, 0x8b, ..];
        return Checked(DataCatalog.Open($"idx:{_folder.Write("file.gz", isCompressed ? file : Compressed(file))}", 0, null, new() { NeedsLabels = false }, CancellationToken.None));
    }

    private bool ReadLabels(byte[] file)
    {
        var labelled = LabelTable.Read(Written(file)).Match(["a/1.png", "a/2.png", "b/3.jpg"], "images");
        Check(labelled.Notes);
        return true;
    }

    private static bool Checked(ImageSet images)
    {
        Check(images.Warnings);
        return images.Count > 0;
    }

    /// <summary>Checks notes as the command prints them.</summary>
    private static void Check(IEnumerable<string> notes)
    {
        if (notes.Select(Fuzzer.Unprintable).FirstOrDefault(problem => problem is not null) is { } found)
        {
            throw new UnprintableTextException(found);
        }
    }

    // ---- runs ----
    private string RunPath => Directory.Exists(_folder["run"]) ? _folder["run"] : WriteRun();

    private string WriteRun()
    {
        new ExampleRun { Images = Images, Height = Side, Width = Side, Classes = 3, ClassNames = ["a", "b", "c"] }.Write(_folder["run"]);
        // A second, unfinished run with the same images.
        using var range = ExampleRange();
        ((IRangeStore)RunFolder.Open(_folder["unfinished"], Describe(), _model, _images, resume: false)).Store(0, range);
        return _folder["run"];
    }

    private byte[] RunFile(string name) => File.ReadAllBytes(Path.Combine(RunPath, name));

    private byte[] RangeFileBytes() => RunPath.Length > 0 ? File.ReadAllBytes(_folder["unfinished/ranges/000000.safetensors"]) : [];

    private EvaluatedRange ExampleRange()
    {
        using var run = SavedRun.Read(_folder["run"]);
        using var rows = arange(0, 2, int64);
        var images = run.ReadTable().Take(2).Select(image => new EvaluatedImage(
            (int)image.Index,
            new() { Label = image.Label, PredictionBefore = image.PredictionBefore, PredictionAfter = image.PredictionAfter, Target = -1, Exit = image.Exit, L2 = image.L2, LInf = image.LInf, L1 = image.L1, Relative = double.PositiveInfinity, Iterations = 3, Forwards = 4, Backwards = 5 },
            image.Relative)).ToArray();
        return new(images, run.OriginalPixels(rows).DetachFromDisposeScope(), run.AdversarialPixels(rows).DetachFromDisposeScope(), 1.5);
    }

    private static RunDescription Describe() => new()
    {
        Attack = "tr",
        Norm = "l2",
        Space = "pixel",
        Target = "untargeted",
        Criterion = "misclassified",
        Model = "tiny",
        Data = "tiny",
        ClassNames = ["a", "b", "c"],
        Seed = 0,
        Options = new SortedDictionary<string, object>(AttackCatalog.Create("tr").Options.ToDictionary(), StringComparer.Ordinal) { ["batch-size"] = 2, ["mean"] = new[] { 0.5, 0.4, 0.3 }, ["std"] = new[] { 0.25, 0.25, 0.25 } },
    };

    private bool ReadSummary(byte[] file)
    {
        Directory.CreateDirectory(_folder["summary"]);
        _folder.Write($"summary/{ResultFolder.Summary}", file);
        if (ResultFolder.ReadSummary(_folder["summary"]) is not { } summary)
        {
            return false;
        }

        _ = ResultFolder.ToJson(summary);
        Print(summary);
        return true;
    }

    // As the command prints the summary of a finished run that is resumed.
    private static void Print(AttackSummary summary)
    {
        using var output = new StringWriter();
        SummaryTable.Write(output, summary, folder: null);
        if (output.ToString().Any(letter => char.IsControl(letter) && letter is not ('\n' or '\r')))
        {
            throw new UnprintableTextException("The table of results contains control characters.");
        }
    }

    private static bool ReadParquet(byte[] file)
    {
        try
        {
            return ImageTable.Read(file, Images).Count == Images;
        }
        catch (InvalidDataException)
        {
            // Documented; the saved run turns it into a message.
            return false;
        }
    }

    private static byte[] OfRange(Random random, byte[] file)
    {
        if (random.Next(3) == 0)
        {
            return Mutation.Of(random, file, []);
        }

        // The results inside, with the checksum of the damaged file.
        using var scope = NewDisposeScope();
        var tensors = Safetensors.Read(new MemoryStream(file), "range").ToDictionary(StringComparer.Ordinal);
        tensors["results"] = tensor(Mutation.Of(random, tensors["results"].bytes.ToArray(), []));
        tensors.Remove("checksum");
        tensors["checksum"] = tensor(Fingerprint.Of(tensors));
        using var stream = new MemoryStream();
        Safetensors.Write(stream, tensors);
        return stream.ToArray();
    }

    private bool ReadRange(byte[] file)
    {
        _ = RunPath;
        _folder.Write("unfinished/ranges/000000.safetensors", file);
        return ReadUnfinished();
    }

    /// <summary>Continues the unfinished run, up to its first range.</summary>
    private bool ReadUnfinished()
    {
        var run = RunFolder.Open(_folder["unfinished"], Describe(), _model, _images, resume: true);
        using var range = ((IRangeStore)run).Find(0, 2);
        if (range is null)
        {
            return false;
        }

        using var result = new EvaluationResult([range], Images);
        Print(AttackSummary.Of(Describe(), result));
        return true;
    }

    private byte[] ComparisonFile()
    {
        using var run = SavedRun.Read(RunPath);
        return Encoding.UTF8.GetBytes(ComparisonFolder.ToJson(Comparison.Of([run.Compared("tr", "1"), run.Compared("deepfool", "2")], Images)));
    }

    private bool ReadComparison(byte[] file)
    {
        Directory.CreateDirectory(_folder["comparison"]);
        _folder.Write("comparison/comparison.json", file);
        return ComparisonFolder.Runs([_folder["comparison"]]).Count > 0;
    }

    private bool ReadEnvelope(byte[] file)
    {
        using var run = SavedRun.Read(RunPath);
        var compared = run.Compared("tr", "1");
        var filed = EnvelopeFile.Read([Written(file)], compared.Run, 0, Images - 1);
        return ComparisonFolder.ToJson(Comparison.Of([compared], 1, filed: filed)).Length > 0 && filed.Count > 0;
    }

    // A file of a run is damaged; its first byte says which, and the second whether the checksums are corrected.
    private static readonly string[] RunFileNames = [$"run/{ResultFolder.Summary}", $"run/{ResultFolder.Table}", $"run/{ResultFolder.Tensors}", "unfinished/ranges/000000.safetensors", "unfinished/run.json"];

    private byte[][] RunFiles() => RunPath.Length == 0 ? [] : [.. RunFileNames.Select((name, index) => (byte[])[(byte)index, 0, .. File.ReadAllBytes(_folder[name])])];

    private static byte[] OfRunFile(Random random, byte[] file)
    {
        var content = file[2..];
        content = file[0] switch
        {
            2 when random.Next(2) == 0 => Mutation.OfSafetensors(random, content),
            3 => OfRange(random, content),
            _ => Mutation.Of(random, content, []),
        };
        return [file[0], (byte)random.Next(2), .. content];
    }

    private bool ReadRun(byte[] file)
    {
        var path = _folder[RunFileNames[file[0]]];
        var summary = _folder[RunFileNames[0]];
        Dictionary<string, byte[]> valid = new(StringComparer.Ordinal) { [path] = File.ReadAllBytes(path), [summary] = File.ReadAllBytes(summary) };
        try
        {
            File.WriteAllBytes(path, file[2..]);
            if (file[1] == 1 && file[0] is 1 or 2)
            {
                File.WriteAllText(summary, Encoding.UTF8.GetString(valid[summary]).Replace(Convert.ToHexStringLower(SHA256.HashData(valid[path])), Convert.ToHexStringLower(SHA256.HashData(file.AsSpan(2))), StringComparison.Ordinal));
            }

            return file[0] > 2 ? ReadUnfinished() : ReadFinished();
        }
        finally
        {
            foreach (var (changed, content) in valid)
            {
                File.WriteAllBytes(changed, content);
            }
        }
    }

    /// <summary>Reads the run as <c>report</c>, <c>picture</c>, <c>transfer</c> and <c>--resume</c> do.</summary>
    private bool ReadFinished()
    {
        List<string> refusals = [];
        void Use(Action<SavedRun> use)
        {
            try
            {
                using var scope = NewDisposeScope();
                using var run = SavedRun.Read(_folder["run"]);
                use(run);
            }
            catch (BadInputException exception)
            {
                refusals.Add(exception.Message);
            }
        }

        Use(run => ReportPage.Render([run]));
        Use(run => PerturbationPicture.Of([run], [0], new(_model, InputSpace.Pixel)).ToPng());
        Use(run => Print(run.Summary.Updated(run.ReadRobustness(), [0.5])));
        Use(run =>
        {
            using var output = new StringWriter();
            var counts = new TransferEvaluation(_model).Run(run);
            TransferTable.Write(output, new() { Runs = [TransferSource.Of(run)], Models = [new("tiny", "embedded")], Counts = [[counts]] });
        });
        Check(refusals);
        return refusals.Count == 0;
    }
}
