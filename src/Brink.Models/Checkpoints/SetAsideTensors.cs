using System.Globalization;
using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>The tensors of a checkpoint that are not weights of the network.</summary>
/// <param name="Weights">Tensors that may be weights of another architecture; a checkpoint with any is refused.</param>
/// <param name="Others">Single numbers and integers in the dictionary of the weights.</param>
/// <param name="Preprocessing">The means and the deviations of the input's preprocessing.</param>
internal sealed record SetAsideTensors(IReadOnlyList<StoredTensor> Weights, IReadOnlyList<StoredTensor> Others, IReadOnlyList<StoredTensor> Preprocessing)
{
    // The last part of a name: 'mean', 'pixel_mean' and 'img_means' are means.
    private static readonly string[] MeanWords = ["mean", "means", "mu"];
    private static readonly string[] DeviationWords = ["std", "stds", "sd", "sds", "sigma", "stdev", "stddev", "deviation"];
    private static readonly string[] VarianceWords = ["var", "variance"];

    // An inverse or a logarithm of a deviation would be a wrong value of --std: it counts as a weight, and the checkpoint is refused.
    private static readonly string[] OtherWords = ["inv", "recip", "log"];

    // A preprocessing has one number for each of at most four channels.
    private const int MaximumChannels = 4;

    // As in torch.nn.BatchNorm2d, which some networks use to normalise their input.
    private const double BatchNormEpsilon = 1e-5;

    // Larger than the rounding of published constants to four digits, smaller than the difference between data sets.
    private const double Tolerance = 2e-4;

    /// <summary>The tensors whose numbers are reported.</summary>
    public IEnumerable<StoredTensor> Reported => Preprocessing.Concat(Others.Where(tensor => tensor.IsSingle));

    /// <summary>Sorts the tensors that are not weights of the network.</summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="belongs">The condition for tensors in the dictionary of the weights. Others, such as another network's, are only searched for the preprocessing.</param>
    /// <param name="isInside">The condition for tensors inside a layer of the network.</param>
    public static SetAsideTensors Among(IEnumerable<StoredTensor> tensors, Func<StoredTensor, bool> belongs, Func<StoredTensor, bool> isInside)
    {
        var (weights, others, preprocessing) = (new List<StoredTensor>(), new List<StoredTensor>(), new List<StoredTensor>());
        // The state of the training and the counts of batch normalisation do not matter to anyone who attacks the network.
        foreach (var tensor in tensors.Where(tensor => !tensor.IsTrainingState && !tensor.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal)))
        {
            var (own, inside) = (belongs(tensor), isInside(tensor));
            if (IsPreprocessing(tensor) && !inside && (own || !tensor.IsSingle))
            {
                preprocessing.Add(tensor);
            }
            else if (own)
            {
                (tensor.IsFloatingPoint && (inside || !tensor.IsSingle) ? weights : others).Add(tensor);
            }
        }

        return new(weights, others, preprocessing);
    }

    /// <summary>Describes the tensors that are not used, with the numbers of those that could change the result.</summary>
    /// <param name="tensors">The numbers of <see cref="Reported"/>.</param>
    /// <param name="source">The name of the checkpoint.</param>
    /// <param name="normalization">The preprocessing in use; null if it is not known.</param>
    /// <returns>Sentences.</returns>
    public IEnumerable<string> Notes(IReadOnlyDictionary<StoredTensor, Tensor> tensors, string source, Normalization? normalization)
    {
        if (Others.Count > 0)
        {
            var list = Excerpt.List([.. Others.Select(tensor => tensors.TryGetValue(tensor, out var number) ? $"{tensor.Name} = {Text(Numbers(number)[0])}" : tensor.Name)]);
            yield return $"The checkpoint {source} also contains {list}, which the network does not have: not used.";
        }

        foreach (var layer in Preprocessing.GroupBy(tensor => tensor.Path[..(tensor.Path.LastIndexOf('.') + 1)], StringComparer.Ordinal))
        {
            yield return Describe([.. layer], tensors, source, normalization);
        }
    }

    private static string Describe(IReadOnlyList<StoredTensor> layer, IReadOnlyDictionary<StoredTensor, Tensor> tensors, string source, Normalization? normalization)
    {
        var found = $"The checkpoint {source} also contains {string.Join(" and ", layer.Select(tensor => $"{Excerpt.Quote(tensor.Name)} ({List(Numbers(tensors[tensor]))})"))}, probably the preprocessing of its training";
        if (layer.Where(IsMean).ToList() is not [var mean] || layer.Where(tensor => !IsMean(tensor)).ToList() is not [var deviation])
        {
            return $"{found}: not used, check --mean and --std.";
        }

        var channels = normalization?.Mean.Count ?? 0;
        var means = Repeat(Numbers(tensors[mean]), channels);
        var deviations = Repeat(Numbers(tensors[deviation]), channels);
        if (Is(deviation, VarianceWords))
        {
            deviations = Array.ConvertAll(deviations, variance => Math.Round(Math.Sqrt(variance + BatchNormEpsilon), 6));
        }

        // Pixels of 0 to 255 have larger means.
        var bytes = means.Any(value => Math.Abs(value) > 2);
        if (bytes)
        {
            means = Array.ConvertAll(means, value => Math.Round(value / 255, 6));
            deviations = Array.ConvertAll(deviations, value => Math.Round(value / 255, 6));
        }

        return normalization is not null && Near(means, normalization.Mean) && Near(deviations, normalization.StandardDeviation)
            ? $"{found}: this run uses the same."
            : $"{found}: not used; to use it, add --mean {List(means)} --std {List(deviations)}{(bytes ? " (divided by 255, because pixels range from 0 to 1)" : "")}.";
    }

    private static bool IsPreprocessing(StoredTensor tensor) =>
        tensor.IsFloatingPoint
        && tensor.Shape.Count(size => size != 1) <= 1 && tensor.Shape.All(size => size is >= 1 and <= MaximumChannels)
        && (IsMean(tensor) || Is(tensor, DeviationWords) || Is(tensor, VarianceWords));

    private static bool IsMean(StoredTensor tensor) => Is(tensor, MeanWords);

    private static bool Is(StoredTensor tensor, string[] words)
    {
        var last = tensor.Name[(tensor.Name.LastIndexOf('.') + 1)..].ToLowerInvariant();
        return !Array.Exists(OtherWords, word => last.Contains(word, StringComparison.Ordinal))
            && (last.Split('_').Any(part => words.Contains(part, StringComparer.Ordinal)) || Array.Exists(words, word => word.Length > 2 && last.EndsWith(word, StringComparison.Ordinal)));
    }

    // The shortest decimal numbers that are rounded to the stored ones: a float32 of 0.4914 is not 0.49140000343322754.
    private static double[] Numbers(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.dtype is ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16
            ? [.. tensor.to(float32).contiguous().data<float>().Select(value => double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture))]
            : [.. tensor.to(float64).contiguous().data<double>()];
    }

    private static double[] Repeat(double[] values, int channels) => values.Length == 1 && channels > 1 ? [.. Enumerable.Repeat(values[0], channels)] : values;

    private static bool Near(double[] values, IReadOnlyList<double> others) => values.Length == others.Count && values.Zip(others).All(pair => Math.Abs(pair.First - pair.Second) <= Tolerance);

    private static string List(double[] values) => string.Join(',', values.Select(Text));

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
