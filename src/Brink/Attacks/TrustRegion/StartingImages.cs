using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>Images of known classes, toward which the trust-region attack looks for the decision boundary. They are loaded when they are first needed.</summary>
internal sealed class StartingImages : IDisposable
{
    private readonly Lazy<(Tensor Images, long[] Classes)> _loaded;

    /// <summary>Initializes the images.</summary>
    /// <param name="load">The function that loads the images, shape [images, …], in the input space of the classifier, and the classes that the classifier predicts for them, −1 for none.</param>
    public StartingImages(Func<(Tensor Images, long[] Classes)> load) => _loaded = new(() =>
    {
        var (images, classes) = load();
        return (images.DetachFromDisposeScope(), classes);
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_loaded.IsValueCreated)
        {
            _loaded.Value.Images.Dispose();
        }
    }

    /// <summary>Orders the images for one original image: the nearest image of each class first, the nearest class first, then the second nearest of each class, and so on.</summary>
    /// <param name="original">The original image, shape […].</param>
    /// <param name="label">Its label, whose images are left out.</param>
    /// <param name="target">The class, shape [1], of which alone images are used, if there are any; null for all classes.</param>
    /// <returns>The numbers of the images; empty if none is of another class.</returns>
    public int[] Rank(Tensor original, long label, Tensor? target)
    {
        using var scope = NewDisposeScope();
        var (images, classes) = _loaded.Value;
        if (classes.Length == 0)
        {
            return [];
        }

        var wanted = target?.ToLongs()[0];
        var distances = Norm.L2.Of(images - original.unsqueeze(0)).ToDoubles();
        int[] others = [.. Enumerable.Range(0, classes.Length).Where(number => classes[number] != label && classes[number] >= 0)];
        int[] ofTarget = [.. others.Where(number => classes[number] == wanted)];
        return [.. (ofTarget.Length > 0 ? ofTarget : others).GroupBy(number => classes[number])
            .SelectMany(group => group.OrderBy(number => distances[number]).ThenBy(number => number).Select((number, rank) => (Number: number, Rank: rank)))
            .OrderBy(image => image.Rank).ThenBy(image => distances[image.Number]).ThenBy(image => image.Number).Select(image => image.Number)];
    }

    /// <summary>Selects images, shape [numbers, …].</summary>
    /// <param name="numbers">The numbers of the images.</param>
    public Tensor Select(IEnumerable<int> numbers)
    {
        var images = _loaded.Value.Images;
        using var rows = tensor(numbers.Select(number => (long)number).ToArray(), device: images.device);
        return images.index_select(0, rows);
    }
}

/// <summary>An attack that may start from images of other classes.</summary>
internal interface IStartsFromImages
{
    /// <summary>Indicates whether the attack uses such images.</summary>
    bool NeedsImages { get; }

    /// <summary>Returns the attack with images from which it may start.</summary>
    /// <param name="images">The images, which the caller keeps until the attack is no longer used.</param>
    IAttack StartingFrom(StartingImages images);
}
