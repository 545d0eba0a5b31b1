using Brink.Data;
using Brink.Models;

namespace Brink.Evaluation.Runs;

/// <summary>Compares the labels of images with the classes of the model that is to be attacked.</summary>
internal static class ClassLabels
{
    // More names would make a message unreadable.
    private const int MostNamed = 5;

    /// <summary>Checks that every label is a class of the model, and takes the numbers in the names of class folders as labels if all are classes of the model.</summary>
    /// <param name="images">The images.</param>
    /// <param name="model">The model.</param>
    /// <returns>The images with their labels, and one warning per doubt about the labels.</returns>
    /// <exception cref="BadInputException">A label is not a class of the model, or there are more class folders than classes.</exception>
    public static (ImageSet Images, IReadOnlyList<string> Warnings) Match(ImageSet images, LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(model);
        var warnings = new List<string>();
        if (images.Folders is { Source: LabelSource.Folders or LabelSource.Names } folders)
        {
            if (folders.Numbers is { } numbers && numbers.All(number => number < model.ClassCount))
            {
                if (!numbers.SequenceEqual(Enumerable.Range(0, numbers.Count)))
                {
                    images = ByNumber(images, folders.Names, numbers, model.ClassCount);
                    warnings.Add($"The names of the class folders of '{images.Name}' are class numbers of {model.Name} and are taken as the labels: {First(folders.Names)}.");
                }
            }
            else
            {
                warnings.AddRange(CompareCounts(images.Name, folders, model));
            }
        }

        for (var index = 0; index < images.Count; index++)
        {
            if (images.Label(index) >= model.ClassCount)
            {
                throw new BadInputException($"Labels must be classes of {model.Name}, 0 to {model.ClassCount - 1}, but image {images.FirstIndex + index} of '{images.Name}' has the label {images.Label(index)} ({Excerpt.Plain(images.ClassNames[(int)images.Label(index)])}); give a model that was trained for these images, or --labels predicted.");
            }
        }

        return (images, warnings);
    }

    private static IEnumerable<string> CompareCounts(string name, ClassFolders folders, LoadedModel model)
    {
        var (given, needed) = (folders.Names.Count, model.ClassCount);
        if (folders.Source == LabelSource.Names)
        {
            if (given != needed)
            {
                yield return $"The labels of '{name}' have {given} names, but {model.Name} has {needed} classes: the names are numbered in the order of characters, so a missing or additional name shifts the labels of all later ones; give the names of all classes in their order (--classes FILE), or class numbers as labels.";
            }

            yield break;
        }

        if (given > needed)
        {
            var empty = folders.Empty.Count > 0 ? $" (without images: {First(folders.Empty)})" : "";
            throw new BadInputException($"Each class folder must be a class of the model, but '{name}' has {given} class folders{empty} and {model.Name} has {needed} classes, so the folder {Excerpt.Quote(folders.Names[needed])} would be class {needed}; remove the folders that are no classes, give a model that was trained for these images, or use --labels predicted.");
        }

        if (given < needed)
        {
            yield return $"'{name}' has {given} class folders, but {model.Name} has {needed} classes: the labels follow the order of the folders, so a missing folder shifts the labels of all later ones; add an empty folder for each missing class, or name the folders by the numbers of their classes.";
        }
    }

    private static ImageSet ByNumber(ImageSet images, IReadOnlyList<string> names, IReadOnlyList<int> numbers, int classCount)
    {
        var classNames = Enumerable.Range(0, classCount).Select(number => FormattableString.Invariant($"{number}")).ToArray();
        foreach (var (name, number) in names.Zip(numbers))
        {
            classNames[number] = name;
        }

        return images.WithLabels(classNames, Enumerable.Range(0, images.Count).Select(index => (long)numbers[(int)images.Label(index)]).ToArray());
    }

    private static string First(IReadOnlyList<string> names) => string.Join(", ", names.Take(MostNamed).Select(Excerpt.Plain).Append("…").Take(names.Count));
}
