using Brink.Evaluation.Catalog;
using Brink.Evaluation.Results;
using Brink.Models;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Evaluation.Runs;

/// <summary>A run that was read from a run folder. Its files are checked for consistency.</summary>
public sealed class SavedRun : IDisposable
{
    private Criterion? _criterion;
    private readonly Norm _norm;
    private readonly InputSpace _space;
    private readonly Tensor _originals;
    private readonly Tensor _adversarials;
    private readonly long[] _indices;
    private readonly long[] _forwards;
    private readonly long[] _backwards;

    private SavedRun(string folder, AttackSummary summary, Reader reader)
    {
        (Folder, Summary, _norm, _space, Normalization) = (folder, summary, reader.Norm(), reader.Space(), reader.Normalization());
        _originals = reader.Images("original");
        _adversarials = reader.Images("adversarial");
        Labels = reader.Classes("label");
        PredictionsBefore = reader.Classes("predictionBefore");
        Fooled = reader.Flags("fooled");
        (_indices, _forwards, _backwards) = (reader.Numbers("index"), reader.Numbers("forwards"), reader.Numbers("backwards"));
        reader.CheckPixels(ToPixels(_originals));
        reader.CheckPixels(ToPixels(_adversarials));
        _originals.DetachFromDisposeScope();
        _adversarials.DetachFromDisposeScope();
    }

    /// <summary>The path of the folder.</summary>
    public string Folder { get; }

    /// <summary>The summary of the run, from <c>results.json</c>.</summary>
    public AttackSummary Summary { get; }

    /// <summary>The normalisation of the attacked model.</summary>
    public Normalization Normalization { get; }

    /// <summary>The label of each image.</summary>
    public IReadOnlyList<long> Labels { get; }

    /// <summary>The prediction for each image before the attack, or −1 if there was none.</summary>
    public IReadOnlyList<long> PredictionsBefore { get; }

    /// <summary>Indicates for each image whether it was fooled.</summary>
    public IReadOnlyList<bool> Fooled { get; }

    /// <summary>Reads a run.</summary>
    /// <param name="folder">The folder of a complete or interrupted run.</param>
    /// <returns>The run, which the caller disposes.</returns>
    /// <exception cref="BadInputException">The folder holds no run, or its files are damaged or from different runs.</exception>
    public static SavedRun Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder) || !File.Exists(Path.Combine(folder, ResultFolder.Summary)))
        {
            throw new BadInputException($"A run folder contains results.json and adversarial.safetensors, but {(Directory.Exists(folder) ? $"{folder} has no results.json" : $"there is no folder '{folder}'")}; give a folder that brink attack --out wrote, or the subfolder of an attack that brink compare wrote.");
        }

        var summary = ResultFolder.ReadSummary(folder) ?? throw Refuse(folder, "its results.json cannot be read");
        CheckIntact(folder, ResultFolder.Tensors, summary);
        using var scope = NewDisposeScope();
        return new(folder, summary, new(folder, summary, Safetensors.Read(Path.Combine(folder, ResultFolder.Tensors))));
    }

    /// <summary>Returns the index of an image in the data set.</summary>
    /// <param name="row">The row of the image in the run.</param>
    /// <returns>The index.</returns>
    public long Index(int row) => _indices[row];

    /// <summary>The criterion of the run, in which an image is found by its row; null for one of the user's own, which is not stored and cannot be asked again.</summary>
    /// <exception cref="BadInputException">Each image has a target class of its own, and the table is missing or damaged.</exception>
    internal Criterion? Criterion => _criterion ??= Goal.Of(Summary.Criterion, Summary.Target, Summary.Options, () => [.. ReadTable().Select(image => image.Target)]);

    /// <summary>Determines for each image whether it meets the criterion of the run.</summary>
    /// <param name="rows">The rows of attacked images in the run.</param>
    /// <param name="logits">The logits of a model at the images, shape [rows, classes].</param>
    /// <returns>The flags.</returns>
    /// <exception cref="BadInputException">The criterion is not stored.</exception>
    internal bool[] Fools(IReadOnlyList<int> rows, Tensor logits)
    {
        var criterion = Criterion ?? throw new BadInputException($"The run in {Folder} has a criterion of its own ({Summary.Criterion}), which is not stored, so whether an image still meets it cannot be determined.");
        using var scope = NewDisposeScope();
        return criterion.IsMet(
            logits,
            tensor(rows.Select(row => Labels[row]).ToArray(), device: logits.device),
            tensor(rows.Select(row => (long)row).ToArray(), device: logits.device)).ToBools();
    }

    /// <summary>Returns original images as pixels.</summary>
    /// <param name="rows">The rows of the images in the run, int64.</param>
    /// <returns>Pixels in [0, 1], float32 [rows, channels, height, width].</returns>
    public Tensor OriginalPixels(Tensor rows) => Pixels(_originals, rows);

    /// <summary>Returns adversarial images as pixels.</summary>
    /// <param name="rows">The rows of the images in the run, int64.</param>
    /// <returns>Pixels in [0, 1], float32 [rows, channels, height, width].</returns>
    public Tensor AdversarialPixels(Tensor rows) => Pixels(_adversarials, rows);

    /// <summary>Reads the table <c>images.parquet</c>.</summary>
    /// <returns>The row of each image.</returns>
    /// <exception cref="BadInputException">The table is missing or damaged, or describes other images.</exception>
    internal IReadOnlyList<SavedImage> ReadTable()
    {
        CheckIntact(Folder, ResultFolder.Table, Summary);
        try
        {
            var table = ImageTable.Read(RegularFile.Read(Path.Combine(Folder, ResultFolder.Table), ImageTable.LongestFile), _indices.Length);
            return table.Select(image => (image.Index, image.Label, image.PredictionBefore, image.Fooled)).SequenceEqual(_indices.Select((index, row) => (index, Labels[row], PredictionsBefore[row], Fooled[row])))
                ? WithL1(table)
                : throw Refuse(Folder, "its images.parquet describes other images than its adversarial.safetensors");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw Refuse(Folder, $"its images.parquet cannot be read ({Excerpt.Reason(exception)})");
        }
    }

    /// <summary>Returns the run as a comparison uses it.</summary>
    /// <param name="attack">The name of the attack in the comparison.</param>
    /// <param name="folder">The name of the folder in the comparison.</param>
    /// <returns>The run, with one result per image.</returns>
    /// <exception cref="BadInputException">The table <c>images.parquet</c> is missing or damaged, or describes other images.</exception>
    internal ComparedRun Compared(string attack, string folder)
    {
        using var scope = NewDisposeScope();
        var (original, adversarial) = (_originals.to(ScalarType.Float64), _adversarials.to(ScalarType.Float64));
        var relative = Ratios(original, adversarial);
        var normalized = _space == InputSpace.Normalized ? relative : Ratios(Normalization.Apply(original), Normalization.Apply(adversarial));
        var images = ReadTable().Select((image, row) => new ComparedImage(image.Index, image.Exit, image.Length(Summary.Norm), relative[row], normalized[row], _forwards[row], _backwards[row], image.Underflowed));
        return new(attack, folder, Summary.Describe(), [.. images], Summary.Seconds);
    }

    /// <summary>Computes the robustness that the run measured.</summary>
    /// <returns>The robustness.</returns>
    /// <exception cref="BadInputException">The table <c>images.parquet</c> is missing or damaged, or describes other images.</exception>
    internal Robustness ReadRobustness() => new([Compared(Summary.Attack, folder: "")]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _originals.Dispose();
        _adversarials.Dispose();
    }

    /// <summary>Computes the L1 lengths, which tables of older versions lack.</summary>
    private IReadOnlyList<SavedImage> WithL1(IReadOnlyList<SavedImage> table)
    {
        if (!table.Any(image => double.IsNaN(image.L1)))
        {
            return table;
        }

        using var scope = NewDisposeScope();
        var lengths = Norm.L1.Of(_adversarials.to(ScalarType.Float64) - _originals.to(ScalarType.Float64)).data<double>().ToArray();
        return [.. table.Select((image, row) => image with { L1 = lengths[row] })];
    }

    private double[] Ratios(Tensor originals, Tensor adversarials) => _norm.Of(adversarials - originals).div(_norm.Of(originals)).data<double>().ToArray();

    private Tensor Pixels(Tensor images, Tensor rows)
    {
        using var scope = NewDisposeScope();
        // After conversion to the normalised space and back, rounding can leave pixels slightly outside [0, 1].
        return ToPixels(images.index_select(0, rows)).clamp(Scalars.Zero, Scalars.One).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private Tensor ToPixels(Tensor images)
    {
        using var doubles = images.to(ScalarType.Float64);
        return _space == InputSpace.Normalized ? Normalization.Revert(doubles) : doubles.alias();
    }

    /// <summary>Checks that a file is the one that was written with the summary, before it is decoded.</summary>
    private static void CheckIntact(string folder, string name, AttackSummary summary)
    {
        try
        {
            if (!ResultFolder.IsIntact(folder, name, summary))
            {
                throw Refuse(folder, $"its {name} is damaged or from another run, since it does not have the checksum of results.json");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Refuse(folder, $"its {name} cannot be read ({Excerpt.Reason(exception)})");
        }
    }

    private static BadInputException Refuse(string folder, string problem) => new($"The run in {folder} cannot be used: {problem}; write it again with brink attack --out.");

    /// <summary>Reads the values of the result files and rejects those that a run cannot have.</summary>
    private sealed class Reader(string folder, AttackSummary summary, IReadOnlyDictionary<string, Tensor> tensors)
    {
        // Rounding of normalised images in float32 stays below this.
        private const double Slack = 1e-4;

        public Norm Norm() => Brink.Norm.TryParse(summary.Norm, out var norm)
            ? norm
            : throw Problem($"its results.json needs the norm l2, linf or l1, but has {Excerpt.Quote(summary.Norm)}");

        public InputSpace Space() => summary.Space switch
        {
            "pixel" => InputSpace.Pixel,
            "normalized" => InputSpace.Normalized,
            _ => throw Problem($"its results.json needs the space pixel or normalized, but has {Excerpt.Quote(summary.Space)}"),
        };

        public Normalization Normalization()
        {
            var (mean, deviation) = (Option("mean"), Option("std"));
            return mean.Length == deviation.Length && mean.All(double.IsFinite) && deviation.All(value => double.IsFinite(value) && value > 0)
                ? new(mean, deviation)
                : throw Problem("its results.json needs one mean and one positive standard deviation per channel");
        }

        public Tensor Images(string name)
        {
            var images = Tensor(name, ScalarType.Float32);
            var (rank, channels) = (images.dim(), Option("mean").Length);
            return rank == 4 && (channels == 1 || images.shape[1] == channels) && images.shape.SequenceEqual(tensors["original"].shape) && images.numel() > 0
                ? images
                : throw Problem($"its {name} needs the shape [{summary.Images}, {channels}, height, width], equal before and after the attack, but has [{string.Join(", ", images.shape)}]");
        }

        public long[] Classes(string name)
        {
            var classes = Numbers(name);
            return classes.All(value => value >= -1) ? classes : throw Problem($"its {name} needs class numbers of at least -1, but has {classes.Min()}");
        }

        public long[] Numbers(string name) => [.. Vector(name, ScalarType.Int64).data<long>().ToArray()];

        public bool[] Flags(string name) => [.. Vector(name, ScalarType.Byte).data<byte>().ToArray().Select(flag => flag != 0)];

        public void CheckPixels(Tensor pixels)
        {
            using var lowest = Scalars.Of(-Slack);
            using var highest = Scalars.Of(1 + Slack);
            using var inside = pixels.ge(lowest).logical_and(pixels.le(highest)).all();
            if (!inside.item<bool>())
            {
                throw Problem("its images need pixels between 0 and 1, but have others");
            }
        }

        private Tensor Vector(string name, ScalarType type)
        {
            var values = Tensor(name, type);
            return values.dim() == 1 ? values : throw Problem($"its {name} needs the shape [{summary.Images}], but has [{string.Join(", ", values.shape)}]");
        }

        private Tensor Tensor(string name, ScalarType type)
        {
            if (!tensors.TryGetValue(name, out var values))
            {
                throw Problem($"its adversarial.safetensors has no {name}");
            }

            return values.dtype == type && values.dim() > 0 && values.shape[0] == summary.Images
                ? values
                : throw Problem($"its {name} needs {summary.Images} entries of type {type}, as results.json says, but has the shape [{string.Join(", ", values.shape)}] and type {values.dtype}");
        }

        private double[] Option(string name) => AttackSettings.Numbers(summary.Options, name) is { Length: > 0 } numbers
            ? numbers
            : throw Problem($"its results.json needs a list of numbers as the option {name}");

        private BadInputException Problem(string problem) => Refuse(folder, problem);
    }
}

/// <summary>Several saved runs, which are disposed together.</summary>
internal sealed class SavedRuns : IDisposable
{
    private readonly List<SavedRun> _runs = [];

    private SavedRuns()
    {
    }

    /// <summary>The runs, in the order of their folders.</summary>
    public IReadOnlyList<SavedRun> Runs => _runs;

    /// <summary>Reads runs.</summary>
    /// <param name="folders">Run folders; the folder of a comparison stands for its runs.</param>
    /// <exception cref="BadInputException">A folder contains no readable run.</exception>
    public static SavedRuns Read(IReadOnlyList<string> folders)
    {
        var saved = new SavedRuns();
        try
        {
            foreach (var folder in ComparisonFolder.Runs(folders))
            {
                saved._runs.Add(SavedRun.Read(folder));
            }

            return saved;
        }
        catch
        {
            saved.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _runs.ForEach(run => run.Dispose());
}
