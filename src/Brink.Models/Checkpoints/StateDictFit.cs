using static TorchSharp.torch;

namespace Brink.Models;

/// <summary>Whether tensors fit a network, and the sentence if they do not.</summary>
/// <param name="network">What to call the network.</param>
/// <param name="source">What to call the tensors.</param>
internal sealed class StateDictFit(string network, string source)
{
    // Batch normalisation counts its batches since PyTorch 0.4.1. Older files lack the count, and nothing in evaluation reads it.
    private const string BatchCounter = "num_batches_tracked";

    /// <summary>Refuses missing and left-over names.</summary>
    public void CheckNames(IReadOnlyCollection<string> needed, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var missing = needed.Where(name => !tensors.ContainsKey(name) && !IsBatchCounter(name)).ToList();
        var unexpected = tensors.Keys.Except(needed, StringComparer.Ordinal).ToList();
        if (missing.Count + unexpected.Count > 0)
        {
            var lacks = missing.Count > 0 ? $"it lacks {Excerpt.List(missing)}" : null;
            var adds = unexpected.Count > 0 ? $"the network has no {Excerpt.List(unexpected)}" : null;
            throw Refuse(string.Join(" and ", new[] { lacks, adds }.OfType<string>()));
        }
    }

    /// <summary>The weight in the type and shape of the network's tensor; refused if that cannot be had.</summary>
    public Tensor Convert(string name, Tensor slot, Tensor weight)
    {
        if (!slot.shape.SequenceEqual(weight.shape))
        {
            throw Refuse($"{Excerpt.Quote(name)} has the shape {Excerpt.Shape(weight.shape)} where the network needs {Excerpt.Shape(slot.shape)}");
        }

        if (slot.dtype != weight.dtype && !(slot.is_floating_point() && weight.is_floating_point()))
        {
            throw Refuse($"{Excerpt.Quote(name)} is of type {weight.dtype} where the network needs {slot.dtype}");
        }

        var converted = weight.to(slot.dtype, slot.device);
        if (converted.is_floating_point() && !converted.isfinite().all().item<bool>())
        {
            throw Refuse($"{Excerpt.Quote(name)} has a value that is not a finite number in {slot.dtype}");
        }

        return converted;
    }

    private static bool IsBatchCounter(string name) =>
        name.EndsWith("." + BatchCounter, StringComparison.Ordinal) || string.Equals(name, BatchCounter, StringComparison.Ordinal);

    private BadInputException Refuse(string reason) => new(
        $"The weights in {source} do not fit {network}: {reason}; give the weights of this very architecture, trained for as many classes.");
}
