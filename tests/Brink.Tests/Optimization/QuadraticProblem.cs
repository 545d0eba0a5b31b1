using Brink.Optimization;
using Brink.Tensors;
using static TorchSharp.torch;

namespace Brink.Tests.Optimization;

/// <summary>The problem max ⟨g, s⟩ + ½⟨s, Hs⟩ over ‖s‖₂ ≤ ε with a dense H, given by its eigenvalues and the components of g along its eigenvectors.</summary>
/// <param name="Name">The name of the case, which also determines the random eigenvectors: with another name the problem is another one.</param>
/// <param name="Eigenvalues">The eigenvalues of H, ascending.</param>
/// <param name="Loads">The components of g along the eigenvectors.</param>
/// <param name="Radius">The radius ε.</param>
/// <param name="Seed">The seed of the random eigenvectors, in addition to the name.</param>
internal sealed record QuadraticProblem(string Name, double[] Eigenvalues, double[] Loads, double Radius, int Seed)
{
    public int Size => Eigenvalues.Length;

    /// <summary>Creates one problem of each kind, all of the same size, so that they fit into one batch.</summary>
    public static IReadOnlyList<QuadraticProblem> Cases(int size, int seed)
    {
        var random = new Random(seed);
        double[] Spectrum(double lowest, double highest) => [.. Enumerable.Range(0, size).Select(_ => lowest + ((highest - lowest) * random.NextDouble())).Order()];
        double[] Anywhere() => [.. Enumerable.Range(0, size).Select(_ => (random.NextDouble() * 2) - 1)];
        double[] WithTop(double[] loads, double top) => [.. loads[..^1], top];
        double[] Repeated(double top) => [.. Spectrum(-2, 1).Select((eigenvalue, i) => i >= size / 2 ? top : eigenvalue)];

        QuadraticProblem Of(string name, double[] eigenvalues, double[] loads, double reach)
        {
            // The radius is a multiple of the length of the step at the smallest possible multiplier, without the component of the largest eigenvalue.
            var least = Math.Max(0, eigenvalues[^1]);
            var length = Math.Sqrt(eigenvalues.Zip(loads, (eigenvalue, load) => load == 0 || least - eigenvalue < 1e-9 ? 0 : Math.Pow(load / (least - eigenvalue), 2)).Sum());
            return new(name, eigenvalues, loads, reach * (length > 0 ? length : 1), seed);
        }

        return
        [
            Of("concave, maximum inside", Spectrum(-3, -0.5), Anywhere(), 2),
            Of("concave, on the boundary", Spectrum(-3, -0.5), Anywhere(), 0.5),
            Of("convex", Spectrum(0.5, 3), Anywhere(), 1.5),
            Of("indefinite, easy", Spectrum(-2, 2), Anywhere(), 1),
            Of("indefinite, tiny radius", Spectrum(-2, 2), Anywhere(), 1e-6),
            Of("indefinite, huge radius", Spectrum(-2, 2), Anywhere(), 1e6),
            Of("near-hard", Spectrum(-2, 2), WithTop(Anywhere(), 1e-5), 3),
            Of("nearer-hard", Spectrum(-2, 2), WithTop(Anywhere(), 1e-10), 3),
            Of("hard", Spectrum(-2, 2), WithTop(Anywhere(), 0), 3),
            Of("no top component, but a small radius", Spectrum(-2, 2), WithTop(Anywhere(), 0), 0.5),
            Of("semidefinite with a direction of curvature 0 and no gradient there", [.. Spectrum(-3, -0.5)[..^1], 0], WithTop(Anywhere(), 0), 2),
            Of("zero gradient, indefinite", Spectrum(-2, 2), new double[size], 1),
            Of("zero gradient, concave", Spectrum(-2, -0.1), new double[size], 1),
            Of("repeated eigenvalues", Repeated(2), Anywhere(), 2),
            Of("repeated eigenvalues, hard", Repeated(2), [.. Anywhere().Select((load, i) => i >= size / 2 ? 0 : load)], 2),
            Of("repeated eigenvalues, concave", Repeated(2).Select(eigenvalue => eigenvalue - 4).ToArray(), Anywhere(), 2),
            Of("a sphere, growing", [.. Enumerable.Repeat(2.0, size)], Anywhere(), 1),
            Of("a sphere, shrinking", [.. Enumerable.Repeat(-2.0, size)], Anywhere(), 2),
            Of("linear", new double[size], Anywhere(), 1),
            Of("constant", new double[size], new double[size], 1),
            Of("large numbers", [.. Spectrum(-2, 2).Select(eigenvalue => eigenvalue * 1e8)], Anywhere(), 1),
            Of("small numbers", [.. Spectrum(-2, 2).Select(eigenvalue => eigenvalue * 1e-8)], [.. Anywhere().Select(load => load * 1e-6)], 1),
        ];
    }

    /// <summary>Returns H and g, shapes [size, size] and [size].</summary>
    public (Tensor Hessian, Tensor Gradient) Dense()
    {
        using var scope = NewDisposeScope();
        var random = new Random(Seed + Name.Sum(letter => letter));
        var (rotation, _) = linalg.qr(tensor(Enumerable.Range(0, Size * Size).Select(_ => (random.NextDouble() * 2) - 1).ToArray()).reshape(Size, Size));
        var hessian = rotation.mul(tensor(Eigenvalues)).matmul(rotation.t());
        return ((hessian.Plus(hessian.t()) / tensor(2.0)).MoveToOuterDisposeScope(), rotation.matmul(tensor(Loads)).MoveToOuterDisposeScope());
    }

    /// <summary>Combines problems into one quadratic model with their radii.</summary>
    public static (QuadraticModel Model, Tensor Hessians, Tensor Radii) Batch(IReadOnlyList<QuadraticProblem> problems)
    {
        var dense = problems.Select(problem => problem.Dense()).ToArray();
        var hessians = stack([.. dense.Select(pair => pair.Hessian)]);
        var gradients = stack([.. dense.Select(pair => pair.Gradient)]);
        return (
            new(full(problems.Count, -1.0, dtype: ScalarType.Float64), gradients, vectors => hessians.matmul(vectors.unsqueeze(2)).squeeze(2)),
            hessians,
            tensor(problems.Select(problem => problem.Radius).ToArray()));
    }

    /// <summary>Asserts that a step is the global solution: λ ≥ 0, (λI − H)s = g, λI − H ⪰ 0, ‖s‖ ≤ ε and λ(ε − ‖s‖) = 0, each to a relative tolerance.</summary>
    public static void AssertOptimal(string name, Tensor hessian, Tensor gradient, double radius, Tensor step, bool onBoundary, double tolerance = 1e-6)
    {
        using var scope = NewDisposeScope();
        var eigenvalues = linalg.eigvalsh(hessian).data<double>().ToArray();
        var curvature = eigenvalues.Max(Math.Abs);
        var length = step.norm().item<double>();
        var uphill = gradient.Plus(hessian.matmul(step));
        var multiplier = onBoundary ? step.dot(uphill).item<double>() / (radius * radius) : 0;
        var forces = gradient.norm().item<double>() + ((curvature + Math.Abs(multiplier)) * radius);
        var residual = (step.mul(multiplier) - uphill).norm().item<double>();

        Assert.True(residual <= tolerance * forces, $"{name}: residual {residual:G3} of {forces:G3}");
        Assert.True(multiplier >= -tolerance * curvature, $"{name}: multiplier {multiplier:G3}");
        Assert.True(multiplier >= eigenvalues[^1] - (tolerance * curvature), $"{name}: multiplier {multiplier:G10} below the largest eigenvalue {eigenvalues[^1]:G10}");
        Assert.True(length <= radius * (1 + tolerance), $"{name}: length {length:G10} of {radius:G10}");
        Assert.True(!onBoundary || length >= radius * (1 - tolerance), $"{name}: length {length:G10} of {radius:G10} is not on the boundary");
    }
}
