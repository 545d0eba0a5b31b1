using System.Globalization;

namespace Brink.Cli.Reproduce;

/// <summary>Table 5: how fast accuracy falls when every step takes the whole of a fixed radius, first order against second.</summary>
internal static class Table5
{
    private const int Steps = 10;

    private static readonly PaperNetwork Perceptron = new("MLP", Accuracy: null, Model: "mlp-swish", "One command trains it in minutes: docs/training.md.");

    private static readonly PaperNetwork Convolutional = new("AlexNet-S", Accuracy: null, Model: "alexlike-s", "The paper's AlexNet-S on CIFAR-10 we take to be AlexLike-S of the authors' program; weights are in models/.");

    /// <summary>The table.</summary>
    public static PaperTable Whole { get; } = new(
        "table5",
        "first and second order, steps of length 1",
        "the 10,000 test images",
        [Perceptron, Convolutional],
        [
            new(
                "l2",
                [FirstOrder, SecondOrder("tr2", 2, "0.05", "TR, second order"), SecondOrder("tr2-1", 1, "0"), SecondOrder("tr2-2", 2, "0"), SecondOrder("tr2-5", 5, "0"), SecondOrder("tr2-10", 10, "0")],
                new Dictionary<(PaperNetwork Network, string Column), PaperFigures>())
            {
                Accuracies = new Dictionary<(PaperNetwork Network, string Column), IReadOnlyList<decimal>>
                {
                    [(Perceptron, "tr")] = [47.63m, 33.7m, 22.24m, 13.76m, 8.13m, 4.59m, 2.41m, 1.31m, 0.63m, 0.27m],
                    [(Perceptron, "tr2")] = [47.84m, 33.37m, 21.49m, 13.3m, 7.39m, 4.16m, 2.17m, 1.09m, 0.49m, 0.20m],
                    [(Convolutional, "tr")] = [51.51m, 28.17m, 12.45m, 5.53m, 2.61m, 1.33m, 0.82m, 0.66m, 0.51m, 0.46m],
                    [(Convolutional, "tr2")] = [50.96m, 26.97m, 10.73m, 4.11m, 1.79m, 0.91m, 0.67m, 0.54m, 0.47m, 0.44m],
                },
            },
        ])
    {
        Steps = Steps,
    };

    private static PaperAttack FirstOrder => new()
    {
        Key = "tr",
        Name = "TR, first order",
        Column = "tr",
        Specification = $"tr[{Common}]",
        Remark = "The paper says that the second order is better in all iterations; its own row of the MLP is worse in the first.",
    };

    private static string Common => string.Create(
        CultureInfo.InvariantCulture,
        $"preset=paper,norm=l2,target=best,candidates=9,objective=gap,max-iterations={Steps},refine=0,refine-candidates=3,whole-radius=true,overshoot=0,shortest-step=0,extra-length=0,gradient-floor=0,project-gradient=true,ratio=predicted-change,radius-unit=input,radius-start=1,radius-smallest=1,radius-largest=1,radius-growth=1,radius-grow-above=0.9,radius-shrink-below=0.5,radius-from-step-length=false");

    private static PaperAttack SecondOrder(string key, int vectors, string tolerance, string? name = null) => new()
    {
        Key = key,
        Name = name ?? string.Create(CultureInfo.InvariantCulture, $"…with {vectors} {(vectors == 1 ? "vector" : "vectors")}"),
        Column = name is null ? null : key,
        Specification = string.Create(CultureInfo.InvariantCulture, $"tr2[{Common},curvature-max-products={vectors},curvature-tolerance={tolerance},curvature-products=exact,curvature-difference-step=0.005,curvature-seed=0]"),
        Remark = name is null ? null : "TR, second order: as many Lanczos vectors as the residual asks for, at most two, the default of Brink 0.1; below it always that many. The paper does not say how many it took.",
    };
}
