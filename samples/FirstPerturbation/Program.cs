using Brink;
using Brink.Attacks;
using static TorchSharp.torch;

// Any TorchSharp module from images to logits; this one has random weights.
using var network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10));
var classifier = new ModuleClassifier(network, classCount: 10, Bounds.Pixels);
using var images = rand(4, 3, 32, 32);
using var labels = network.forward(images).argmax(1);

var attack = new TrustRegionAttack(new() { Norm = Norm.L2 });
using var result = attack.Run(classifier, images, labels);
foreach (var outcome in result.Outcomes)
{
    Console.WriteLine($"class {outcome.Label} becomes {outcome.PredictionAfter} at an L2 distance of {outcome.L2:F4} ({outcome.Exit})");
}
