namespace Brink.Evaluation.Results;

/// <summary>What is left of adversarial images when they are saved with 8 bits an entry, as files of pictures are.</summary>
/// <param name="Images">The images that were fooled.</param>
/// <param name="StillFooled">Those of them that fool the network after rounding, too.</param>
public sealed record RoundedImages(int Images, int StillFooled);
