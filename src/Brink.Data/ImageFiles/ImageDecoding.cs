using System.Runtime.ExceptionServices;

namespace Brink.Data;

/// <summary>Decodes image files in parallel into an <see cref="ImageSet"/>.</summary>
internal static class ImageDecoding
{
    private const int Channels = 3;
    // More names would make the warning unreadable.
    private const int MostNamed = 5;

    /// <summary>Decodes files. Those that cannot be read are left out, and the set's warnings contain their number and the first names.</summary>
    /// <param name="images">The files.</param>
    /// <param name="classNames">The names of the classes in the order of the labels, including the class of every file.</param>
    /// <param name="skip">The number of files to leave out at the start.</param>
    /// <param name="limit">The maximum number of files to open; null for all.</param>
    /// <param name="size">A function that determines the size of the images from the files to be opened.</param>
    /// <param name="prepare">The function that brings one image to that size.</param>
    /// <param name="cancellationToken">A token that cancels the decoding.</param>
    /// <returns>The images.</returns>
    /// <exception cref="BadInputException">Thrown when no image is left, the images do not fit into memory, or they differ in size.</exception>
    public static ImageSet Decode(
        ImageFiles images,
        IReadOnlyList<string> classNames,
        int skip,
        int? limit,
        Func<IEnumerable<ImageFile>, (int Width, int Height)> size,
        PrepareImage prepare,
        CancellationToken cancellationToken)
    {
        var files = images.Files.Skip(skip).Take(limit ?? int.MaxValue).ToArray();
        if (files.Length == 0)
        {
            throw new BadInputException(FormattableString.Invariant($"'{images.Path}' has {images.Files.Count} images, so none are left after skipping {skip}."));
        }

        var (width, height) = size(files);
        var length = Channels * height * width;
        if ((long)files.Length * length > Array.MaxLength)
        {
            throw new BadInputException(FormattableString.Invariant($"At most {Array.MaxLength / length} images of {width}×{height} pixels fit in memory, but {files.Length} were given; use --limit, and --skip for the others."));
        }

        var pixels = new byte[(long)files.Length * length];
        var problems = new string?[files.Length];
        var misfits = new string?[files.Length];
        var (grey, alpha) = (0, 0);
        try
        {
            Parallel.For(0, files.Length, new ParallelOptions { CancellationToken = cancellationToken }, index =>
            {
                try
                {
                    var image = DecodedImage.Decode(images.Read(files[index]));
                    misfits[index] = prepare(image, pixels.AsSpan(index * length, length));
                    Interlocked.Add(ref grey, image.IsGrey ? 1 : 0);
                    Interlocked.Add(ref alpha, image.HasAlpha ? 1 : 0);
                }
                catch (UnreadableImageException exception)
                {
                    problems[index] = exception.Message;
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    problems[index] = $"it cannot be opened: {exception.Message.TrimEnd('.')}";
                }
            });
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
        }

        if (Array.FindIndex(misfits, misfit => misfit is not null) is >= 0 and var first)
        {
            throw new BadInputException($"{Plain(files[first].Name)} in '{images.Path}' {misfits[first]}.");
        }

        var left = Close(pixels, problems, length);
        if (left.Length == 0)
        {
            throw new BadInputException($"None of the {files.Length} images of '{images.Path}' can be read ({Describe(files, problems)}); check that they are PNG or JPEG.");
        }

        var labelOf = classNames.Index().ToDictionary(entry => entry.Item, entry => (long)entry.Index, StringComparer.Ordinal);
        return new(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(images.Path)),
            classNames,
            Channels,
            height,
            width,
            pixels.AsMemory(0, left.Length * length),
            Array.ConvertAll(left, index => labelOf[files[index].Class]))
        {
            FirstIndex = skip,
            Warnings = [.. Warn(images, files, problems, left.Length), .. Conversions(images, grey, alpha)],
        };
    }

    /// <summary>Moves the images together, over the gaps of those that could not be read.</summary>
    /// <returns>The indices of the images that remain.</returns>
    private static int[] Close(byte[] pixels, string?[] problems, int length)
    {
        var left = problems.Index().Where(entry => entry.Item is null).Select(entry => entry.Index).ToArray();
        foreach (var (place, index) in left.Index().Where(entry => entry.Index != entry.Item))
        {
            pixels.AsSpan(index * length, length).CopyTo(pixels.AsSpan(place * length));
        }

        return left;
    }

    private static IEnumerable<string> Warn(ImageFiles images, ImageFile[] files, string?[] problems, int left)
    {
        if (left < files.Length)
        {
            yield return FormattableString.Invariant($"Of {files.Length} images of '{images.Path}', {files.Length - left} cannot be read and are left out: {Describe(files, problems)}.");
        }

        if (images.Outside > 0)
        {
            yield return FormattableString.Invariant($"Images outside the class folders of '{images.Path}' are left out: {images.Outside}.");
        }

        if (images.OtherExtensions.Count > 0 || images.HiddenCount > 0)
        {
            var extensions = images.OtherExtensions.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(extension => extension.Length > 0 ? extension : "no extension").ToArray();
            var others = extensions.Length > 0 ? $" ({List(extensions)})" : "";
            yield return FormattableString.Invariant($"Files of '{images.Path}' that are skipped: {images.OtherExtensions.Count} of other types than PNG and JPEG{others}, {images.HiddenCount} hidden.");
        }
    }

    private static IEnumerable<string> Conversions(ImageFiles images, int grey, int alpha)
    {
        if (grey > 0)
        {
            yield return FormattableString.Invariant($"Grey images of '{images.Path}' that are converted to three equal colour channels: {grey}.");
        }

        if (alpha > 0)
        {
            yield return FormattableString.Invariant($"Images of '{images.Path}' whose transparency is dropped (the alpha channel of an RGBA file): {alpha}.");
        }
    }

    /// <summary>Lists names from an archive or a folder, the first ones and the last if there are many.</summary>
    /// <param name="names">The names, at least one.</param>
    internal static string List(IReadOnlyList<string> names) => names.Count <= MostNamed
        ? string.Join(", ", names.Select(Plain))
        : $"{string.Join(", ", names.Take(MostNamed - 1).Select(Plain))}, … {Plain(names[^1])}";

    private static string Describe(ImageFile[] files, string?[] problems)
    {
        var bad = files.Zip(problems).Where(entry => entry.Second is not null).ToArray();
        var named = string.Join(", ", bad.Take(MostNamed).Select(entry => $"{Plain(entry.First.Name)} ({entry.Second})"));
        return bad.Length > MostNamed ? FormattableString.Invariant($"{named} and {bad.Length - MostNamed} more") : named;
    }

    /// <summary>Replaces control characters, which a name in an archive can contain and which could change the user's terminal.</summary>
    private static string Plain(string name) => string.Concat(name.Select(letter => char.IsControl(letter) ? '?' : letter));
}

/// <summary>Brings a decoded image to the size of the set's images.</summary>
/// <param name="image">The image.</param>
/// <param name="planes">The span that receives the image, [channel, row, column].</param>
/// <returns>Null; for a valid image that does not fit the set, the reason as a clause.</returns>
/// <exception cref="UnreadableImageException">Thrown when the image cannot be brought to that size.</exception>
internal delegate string? PrepareImage(DecodedImage image, Span<byte> planes);
