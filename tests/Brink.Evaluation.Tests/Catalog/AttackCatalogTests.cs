using Brink.Attacks;
using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Tests.Catalog;

public sealed class AttackCatalogTests
{
    [Fact]
    public void An_attack_without_options_has_the_defaults_of_its_record()
    {
        var defaults = new TrustRegionOptions();
        var options = AttackCatalog.Create("tr").Options;
        Assert.False(options.ContainsKey("preset"));
        Assert.Equal(defaults.Refinement!.Steps, options["refine"]);
        Assert.Equal("l2", options["norm"]);
        Assert.Equal("untargeted", options["target"]);
        Assert.Equal("gap", options["objective"]);
        Assert.Equal(defaults.MaxIterations, options["max-iterations"]);
        Assert.Equal(defaults.Overshoot, options["overshoot"]);
        Assert.Equal(defaults.Radius.Growth, options["radius-growth"]);
    }

    [Fact]
    public void Options_in_brackets_take_precedence_over_settings()
    {
        var attack = AttackCatalog.Create("tr[norm=linf, overshoot=0.5]", new Dictionary<string, string>(StringComparer.Ordinal) { ["norm"] = "l2", ["max-iterations"] = "7" });
        Assert.Equal("linf", attack.Attack.Norm.Name);
        Assert.Equal("linf", attack.Options["norm"]);
        Assert.Equal(0.5, attack.Options["overshoot"]);
        Assert.Equal(7, attack.Options["max-iterations"]);
    }

    [Fact]
    public void Options_of_one_attack_do_not_change_later_attacks()
    {
        AttackCatalog.Create("tr[overshoot=0.5,radius-growth=3]");
        Assert.Equal(new TrustRegionOptions().Overshoot, AttackCatalog.Create("tr").Options["overshoot"]);
        Assert.Equal(new TrustRegionOptions().Radius.Growth, AttackCatalog.Create("tr").Options["radius-growth"]);
    }

    [Fact]
    public void A_numeric_radius_is_fixed()
    {
        var fixedRadius = AttackCatalog.Create("tr[radius=0.25]").Options;
        Assert.Equal(0.25, fixedRadius["radius-start"]);
        Assert.Equal(0.25, fixedRadius["radius-smallest"]);
        Assert.Equal(0.25, fixedRadius["radius-largest"]);
        Assert.NotEqual(0.25, AttackCatalog.Create("tr[radius=adaptive]").Options["radius-start"]);
    }

    [Fact]
    public void The_default_radius_is_that_of_the_paper_only_without_a_boundary_walk()
    {
        Assert.Equal(new TrustRegionOptions().Radius.Start, AttackCatalog.Create("tr").Options["radius-start"]);
        Assert.Equal(TrustRegionOptions.Paper(Norm.L2).Radius.Start, AttackCatalog.Create("tr[refine=0]").Options["radius-start"]);
        Assert.NotEqual(AttackCatalog.Create("tr").Options["radius-start"], AttackCatalog.Create("tr[refine=0]").Options["radius-start"]);
        Assert.Equal(0.3, AttackCatalog.Create("tr[radius-start=0.3,refine=4]").Options["radius-start"]);
        Assert.Equal(new TrustRegionOptions().Radius.Largest, AttackCatalog.Create("tr[radius-start=0.3]").Options["radius-largest"]);
    }

    [Theory]
    [InlineData("fgsm")]
    [InlineData("ifgsm")]
    [InlineData("pgd")]
    public void Fast_gradient_attacks_are_budgeted_with_epsilon_and_minimal_without(string name)
    {
        var minimal = AttackCatalog.Create(name);
        var budgeted = AttackCatalog.Create($"{name}[epsilon=0.03]");
        Assert.Equal((name, name), (minimal.Attack.Name, budgeted.Attack.Name));
        Assert.IsAssignableFrom<IMinimalAttack>(minimal.Attack);
        Assert.Equal(0.03, Assert.IsAssignableFrom<IBudgetedAttack>(budgeted.Attack).Epsilon);
        Assert.Equal(0.03, budgeted.Options["epsilon"]);
        Assert.Equal(0.001, minimal.Options["tolerance"]);
    }

    [Theory]
    [InlineData("tr")]
    [InlineData("deepfool")]
    [InlineData("cw")]
    public void Other_attacks_are_minimal_and_have_no_seed(string name)
    {
        var configured = AttackCatalog.Create(name, new Dictionary<string, string>(StringComparer.Ordinal) { ["seed"] = "3" });
        Assert.IsAssignableFrom<IMinimalAttack>(configured.Attack);
        Assert.False(configured.Options.ContainsKey("seed"));
        Assert.Equal(3L, AttackCatalog.Create("pgd", new Dictionary<string, string>(StringComparer.Ordinal) { ["seed"] = "3" }).Options["seed"]);
    }

    [Theory]
    [InlineData("l2", 0.05)]
    [InlineData("linf", 0.005)]
    public void The_authors_preset_has_the_radius_of_their_program(string norm, double start)
    {
        var attack = AttackCatalog.Create($"tr[preset=authors,norm={norm}]");
        Assert.Equal("AuthorsAttack", attack.Attack.GetType().Name);
        Assert.Equal(start, attack.Options["radius-start"]);
        Assert.Equal("best", attack.Options["target"]);
        Assert.Equal(1e-4, attack.Options["extra-length"]);
        Assert.Equal("authors", attack.Options["preset"]);
    }

    [Theory]
    [InlineData("tr[preset=fast]", "paper or authors")]
    [InlineData("tr[preset=authors,refine=5]", "no boundary walk")]
    [InlineData("tr[confidence=1]", "probability")]
    [InlineData("deepfool[target=untargeted]", "best or hardest")]
    [InlineData("tr[refine=-1]", "at least 0")]
    [InlineData("tr[effort=0]", "low, default, high")]
    [InlineData("tr[effort=much]", "low, default, high")]
    [InlineData("tr[effort=low,refine=0]", "remove the effort")]
    [InlineData("tr2[effort=low]", "remove the effort")]
    [InlineData("tr[effort=low,preset=authors]", "no boundary walk")]
    [InlineData("fgsm[epsilon=0.1,tolerance=0.1]", "remove one")]
    public void Options_that_contradict_each_other_or_are_out_of_range_are_refused(string specification, string reason) =>
        Assert.Contains(reason, Assert.Throws<BadInputException>(() => AttackCatalog.Create(specification)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("tr[refine=00]", "tr[refine=0]")]
    [InlineData("tr[effort=low]", "tr[effort=25,refine=18]")]
    [InlineData("tr[effort=default]", "tr[effort=125]")]
    [InlineData("tr[effort=high]", "tr[effort=500]")]
    [InlineData("tr[preset=authors,refine=0,objective=gap]", "tr[preset=authors]")]
    public void Equal_settings_are_equal_however_they_are_written(string one, string other) => Assert.Equal(AttackCatalog.Create(other).Options, AttackCatalog.Create(one).Options);

    [Fact]
    public void The_paper_preset_is_the_method_of_the_paper()
    {
        var (preset, paper) = (AttackCatalog.Create("tr[preset=paper,norm=linf]").Options, AttackSettings.Describe(TrustRegionOptions.Paper(Norm.LInf)));
        Assert.All(paper, option => Assert.Equal(option.Value, preset[option.Key]));
        Assert.Equal(["preset", "refine"], preset.Keys.Except(paper.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(0, preset["refine"]);
    }

    [Theory]
    [InlineData("pgd", "seed")]
    [InlineData("tr2", "curvature-seed")]
    public void The_seed_of_the_run_reaches_every_attack_that_draws(string name, string key)
    {
        var seed = new Dictionary<string, string>(StringComparer.Ordinal) { ["seed"] = "5" };
        Assert.Equal(5L, AttackCatalog.Create(name, seed).Options[key]);
        Assert.Equal(7L, AttackCatalog.Create($"{name}[{key}=7]", seed).Options[key]);
    }

    [Fact]
    public void The_seed_of_the_run_reaches_an_effort_and_a_single_walk_has_none()
    {
        var seed = new Dictionary<string, string>(StringComparer.Ordinal) { ["seed"] = "5" };
        Assert.Equal(5L, AttackCatalog.Create("tr[effort=low]", seed).Options["seed"]);
        Assert.False(AttackCatalog.Create("tr", seed).Options.ContainsKey("seed"));
    }

    [Fact]
    public void A_class_a_file_of_classes_and_a_confidence_are_the_criterion()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "targets.csv");
        File.WriteAllText(file, "image,class\n0,dog\n2,1\n");
        string[] names = ["cat", "dog", "bird"];
        var bird = AttackCatalog.Create("tr[confidence=0.9]", new Dictionary<string, string>(StringComparer.Ordinal) { ["target"] = "Bird" }, names);
        Assert.Equal(("target-class", "2", 0.9), (bird.Criterion.Name, bird.Target, bird.Options["confidence"]));
        var perImage = AttackCatalog.Create("tr", new Dictionary<string, string>(StringComparer.Ordinal) { ["target"] = file }, names);
        Assert.Equal(("target-class", "per-image"), (perImage.Criterion.Name, perImage.Target));
        using var scope = TorchSharp.torch.NewDisposeScope();
        Assert.Equal([1, 1, -1], perImage.Criterion.Targets(TorchSharp.torch.tensor(new long[] { 0, 2, 1 }))!.data<long>().ToArray());
        Assert.Equal("misclassified", AttackCatalog.Create("tr[target=best]").Criterion.Name);
        // The content of the file is part of the settings, so that a run is not continued with other classes.
        File.WriteAllText(file, "0,1\n2,2\n");
        Assert.NotEqual(perImage.Options["target-sha256"], AttackCatalog.Create("tr", new Dictionary<string, string>(StringComparer.Ordinal) { ["target"] = file }, names).Options["target-sha256"]);
    }

    [Theory]
    [InlineData("0,cat\n0,dog\n", "image 0 several")]
    [InlineData("0\n", "needs the index of an image")]
    [InlineData("0,cow\n", "'cow'")]
    [InlineData("a,b\nc,cat\n", "has 'c'")]
    [InlineData("image,class\n", "no such row")]
    [InlineData("", "is empty")]
    [InlineData(null, "targets.csv")]
    public void A_file_of_classes_that_cannot_be_used_is_refused(string? content, string reason)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "targets.csv");
        if (content is not null)
        {
            File.WriteAllText(file, content);
        }

        var message = Assert.Throws<BadInputException>(() => AttackCatalog.Create("tr", new Dictionary<string, string>(StringComparer.Ordinal) { ["target"] = file }, ["cat", "dog"])).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_second_order_attack_has_the_first_order_options_and_those_of_curvature()
    {
        var (first, second) = (AttackCatalog.Create("tr[target=best,refine=0]").Options, AttackCatalog.Create("tr2").Options);
        Assert.Equal("tr2", AttackCatalog.Create("tr2").Attack.Name);
        // Only the radii are larger; all other options are equal.
        string[] longer = ["radius-start", "radius-smallest", "radius-largest"];
        Assert.All(first, option => Assert.True(longer.Contains(option.Key, StringComparer.Ordinal) ? (double)second[option.Key] > (double)option.Value : option.Value.Equals(second[option.Key]), option.Key));
        Assert.Equal(
            ["curvature-difference-step", "curvature-max-products", "curvature-products", "curvature-seed", "curvature-tolerance"],
            second.Keys.Except(first.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        var options = AttackCatalog.Create("tr2[curvature-max-products=5,curvature-products=finite-differences,curvature-seed=12345678901,radius=1,whole-radius=true]").Options;
        Assert.Equal(5, options["curvature-max-products"]);
        Assert.Equal("finite-differences", options["curvature-products"]);
        Assert.Equal(12345678901, options["curvature-seed"]);
        Assert.Equal(1.0, options["radius-start"]);
        Assert.Equal(true, options["whole-radius"]);
    }

    [Theory]
    [InlineData("tr[curvature-max-products=5]", "tr has no option")]
    [InlineData("tr2[preset=authors]", "preset authors")]
    [InlineData("tr2[norm=linf]", "l2 only")]
    [InlineData("tr2[curvature-products=guessed]", "exact or finite-differences")]
    public void Options_that_the_second_order_attack_lacks_are_refused(string specification, string reason) =>
        Assert.Contains(reason, Assert.Throws<BadInputException>(() => AttackCatalog.Create(specification)).Message, StringComparison.Ordinal);
}
