namespace Brink.Cli.Reproduce;

/// <summary>A cell of the paper: relative perturbation in per cent, with the digits as printed.</summary>
/// <param name="Average">Over all images, misclassified ones counted as zero.</param>
/// <param name="Worst">Of the image that needed the most.</param>
internal sealed record PaperFigures(decimal Average, decimal Worst);
