using System.Runtime.ExceptionServices;

namespace Brink.Data;

/// <summary>Decodes image files in parallel into an <see cref="ImageSet"/>.</summary>
internal static class ImageDecoding
{
    // More names would make the warning unreadable.
    private const int MostNamed = 5;

    /// <summary>Decodes files. Those that cannot be read are left out, and the set's warnings contain their number and the first names.</summary>
    /// <param name="images">The files.</param>
    /// <param name="classNames">The names of the classes in the order of the labels, including the class of every file.</param>
    /// <param name="skip">The number of files to leave out at the start.</param>
    /// <param name="limit">The maximum number of files to open; null for all.</param>
    /// <param name="preparation">The channels and the size that the images are brought to.</param>
    /// <param name="cancellationToken">A token that cancels the decoding.</param>
    /// <returns>The images.</returns>
    /// <exception cref="BadInputException">Thrown when no image is left, the images do not fit into memory, or they differ in size.</exception>
    public static ImageSet Decode(
        ImageFiles images,
        IReadOnlyList<string> classNames,
        int skip,
        int? limit,
        ImagePreparation preparation,
        CancellationToken cancellationToken)
    {
        var files = images.Files.Skip(skip).Take(limit ?? int.MaxValue).ToArray();
        if (files.Length == 0)
        {
            throw new BadInputException(FormattableString.Invariant($"'{images.Path}' has {images.Files.Count} images, so none are left after skipping {skip}."));
        }

        var (width, height) = Size(images, files, preparation);
        ImageSet.CheckSize(images.Path, preparation.ChannelCount, height, width);
        var bytes = (long)preparation.ChannelCount * height * width;
        if (files.Length * bytes > Array.MaxLength)
        {
            throw new BadInputException(FormattableString.Invariant($"At most {Array.MaxLength / bytes} images of {width}×{height} pixels fit in memory, but {files.Length} were given; use --limit, and --skip for the others."));
        }

        var length = (int)bytes;

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
                    using var image = DecodedImage.Decode(images.Read(files[index]));
                    if (preparation.SizeOf((image.Width, image.Height)) is var own && own != (width, height))
                    {
                        misfits[index] = Misfit(image, own, (width, height));
                        return;
                    }

                    preparation.Prepare(image, pixels.AsSpan(index * length, length));
                    Interlocked.Add(ref grey, image.IsGrey ? 1 : 0);
                    Interlocked.Add(ref alpha, image.HasAlpha ? 1 : 0);
                }
                catch (UnreadableImageException exception)
                {
                    problems[index] = exception.Message;
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    problems[index] = $"it cannot be read: {Excerpt.Reason(exception)}";
                }
            });
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
        }

        if (Array.FindIndex(misfits, misfit => misfit is not null) is >= 0 and var first)
        {
            throw new BadInputException($"{Excerpt.Plain(files[first].Name)} in '{images.Path}' {misfits[first]}.");
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
            preparation.ChannelCount,
            height,
            width,
            pixels.AsMemory(0, left.Length * length),
            Array.ConvertAll(left, index => labelOf[files[index].Class]))
        {
            FirstIndex = skip,
            Warnings = [.. Warn(images, files, problems, left.Length), .. Conversions(images, preparation, left.Length, grey, alpha)],
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

        if (images.OtherExtensions.Count > 0 || images.HiddenCount > 0 || images.LeftOut.Count > 0)
        {
            var extensions = images.OtherExtensions.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(extension => extension.Length > 0 ? extension : "no extension").ToArray();
            var others = extensions.Length > 0 ? $" ({List(extensions)})" : "";
            var leftOut = string.Concat(images.LeftOut.Select(entry => FormattableString.Invariant($", {entry.Value} {entry.Key}")));
            yield return FormattableString.Invariant($"Files of '{images.Path}' that are skipped: {images.OtherExtensions.Count} of other types than PNG and JPEG{others}, {images.HiddenCount} hidden{leftOut}.");
        }
    }

    private static IEnumerable<string> Conversions(ImageFiles images, ImagePreparation preparation, int count, int grey, int alpha)
    {
        if (grey > 0 && preparation.AddsColour)
        {
            yield return FormattableString.Invariant($"Grey images of '{images.Path}' that are converted to three equal colour channels: {grey}.");
        }

        if (grey < count && !preparation.AddsColour)
        {
            yield return FormattableString.Invariant($"Colour images of '{images.Path}' that are converted to grey: {count - grey}.");
        }

        if (alpha > 0 && !preparation.KeepsAlpha)
        {
            yield return FormattableString.Invariant($"Images of '{images.Path}' whose transparency is dropped (the alpha channel of an RGBA file): {alpha}.");
        }
    }

    /// <summary>Determines the size of the images: that of the first file that can be read, unless it is given.</summary>
    private static (int Width, int Height) Size(ImageFiles images, IEnumerable<ImageFile> files, ImagePreparation preparation)
    {
        // Decoding reports files that cannot be read.
        foreach (var file in preparation.HasFixedSize ? files.Take(0) : files)
        {
            try
            {
                return preparation.SizeOf(DecodedImage.SizeOf(images.Read(file)));
            }
            catch (Exception exception) when (exception is UnreadableImageException or IOException or UnauthorizedAccessException)
            {
                // The next file decides.
            }
        }

        return preparation.SizeOf((1, 1));
    }

    private static string Misfit(DecodedImage image, (int Width, int Height) own, (int Width, int Height) first)
    {
        var resized = own == (image.Width, image.Height) ? "" : FormattableString.Invariant($" ({own.Width}×{own.Height} after resizing)");
        return FormattableString.Invariant($"has {image.Width}×{image.Height} pixels{resized}, but the images before it have {first.Width}×{first.Height} and a model takes images of one size; add --crop N to cut a square of N pixels from the centre, after --resize N, which brings the shorter side to N pixels");
    }

    /// <summary>Lists names from an archive or a folder, the first ones and the last if there are many.</summary>
    /// <param name="names">The names, at least one.</param>
    internal static string List(IReadOnlyList<string> names) => names.Count <= MostNamed
        ? string.Join(", ", names.Select(Excerpt.Plain))
        : $"{string.Join(", ", names.Take(MostNamed - 1).Select(Excerpt.Plain))}, … {Excerpt.Plain(names[^1])}";

    private static string Describe(ImageFile[] files, string?[] problems)
    {
        var bad = files.Zip(problems).Where(entry => entry.Second is not null).ToArray();
        var named = string.Join(", ", bad.Take(MostNamed).Select(entry => $"{Excerpt.Plain(entry.First.Name)} ({entry.Second})"));
        return bad.Length > MostNamed ? FormattableString.Invariant($"{named} and {bad.Length - MostNamed} more") : named;
    }
}
