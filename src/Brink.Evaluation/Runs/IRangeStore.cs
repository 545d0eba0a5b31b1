using Brink.Evaluation.Results;

namespace Brink.Evaluation.Runs;

/// <summary>Where a run keeps its ranges as they finish, so that it can be continued after whatever ended it.</summary>
public interface IRangeStore
{
    /// <summary>A range as it was kept.</summary>
    /// <param name="start">The range's first image, counted from the start of the run.</param>
    /// <param name="count">Its images.</param>
    /// <returns>The range, which the caller owns; null where none was kept, or what was kept is damaged.</returns>
    EvaluatedRange? Find(int start, int count);

    /// <summary>Keeps a finished range.</summary>
    /// <param name="start">The range's first image, counted from the start of the run.</param>
    /// <param name="range">The range; stays the caller's.</param>
    /// <exception cref="BadInputException">It cannot be kept.</exception>
    void Keep(int start, EvaluatedRange range);
}
