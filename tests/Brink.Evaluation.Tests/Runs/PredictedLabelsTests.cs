using Brink.Data;
using Brink.Evaluation.Runs;
using Brink.Models;

namespace Brink.Evaluation.Tests.Runs;

public sealed class PredictedLabelsTests
{
    [Fact]
    public void A_cancellation_stops_them()
    {
        using var network = ModelCatalog.Load("signs", null);
        var images = DataCatalog.Open("signs", limit: 6);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => PredictedLabels.Of(new(network, InputSpace.Pixel), images, batchSize: 2, cancellationToken: cancelled.Token));
    }
}
