namespace Brink.Evaluation.Results;

/// <summary>An upper bound of the accuracy under every perturbation up to a length: a better attack can only lower it.</summary>
/// <param name="Epsilon">The length, in the attack's norm and space.</param>
/// <param name="Accuracy">The share of all attempted images still right after every perturbation found up to that length.</param>
public sealed record RobustAccuracy(double Epsilon, double Accuracy);
