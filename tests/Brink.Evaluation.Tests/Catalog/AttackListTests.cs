using Brink.Evaluation.Catalog;

namespace Brink.Evaluation.Tests.Catalog;

public sealed class AttackListTests
{
    [Theory]
    [InlineData("tr", "tr")]
    [InlineData("tr,deepfool", "tr", "deepfool")]
    [InlineData(" tr , deepfool ", "tr", "deepfool")]
    [InlineData("tr[radius=0.05],cw[max-iterations=1000]", "tr[radius=0.05]", "cw[max-iterations=1000]")]
    [InlineData("tr[radius=0.05,max-iterations=7] ,deepfool[overshoot=0.1,max-iterations=3]", "tr[radius=0.05,max-iterations=7]", "deepfool[overshoot=0.1,max-iterations=3]")]
    [InlineData("tr[],tr[,]", "tr[]", "tr[,]")]
    public void Commas_in_brackets_do_not_separate_attacks(string list, params string[] attacks) => Assert.Equal(attacks, AttackList.Split(list));

    [Theory]
    [InlineData("tr[radius=0.05")]
    [InlineData("tr]radius=0.05[")]
    [InlineData("tr,deepfool]")]
    [InlineData("tr[[radius=0.05]]")]
    [InlineData("tr[radius=0.05]]")]
    [InlineData("tr[radius=0.05]deepfool")]
    [InlineData("tr[radius=0.05][overshoot=0.1]")]
    [InlineData("[")]
    public void Unbalanced_brackets_are_refused(string list) =>
        Assert.Contains($"the brackets of '{list}' are not balanced", Assert.Throws<BadInputException>(() => AttackList.Split(list)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(",")]
    [InlineData("tr,")]
    [InlineData(",tr")]
    [InlineData("tr,,deepfool")]
    public void A_missing_attack_is_refused(string list) =>
        Assert.Contains($"but '{list}' was given", Assert.Throws<BadInputException>(() => AttackList.Split(list)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_attack_of_a_list_has_its_own_folder()
    {
        var attacks = AttackList.Create("tr,deepfool,tr[radius=0.05],tr[radius=0.1]");
        Assert.Equal(["tr", "deepfool", "tr-2", "tr-3"], attacks.Select(attack => attack.Folder), StringComparer.Ordinal);
        Assert.Equal(0.1, attacks[3].Configured.Options["radius-start"]);
    }

    [Fact]
    public void Settings_apply_to_all_attacks_unless_given_in_brackets()
    {
        var attacks = AttackList.Create("tr[max-iterations=3],deepfool", new Dictionary<string, string>(StringComparer.Ordinal) { ["norm"] = "linf", ["max-iterations"] = "7" });
        Assert.Equal([3, 7], attacks.Select(attack => attack.Configured.Options["max-iterations"]));
        Assert.All(attacks, attack => Assert.Equal("linf", attack.Configured.Attack.Norm.Name));
    }

    [Fact]
    public void A_folder_has_the_name_of_its_attack() =>
        Assert.Equal(["ifgsm", "fgsm", "ifgsm-2"], AttackList.Create("ifgsm[max-iterations=1],fgsm,ifgsm").Select(attack => attack.Folder), StringComparer.Ordinal);

    [Theory]
    [InlineData("tr,deepfool,tr", "tr is listed twice")]
    [InlineData("tr,deepfool[norm=linf]", "tr has l2 and deepfool[norm=linf] has linf")]
    [InlineData("tr,deepfool[target=3]", "tr has any wrong class and deepfool[target=3] has the class 3")]
    [InlineData("tr[target=2],deepfool[target=3]", "tr[target=2] has the class 2 and deepfool[target=3] has the class 3")]
    [InlineData("tr,magic", "no attack named 'magic'")]
    [InlineData("tr,deepfool[preset=authors]", "deepfool has no option 'preset'")]
    public void Attacks_that_cannot_be_compared_are_refused(string list, string fragment) =>
        Assert.Contains(fragment, Assert.Throws<BadInputException>(() => AttackList.Create(list)).Message, StringComparison.Ordinal);

    [Fact]
    public void Budgeted_and_minimal_attacks_may_be_listed_together() =>
        Assert.Equal(["pgd", "tr"], AttackList.Create("pgd[norm=l2,epsilon=0.1],tr").Select(attack => attack.Folder), StringComparer.Ordinal);

    [Fact]
    public void The_best_and_the_hardest_target_are_comparable() =>
        Assert.Equal(["best", "hardest"], AttackList.Create("tr[target=best],deepfool[target=hardest]").Select(attack => attack.Configured.Target), StringComparer.Ordinal);
}
