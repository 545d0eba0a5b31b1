using Brink.Attacks;
using Brink.Reports.Testing;
using Microsoft.Playwright;

namespace Brink.Browser.Tests;

/// <summary>Tests of the layout of reports in a browser: in light and dark colours, on a phone, a desktop and paper.</summary>
public sealed class ReportInBrowserTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>, IDisposable
{
    /// <summary>The environment variable with the folder for screenshots. Without it none are taken.</summary>
    private const string Screenshots = "BRINK_SCREENSHOTS";

    /// <summary>The width of an A4 page without margins at 96 dots per inch.</summary>
    private const int PaperWidth = 718;

    /// <summary>The script that returns the defects of the layout as a list of texts.</summary>
    private const string Faults = """
        () => {
          const faults = [], width = document.documentElement.clientWidth, near = 1;
          for (const image of document.images)
            if (!image.complete || image.naturalWidth === 0) faults.push(`not loaded: ${image.alt}`);
          if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);

          const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const node = walker.currentNode, element = node.parentElement, text = node.textContent.trim();
            if (!text || !element.checkVisibility()) continue;
            const drawn = element.closest('svg'), range = document.createRange();
            range.selectNodeContents(node);
            const rects = drawn ? [element.getBoundingClientRect()] : [...range.getClientRects()];
            for (const rect of rects.filter(rect => rect.width > 0)) texts.push({ text, element, rect, drawn });
          }
          if (texts.length < 50) faults.push(`only ${texts.length} texts`);
          for (const { text, element, rect, drawn } of texts) {
            const box = element.closest('.scroll') ?? document.documentElement;
            if (!element.closest('.scroll') && (rect.left < -near || rect.right > width + near)) faults.push(`outside the window: ${text}`);
            if (drawn) {
              const frame = drawn.getBoundingClientRect();
              if (rect.left < frame.left - near || rect.right > frame.right + near || rect.top < frame.top - near || rect.bottom > frame.bottom + near) faults.push(`outside its figure: ${text}`);
            }
            for (let parent = element; parent && parent !== box; parent = parent.parentElement)
              if (getComputedStyle(parent).overflowX !== 'visible' && parent.scrollWidth > parent.clientWidth + near) faults.push(`cut off: ${text}`);
          }
          for (let one = 0; one < texts.length; one++)
            for (let other = one + 1; other < texts.length; other++) {
              const a = texts[one], b = texts[other], deep = 3;
              if (a.element === b.element) continue;
              if (Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left) > deep && Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top) > deep)
                faults.push(`over each other: ${a.text} | ${b.text}`);
            }

          // Web Content Accessibility Guidelines 2.1, 1.4.3: at least 4.5 to 1.
          const parse = color => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
          const over = (top, under) => ({ r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1 });
          const light = color => { const [r, g, b] = [color.r, color.g, color.b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const background = element => { const own = parse(getComputedStyle(element).backgroundColor); return own.a === 1 ? own : over(own, element.parentElement ? background(element.parentElement) : { r: 255, g: 255, b: 255, a: 1 }); };
          for (const { text, element, drawn } of texts) {
            const [x, y] = [light(parse(getComputedStyle(element)[drawn ? 'fill' : 'color'])), light(background(drawn ? drawn.parentElement : element))];
            const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
            if (contrast < 4.5) faults.push(`hard to read, ${contrast.toFixed(2)} to 1: ${text}`);
          }
          return faults.slice(0, 20);
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public static MatrixTheoryData<string, ColorScheme, int> Views => new(
        ["usual", "long names", "nothing fooled", "many classes", "large images", "compared"],
        [ColorScheme.Light, ColorScheme.Dark],
        [360, 1280]);

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Views))]
    [Trait("speed", "slow")]
    public async Task A_report_is_laid_out_without_defects_and_loads_nothing(string name, ColorScheme scheme, int width)
    {
        Assert.SkipWhen(BrowserFixture.Missing is not null, BrowserFixture.Missing ?? "");
        var path = Write(name);
        await using var context = await fixture.Browser.NewContextAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 800 } });
        var page = await context.NewPageAsync();
        var (messages, requests) = (new List<string>(), new List<string>());
        page.Console += (_, message) => messages.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => messages.Add(error);
        page.Request += (_, request) => requests.Add(request.Url);

        var url = new Uri(path).AbsoluteUri;
        await page.GotoAsync(url);
        if (Environment.GetEnvironmentVariable(Screenshots) is { } folder)
        {
            await page.ScreenshotAsync(new() { FullPage = true, Path = Path.Combine(folder, $"{name}-{scheme}-{width}.png") });
        }

        Assert.Empty(await page.EvaluateAsync<string[]>(Faults));
        // Checked again with the settings expanded, and in print.
        await page.EvaluateAsync("() => document.querySelectorAll('details').forEach(details => details.open = true)");
        Assert.Empty(await page.EvaluateAsync<string[]>(Faults));
        await page.SetViewportSizeAsync(PaperWidth, 1000);
        await page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = scheme });
        Assert.Empty(await page.EvaluateAsync<string[]>(Faults));
        Assert.Empty(messages);
        Assert.DoesNotContain(requests, request => request != url && !request.StartsWith("data:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_report_has_figures_tables_and_images()
    {
        // The test above would pass for a page without them. This test needs no browser.
        var html = File.ReadAllText(Write("compared"));
        Assert.All(new[] { "<svg class=\"plot\"", "<table class=\"matrix\"", "<img src=\"data:", "class=\"compared\"", "prefers-color-scheme: dark" }, part => Assert.Contains(part, html, StringComparison.Ordinal));
    }

    private string Write(string name)
    {
        string[] folders = name == "compared" ? [_folder["a"], _folder["b"], _folder["c"]] : [_folder["a"]];
        switch (name)
        {
            case "long names":
                var longest = string.Concat(Enumerable.Repeat("a name without an end ", 4));
                new ExampleRun
                {
                    Model = new('m', 80),
                    Data = $"cifar10:/{new string('d', 120)}",
                    ClassNames = [.. Enumerable.Range(0, 10).Select(number => $"{longest}{number}<script>{new string('x', 40)}")],
                    Summary = summary => summary with { Warnings = [longest, new string('w', 200)] },
                }.Write(folders[0]);
                break;
            case "nothing fooled":
                new ExampleRun { Exit = _ => AttackExit.IterationLimit, Norm = "linf" }.Write(folders[0]);
                break;
            case "many classes":
                new ExampleRun { Images = 300, Classes = 100, Height = 8, Width = 8, Space = "normalized" }.Write(folders[0]);
                break;
            case "large images":
                new ExampleRun { Images = 12, Height = 224, Width = 224, Norm = "linf", Summary = summary => summary with { RobustAccuracy = [new(0.25, 0.5), new(0.5, 0.25)] } }.Write(folders[0]);
                break;
            case "compared":
                new ExampleRun { Attack = "deepfool" }.Write(folders[0]);
                new ExampleRun { Seed = 2, Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["refine"] = 0 } }.Write(folders[1]);
                new ExampleRun { Seed = 3, Options = new Dictionary<string, object>(StringComparer.Ordinal) { ["refine"] = 18 } }.Write(folders[2]);
                break;
            default:
                new ExampleRun { Images = 200, ClassNames = ["stop", "no entry", "give way", "warning", "priority road", "speed limit 30", "speed limit 80", "turn left", "turn right", "straight ahead"] }.Write(folders[0]);
                break;
        }

        var page = Path.Combine(folders[0], "report.html");
        File.WriteAllText(page, ExampleRun.Report(folders));
        return page;
    }
}
