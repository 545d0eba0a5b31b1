using System.Globalization;
using System.Text;
using Brink.Evaluation.Runs;
using Brink.Reports.Figures;
using SkiaSharp;
using static TorchSharp.torch;

namespace Brink.Reports.Pictures;

/// <summary>A picture of images of runs, as in Figures 1 and 2 of Yao et al. (CVPR 2019): the original, the adversarial image of each attack and heat maps of the perturbations.</summary>
/// <remarks>The heat maps have a common scale, that of the largest perturbation, and individual scales. They show in each pixel the root of the sum of squares over the channels, or in L∞ runs the largest absolute value, in brightness levels of 255. Small images are enlarged by a whole number, without smoothing.</remarks>
internal sealed class PerturbationPicture
{
    private const int Side = 192;
    private const int Gap = 16;
    private const int Line = 19;
    private const int CaptionLines = 4;
    private const int TitleHeight = 34;
    private const int BarHeight = 10;
    private const float TextSize = 13;

    private readonly IReadOnlyList<ReportedRun> _runs;
    private readonly IReadOnlyList<string> _labels;
    private readonly IReadOnlyList<SavedImage[]> _images;
    private readonly OpenedModel? _model;

    private PerturbationPicture(IReadOnlyList<ReportedRun> runs, IReadOnlyList<SavedImage[]> images, OpenedModel? model) =>
        (_runs, _labels, _images, _model) = (runs, RunLabels.Of(runs), images, model);

    private int Width => Gap + ((_runs.Count + 1) * (Side + Gap));

    private int BlockHeight => TitleHeight + (CaptionLines * Line) + (3 * (Side + Gap));

    private int Height => Gap + (_images.Count * BlockHeight);

    /// <summary>Prepares the picture.</summary>
    /// <param name="saved">The runs, at least one. The caller still owns them, and they must outlive the picture.</param>
    /// <param name="indices">The indices of the images in the data set, at least one.</param>
    /// <param name="model">The model in pixel space, for the confidence of predictions, or null to omit it. The caller still owns it.</param>
    /// <returns>The picture.</returns>
    /// <exception cref="BadInputException">The files of a run are damaged, the runs have different norms or images, or a run does not contain an image.</exception>
    public static PerturbationPicture Of(IReadOnlyList<SavedRun> saved, IReadOnlyList<long> indices, OpenedModel? model = null)
    {
        var runs = saved.Select(run => new ReportedRun(run)).ToList();
        if (runs.Find(run => run.Norm != runs[0].Norm) is { } other)
        {
            throw new BadInputException($"The heat maps of a picture measure perturbations in one norm, but the run in {runs[0].Folder} is {runs[0].Norm.DisplayName} and the one in {other.Folder} {other.Norm.DisplayName}; draw one picture per norm.");
        }

        return new(runs, [.. indices.Select(index => Find(runs, index))], model);
    }

    /// <summary>Draws the picture as PNG, with twice as many pixels as its size in a document, for sharp text.</summary>
    /// <returns>The bytes of the PNG file.</returns>
    public byte[] ToPng()
    {
        const int scale = 2;
        using var bitmap = new SKBitmap(Width * scale, Height * scale, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Scale(scale);
            Draw(canvas);
        }

        return PixelPicture.ToPng(bitmap);
    }

    /// <summary>Draws the picture as SVG with embedded images.</summary>
    /// <returns>The text of the SVG file.</returns>
    public string ToSvg()
    {
        using var stream = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(new SKRect(0, 0, Width, Height), stream))
        {
            Draw(canvas);
        }

        return PortableSvg.Portable(Encoding.UTF8.GetString(stream.ToArray()), "");
    }

    private static SavedImage[] Find(List<ReportedRun> runs, long index)
    {
        var images = runs.Select(run => run.Images.FirstOrDefault(image => image.Index == index)
            ?? throw new BadInputException($"The run in {run.Folder} has the images {run.Images[0].Index} to {run.Images[^1].Index}, but {index} was requested; give one of these.")).ToArray();
        using var scope = NewDisposeScope();
        var originals = runs.Select((run, number) => run.Pixels(images[number]).Original).ToArray();
        const double rounding = 1e-3;
        for (var number = 1; number < runs.Count; number++)
        {
            if (images[number].Label != images[0].Label || !originals[number].shape.SequenceEqual(originals[0].shape) || (originals[number] - originals[0]).abs().max().item<float>() > rounding)
            {
                throw new BadInputException($"Image {index} of the run in {runs[number].Folder} differs from that of the run in {runs[0].Folder}; give runs over the same images.");
            }
        }

        return images;
    }

    private void Draw(SKCanvas canvas)
    {
        using var typeface = FigureFont.Typeface();
        using var font = new SKFont(typeface, TextSize);
        canvas.Clear(SKColors.White);
        for (var number = 0; number < _images.Count; number++)
        {
            DrawBlock(canvas, font, _images[number], Gap + (number * BlockHeight));
        }
    }

    private void DrawBlock(SKCanvas canvas, SKFont font, SavedImage[] images, int top)
    {
        using var scope = NewDisposeScope();
        var pixels = _runs.Select((run, number) => run.Pixels(images[number])).ToArray();
        var norm = _runs[0].Norm;
        var strengths = pixels.Select(pair => PixelPicture.Strengths(pair.Adversarial - pair.Original, norm)).ToArray();
        var scales = strengths.Select(strength => (double)strength.max().item<float>()).ToArray();
        var shared = scales.Max();
        var label = _runs[0].ClassName(images[0].Label);

        Write(canvas, font, FormattableString.Invariant($"image {images[0].Index}"), Gap, top + Line, Width - (2 * Gap), SKColors.Black, emphasis: true);
        var pictures = top + TitleHeight;
        var captions = pictures + Side + Gap;
        var heat = captions + (CaptionLines * Line);
        Show(canvas, PixelPicture.Of(pixels[0].Original), Gap, pictures);
        Write(canvas, font, "original", Gap, captions, Side, SKColors.DimGray);
        Write(canvas, font, label, Gap, captions + Line, Side, SKColors.Black, emphasis: true);
        Write(canvas, font, Confidence(pixels[0].Original, images[0].Label), Gap, captions + (2 * Line), Side, SKColors.DimGray);
        Scale(canvas, font, "heat maps, common scale", shared, heat);
        Scale(canvas, font, "heat maps, own scales", null, heat + Side + Gap);

        for (var number = 0; number < _runs.Count; number++)
        {
            var (image, left) = (images[number], Gap + ((number + 1) * (Side + Gap)));
            Show(canvas, PixelPicture.Of(pixels[number].Adversarial), left, pictures);
            Write(canvas, font, _labels[number], left, captions, Side, SKColors.DimGray);
            Write(canvas, font, image.Fooled ? _runs[number].ClassName(image.PredictionAfter) : image.Attacked ? "not fooled" : "not attacked", left, captions + Line, Side, SKColors.Black, emphasis: true);
            Write(canvas, font, Confidence(pixels[number].Adversarial, image.PredictionAfter), left, captions + (2 * Line), Side, SKColors.DimGray);
            Write(canvas, font, _runs[number].Lengths(image), left, captions + (image.Fooled && _model is null ? 2 : 3) * Line, Side, SKColors.DimGray);
            Show(canvas, PixelPicture.OfStrengths(strengths[number], shared), left, heat);
            Show(canvas, PixelPicture.OfStrengths(strengths[number], scales[number]), left, heat + Side + Gap);
            Write(canvas, font, $"up to {NumberText.Length(scales[number] * ReportedRun.Levels)}", left + 4, heat + (2 * Side) + Gap - 6, Side - 8, SKColors.White);
        }
    }

    /// <summary>Draws the colour scale of a row of heat maps.</summary>
    private static void Scale(SKCanvas canvas, SKFont font, string title, double? strongest, int top)
    {
        Write(canvas, font, title, Gap, top + Line, Side, SKColors.Black);
        Write(canvas, font, "brightness levels of 255", Gap, top + (2 * Line), Side, SKColors.DimGray);
        using var strip = PixelPicture.Fill(Side, 1, entry => HeatColors.At((double)entry / (Side - 1)));
        using var bar = PixelPicture.Stretch(strip, Side, BarHeight);
        canvas.DrawBitmap(bar, Gap, top + (3 * Line) - BarHeight);
        Write(canvas, font, "0", Gap, top + (4 * Line), Side, SKColors.DimGray);
        var end = strongest is { } strength ? NumberText.Length(strength * ReportedRun.Levels) : "largest";
        Write(canvas, font, end, Gap + Side - (int)Math.Ceiling(font.MeasureText(end)), top + (4 * Line), Side, SKColors.DimGray);
    }

    /// <summary>Draws a bitmap centred in its square and disposes it.</summary>
    private static void Show(SKCanvas canvas, SKBitmap picture, int left, int top)
    {
        using (picture)
        {
            using var fitted = Math.Max(picture.Width, picture.Height) > Side ? PixelPicture.Shrink(picture, Side) : PixelPicture.Enlarge(picture, Side / Math.Max(picture.Width, picture.Height));
            canvas.DrawBitmap(fitted, left + ((Side - fitted.Width) / 2), top + ((Side - fitted.Height) / 2));
        }
    }

    /// <summary>Draws one line of text, shortened to a width.</summary>
    private static void Write(SKCanvas canvas, SKFont font, string text, int left, int baseline, int width, SKColor color, bool emphasis = false)
    {
        using var paint = new SKPaint { Color = color, IsAntialias = true };
        font.Size = emphasis ? TextSize + 2 : TextSize;
        var shown = text;
        while (shown.Length > 1 && font.MeasureText(shown) > width)
        {
            shown = $"{shown.TrimEnd('…')[..^1]}…";
        }

        canvas.DrawText(shown, left, baseline, SKTextAlign.Left, font, paint);
        font.Size = TextSize;
    }

    private string Confidence(Tensor pixels, long label)
    {
        if (_model is null || label < 0)
        {
            return "";
        }

        using var withoutGradients = no_grad();
        using var evaluation = _model.Classifier.EnterEvaluation();
        using var scope = NewDisposeScope();
        var probabilities = _model.Classifier.Logits(_model.FromPixels(pixels.unsqueeze(0))).to(ScalarType.Float64).softmax(1).data<double>().ToArray();
        return label < probabilities.Length ? string.Create(CultureInfo.InvariantCulture, $"confidence {probabilities[label] * 100:F1} %") : "";
    }
}
