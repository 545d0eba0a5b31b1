using static TorchSharp.torch;

namespace Brink.Attacks;

/// <summary>The second stage of the trust-region attack: a walk along the decision boundary, or, with an effort, walks from several starts until it is spent.</summary>
/// <remarks>
/// <para>
/// The first walk starts at the first adversarial point, or, if the linear model at the image is inaccurate, on the segment toward an image of
/// another class. Each further try uses the kind of start with the largest expected gain:
/// </para>
/// <code>
/// gain(kind) = (2·prior + Σ gains of its tries) / (2 + number of its tries)
/// </code>
/// <para>
/// where a gain is the share by which a try shortened the perturbation. Gains are those of the image alone, so results do not depend on the
/// batch. The priors were chosen on training images and on networks trained with Brink.
/// </para>
/// </remarks>
internal sealed class BoundarySearch
{
    /// <summary>The number of bisections of a segment toward an image of another class, each of one forward pass.</summary>
    /// <remarks>The walk that follows continues from there. With 6 or 8 bisections, perturbations were no shorter.</remarks>
    private const int Halvings = 4;

    /// <summary>The number of steps of an ascent in L∞, and their length as a share of the width of the bounds.</summary>
    private const int AscentSteps = 12;
    private const double AscentStep = 0.05;

    /// <summary>The maximum number of steps of a walk after the first one.</summary>
    private const int WalkSteps = 40;

    /// <summary>The factor by which the interpolation weight of walks from distant starts shrinks.</summary>
    private const double SlowShrinkage = 0.7;

    /// <summary>The smallest number of passes for a try: fewer would be spent on its start.</summary>
    private const int FewestPasses = 4;

    /// <summary>The number of gradients from which on the classes are compared at the nearest adversarial point; without one they are compared at the image as soon as the passes suffice.</summary>
    private const int ComparisonEffort = 40;

    /// <summary>The number of classes, those with the largest logits other than the label, toward which walks are tried.</summary>
    private const int Classes = 9;

    /// <summary>The distance of a start near the nearest point from it, and of a random start from the image, as shares of the shortest perturbation.</summary>
    private const double NearbyShare = 0.3;
    private const double RandomShare = 0.9;

    /// <summary>The weight of a prior, in tries.</summary>
    private const double PriorTries = 2;

    /// <summary>The expected gains of the kinds, where the first stage found an adversarial point, and where it was given up.</summary>
    private static readonly double[] SmoothPriors = [0.010, 0.004, 0.002, 0.002, 0.001];
    private static readonly double[] RoughPriors = [0.03, 0.04, 0.04, 0.10, 0.05];

    private static readonly Kind[] Kinds = Enum.GetValues<Kind>();

    private readonly AttackedBatch _all;
    private readonly Norm _norm;
    private readonly TrustRegionOptions _options;
    private readonly BoundaryWalkOptions _refinement;
    private readonly int _effort;
    private readonly StartingImages? _starts;
    private readonly Bounds _bounds;
    private readonly Tensor _images;
    private readonly NearestAdversarialPoints _nearest;
    private readonly BoundaryWalk _walk;
    private readonly RandomStarts _random;
    private readonly bool _isFree;
    private readonly IReadOnlyList<long> _indices;
    private readonly Image[] _records;
    private double[]? _lengths;

    /// <summary>Initializes the search, in the dispose scope of the caller.</summary>
    /// <param name="all">The images: those that the first stage fooled, and those that it gave up.</param>
    /// <param name="norm">The norm ‖·‖_p.</param>
    /// <param name="options">The settings of the attack, with a boundary walk.</param>
    /// <param name="starts">Images from which walks may start; null for none.</param>
    public BoundarySearch(AttackedBatch all, Norm norm, TrustRegionOptions options, StartingImages? starts)
    {
        (_all, _norm, _options, _starts) = (all, norm, options, starts);
        _refinement = options.Refinement!;
        _effort = _refinement.Effort ?? int.MaxValue;
        _bounds = all.Bounds;
        (_images, _indices) = (all.Images, all.Indices);
        _nearest = new(_images);
        _walk = new(norm, _nearest);
        _random = new(norm, _refinement.Seed);
        _isFree = options.Target == TargetSelection.Untargeted && all.Criterion.ComparesClasses;
        _records = [.. all.Rows.Select(row => new Image(row, all.Entry(row)))];
    }

    /// <summary>The kinds of starts.</summary>
    private enum Kind
    {
        /// <summary>The nearest point, toward another class.</summary>
        Class,

        /// <summary>A point near the nearest point.</summary>
        Nearby,

        /// <summary>A random point at nearly the distance of the nearest point.</summary>
        Random,

        /// <summary>A point of the segment toward an image of another class.</summary>
        Image,

        /// <summary>The end of an ascent in L∞ with long steps, which passes over local maxima of the gap.</summary>
        Ascent,
    }

    /// <summary>Replaces each adversarial image by the nearest one that the search finds.</summary>
    public void Run()
    {
        int[] before = [.. _records.Select(image => image.Entry.Forwards)];
        using (var scope = NewDisposeScope())
        {
            var places = Positions(Enumerable.Range(0, _all.Count));
            var fooled = tensor(Array.ConvertAll(_records, image => !image.IsRough), device: _images.device);
            var adversarial = _all.Adversarial;
            _nearest.Improve(places, adversarial, _norm.Of(adversarial - _images), fooled);
        }

        FirstWalks();
        for (var round = 1; _refinement.Effort is not null; round++)
        {
            int[] active = [.. Enumerable.Range(0, _records.Length).Where(place => PassesLeft(_records[place].Row) >= FewestPasses)];
            if (active.Length == 0)
            {
                break;
            }

            using var scope = NewDisposeScope();
            Try(active, round);
            _all.Report(round, active.Length);
        }

        // The first pass repeats that of the last step, so it is no step.
        _all.Finish(Array.ConvertAll(_nearest.Found(), found => found ? AttackExit.Fooled : (AttackExit?)null), place => Math.Max(0, _records[place].Entry.Forwards - before[place] - 1), _nearest.Points);
    }

    /// <summary>Walks from the first adversarial points, and from the segments toward other images where there is none.</summary>
    private void FirstWalks()
    {
        var limits = _refinement.Effort is null ? new WalkLimits(_refinement.Steps) : new WalkLimits(int.MaxValue, _refinement.Steps, row => PassesLeft(row) > 0);
        // Comparing classes takes a backward pass for each of them.
        foreach (var group in Places(image => !image.IsRough && PassesLeft(image.Row) > 1).GroupBy(place => _isFree && PassesLeft(_records[place].Row) > _refinement.Candidates))
        {
            using var scope = NewDisposeScope();
            int[] smooth = [.. group];
            var places = Positions(smooth);
            using var part = _all.Part(smooth);
            if (_isFree)
            {
                part.Follow([.. smooth.Select(_ => -1L)]);
            }

            _walk.Run(part, places, _nearest.Points.index_select(0, places), limits, () => group.Key ? FirstModel(part, places) : part.Linearize(Norm.L2));
        }

        foreach (var group in Places(image => image.IsRough && PassesLeft(image.Row) >= FewestPasses).GroupBy(HasImage))
        {
            using var scope = NewDisposeScope();
            int[] rough = [.. group];
            var places = Positions(rough);
            var points = group.Key ? TowardImages(rough) : Ascend(rough);
            if (group.Key && rough.Where(HasImage).ToArray() is { Length: > 0 } again)
            {
                // The walk starts from the nearer point of two segments, which is worth more than the steps that it costs.
                TowardImages(again);
            }

            var found = _nearest.Lengths.index_select(0, places).isfinite();
            points = where(PerSample.Broadcast(found, points), _nearest.Points.index_select(0, places), points);
            // Without an adversarial point, further starts are worth more than the steps of this walk.
            var flags = found.ToBools();
            foreach (var walks in Enumerable.Range(0, rough.Length).GroupBy(position => flags[position]))
            {
                int[] positions = [.. walks];
                Walk([.. positions.Select(position => rough[position])], points.index_select(0, Positions(positions)), [.. positions.Select(_ => -1L)], limits with { LeastSteps = walks.Key ? limits.LeastSteps : 0, Shrinkage = SlowShrinkage });
            }
        }
    }

    /// <summary>Chooses the class whose boundary is nearest to the original image, and linearises its gap at the first adversarial points.</summary>
    private LinearModel FirstModel(AttackedBatch part, Tensor places) => Scoped<LinearModel>(() =>
    {
        var model = part.Choose(TargetSelection.Best, _norm, _refinement.Candidates, origins: _images.index_select(0, places), isTarget: false);
        return new(model.Values, model.Gradients, Norm.L2);
    });

    /// <summary>Makes one try for each image: chooses the kind of its start, computes the start and walks from it.</summary>
    private void Try(int[] active, int round)
    {
        var lengths = _lengths ?? _nearest.Lengths.ToDoubles();
        CompareClasses([.. active.Where(place => _isFree && _records[place].Order is null
            && PassesLeft(_records[place].Row) >= (double.IsFinite(lengths[place]) ? ComparisonEffort : Classes + FewestPasses))]);
        var kinds = Array.ConvertAll(active, place => Choose(place, double.IsFinite(lengths[place])));
        var points = _images.clone();
        var classes = Enumerable.Repeat(-1L, _records.Length).ToArray();
        foreach (var group in active.Zip(kinds).GroupBy(pair => pair.Second, pair => pair.First))
        {
            int[] places = [.. group];
            if (group.Key == Kind.Class)
            {
                Array.ForEach(places, place => classes[place] = _records[place].NextClass());
            }

            points.index_copy_(0, Positions(places), Starts(group.Key, places, round));
        }

        Walk(active, points.index_select(0, Positions(active)), [.. active.Select(place => classes[place])], new(WalkSteps, Continues: row => PassesLeft(row) > 0, Shrinkage: SlowShrinkage));
        // No length changes before the next round.
        var shortened = _lengths = _nearest.Lengths.ToDoubles();
        foreach (var (place, kind) in active.Zip(kinds))
        {
            _records[place].Record(kind, double.IsFinite(lengths[place]) ? 1 - (shortened[place] / lengths[place]) : double.IsFinite(shortened[place]) ? 1 : 0);
        }
    }

    private void Walk(int[] places, Tensor points, long[] classes, WalkLimits limits)
    {
        // The start may have taken the last passes of an image. A walk takes at least two: at its start, and one step.
        int[] kept = [.. Enumerable.Range(0, places.Length).Where(position => PassesLeft(_records[places[position]].Row) > 1)];
        if (kept.Length == 0)
        {
            return;
        }

        using var part = _all.Part([.. kept.Select(position => places[position])]);
        if (_isFree)
        {
            part.Follow([.. kept.Select(position => classes[position])]);
        }

        _walk.Run(part, Positions(kept.Select(position => places[position])), points.index_select(0, Positions(kept)), limits, () => part.Linearize(Norm.L2));
    }

    /// <summary>Computes the points from which walks start, shape [places, …].</summary>
    private Tensor Starts(Kind kind, int[] places, int round)
    {
        var selected = Positions(places);
        return kind switch
        {
            Kind.Class => _nearest.Points.index_select(0, selected),
            Kind.Image => TowardImages(places),
            Kind.Ascent => Ascend(places),
            _ => Scoped(() =>
            {
                var images = _images.index_select(0, selected);
                var lengths = _nearest.Lengths.index_select(0, selected);
                var radii = where(lengths.isfinite(), lengths, _bounds.Widths(_norm, images));
                var draws = _random.Draw(places.Select(place => _indices[place]), images, round).Times(radii.Times(kind == Kind.Nearby ? NearbyShare : RandomShare));
                return _bounds.Clamp((kind == Kind.Nearby ? _nearest.Points.index_select(0, selected) : images).Plus(draws));
            }),
        };
    }

    /// <summary>Bisects the segments from the images to images of other classes, and keeps the nearest adversarial point of each.</summary>
    private Tensor TowardImages(int[] places) => Scoped(() =>
    {
        using var part = _all.Part(places);
        var selected = Positions(places);
        var images = _images.index_select(0, selected);
        var offsets = _starts!.Select([.. places.Select(place => Ranking(place)[_records[place].ImageNumber++])]) - images;
        var (low, high) = (zeros([places.Length], dtype: images.dtype, device: images.device), ones([places.Length], dtype: images.dtype, device: images.device));
        for (var halving = 0; halving < Halvings; halving++)
        {
            var middle = low.Plus(high).Times(0.5);
            var points = _bounds.Clamp(images.Plus(offsets.Times(middle)));
            part.Forward(points, keepGraph: false);
            var fooled = part.IsPositive(part.Margins());
            _nearest.Improve(selected, points, _norm.Of(points - images), fooled);
            (low, high) = (where(fooled, low, middle), where(fooled, middle, high));
        }

        return _bounds.Clamp(images.Plus(offsets.Times(high)));
    });

    /// <summary>Ascends the gap in L∞ with long steps until the images are fooled.</summary>
    private Tensor Ascend(int[] places) => Scoped(() =>
    {
        using var part = _all.Part(places);
        if (_isFree)
        {
            part.Follow([.. places.Select(_ => -1L)]);
        }

        var selected = Positions(places);
        var ends = _images.index_select(0, selected);
        var (points, origins) = (ends, Positions(Enumerable.Range(0, places.Length)));
        for (var step = 0; part.Count > 0 && step <= AscentSteps; step++)
        {
            part.Forward(points);
            var fooled = part.IsPositive(part.Margins());
            _nearest.Improve(selected.index_select(0, origins), points, _norm.Of(points - part.Images), fooled);
            ends = ends.index_copy(0, origins, points);
            var model = part.Linearize(Norm.LInf);
            var lengths = minimum(model.Distances(), _bounds.Widths(Norm.LInf, points).Times(AscentStep)).Times(1 + _options.Overshoot);
            var usable = lengths.gt(Scalars.Zero).logical_and(lengths.isfinite()).logical_and(fooled.logical_not()).ToBools();
            var kept = part.Keep([.. usable.Zip(part.Rows, (flag, row) => flag && PassesLeft(row) > 0)]);
            points = _bounds.Clamp(points.index_select(0, kept).Plus(model.Directions().index_select(0, kept).Times(lengths.index_select(0, kept))));
            origins = origins.index_select(0, kept);
        }

        return ends;
    });

    /// <summary>Orders the classes of each image by their linearised distances at its nearest adversarial point, or at the image while there is none.</summary>
    private void CompareClasses(int[] places)
    {
        if (places.Length == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var part = _all.Part(places);
        var selected = Positions(places);
        var images = _images.index_select(0, selected);
        var points = _nearest.Points.index_select(0, selected);
        var pass = part.Forward(points);
        var classes = LogitGap.Without(pass.Logits.detach(), part.Labels).topk((int)Math.Min(Classes, pass.Logits.shape[1] - 1), 1).indexes;
        var columns = new List<Tensor>();
        for (var number = 0; number < classes.shape[1]; number++)
        {
            using var step = NewDisposeScope();
            var margins = part.Criterion.MarginsToward(pass.Logits, part.Labels, classes.select(1, number));
            var gradients = pass.Gradients(margins, keepGraph: true);
            columns.Add((PerSample.Dot(gradients, points - images) - margins.detach()).div(_norm.Dual.Of(gradients)).MoveToOuterDisposeScope());
        }

        columns.AddRange(classes.unbind(1));
        var values = TensorValues.ToColumns([.. columns]);
        var (distances, numbers) = (values[..(values.Length / 2)], values[(values.Length / 2)..]);
        for (var position = 0; position < places.Length; position++)
        {
            // A negative distance is that of a boundary that the linear model crosses before the image; such classes come last. That of a masked class is not finite.
            _records[places[position]].Order = [.. Enumerable.Range(0, distances.Length)
                .Where(number => double.IsFinite(distances[number][position]))
                .OrderBy(number => distances[number][position] is >= 0 and var distance ? distance : double.PositiveInfinity)
                .Select(number => (long)numbers[number][position])];
        }
    }

    /// <summary>Chooses the possible kind of start with the largest expected gain.</summary>
    private Kind Choose(int place, bool isFooled)
    {
        var (image, best) = (_records[place], Kind.Random);
        // Where the bounds exclude the class with the largest logit, only another class leads to an adversarial point.
        if (!isFooled && image.HasClass)
        {
            return Kind.Class;
        }

        foreach (var kind in Kinds)
        {
            // The starting images are loaded only if they would be chosen.
            var isBetter = image.Expected(kind) > image.Expected(best) && kind switch
            {
                Kind.Class => image.HasClass,
                Kind.Nearby => isFooled,
                Kind.Image => HasImage(place),
                _ => true,
            };
            best = isBetter ? kind : best;
        }

        return best;
    }

    /// <summary>Determines whether an image has a further starting image, and the passes for its segment.</summary>
    private bool HasImage(int place) => _starts is not null && PassesLeft(_records[place].Row) >= Halvings + FewestPasses && _records[place].ImageNumber < Ranking(place).Length;

    private int[] Ranking(int place)
    {
        if (_records[place].Ranking is { } known)
        {
            return known;
        }

        using var scope = NewDisposeScope();
        return _records[place].Ranking = _starts!.Rank(_images[place], _records[place].Entry.Label, _all.Criterion.Targets(tensor(new[] { _indices[place] }, device: _all.Labels.device)));
    }

    /// <summary>Returns the number of passes of each kind that the effort of an image permits, at most the number that a limit of all its passes permits.</summary>
    private long PassesLeft(int row)
    {
        var entry = _all.Entry(row);
        return Math.Min(_effort - Math.Max(entry.Forwards, entry.Backwards), entry.PassesLeft);
    }

    private IEnumerable<int> Places(Func<Image, bool> condition) => Enumerable.Range(0, _records.Length).Where(place => condition(_records[place]));

    private Tensor Positions(IEnumerable<int> positions) => PerSample.Positions(positions, _images.device);

    /// <summary>The record of one image: its tries and the starts that are left.</summary>
    /// <param name="row">The row of the image in the attack.</param>
    /// <param name="entry">The entry of the image.</param>
    private sealed class Image(int row, AttackRun.Entry entry)
    {
        private readonly double[] _gains = new double[Kinds.Length];
        private readonly int[] _tries = new int[Kinds.Length];
        private int _nextClass;

        /// <summary>The row of the image in the attack.</summary>
        public int Row => row;

        /// <summary>The entry of the image.</summary>
        public AttackRun.Entry Entry => entry;

        /// <summary>Indicates whether the first stage found no adversarial point.</summary>
        public bool IsRough { get; } = entry.Exit != AttackExit.Fooled;

        /// <summary>The classes in the order of their distance; null before they are compared.</summary>
        public long[]? Order { get; set; }

        /// <summary>The starting images in the order in which they are tried; null before they are ordered.</summary>
        public int[]? Ranking { get; set; }

        /// <summary>Indicates whether a class is left.</summary>
        public bool HasClass => Order is not null && _nextClass < Order.Length;

        /// <summary>The number of starting images that were tried.</summary>
        public int ImageNumber { get; set; }

        /// <summary>Returns the next class.</summary>
        public long NextClass() => Order![_nextClass++];

        /// <summary>Returns the expected gain of a kind of start.</summary>
        public double Expected(Kind kind) => ((PriorTries * (IsRough ? RoughPriors : SmoothPriors)[(int)kind]) + _gains[(int)kind]) / (PriorTries + _tries[(int)kind]);

        /// <summary>Records a try.</summary>
        public void Record(Kind kind, double gain)
        {
            _gains[(int)kind] += gain;
            _tries[(int)kind]++;
        }
    }
}
