namespace Brink.Evaluation.Transfer;

/// <summary>How far the images of one run fool another network.</summary>
/// <param name="FooledAtSource">Images that fooled the network they were made for.</param>
/// <param name="RightBefore">Of these, the images that the other network gets right before the attack: the ones that count.</param>
/// <param name="Fooled">Of those in turn, the images that it gets wrong after the attack.</param>
public sealed record TransferCount(int FooledAtSource, int RightBefore, int Fooled)
{
    /// <summary><see cref="Fooled"/> / <see cref="RightBefore"/>; null where no image counts.</summary>
    public double? Share => RightBefore == 0 ? null : (double)Fooled / RightBefore;
}
