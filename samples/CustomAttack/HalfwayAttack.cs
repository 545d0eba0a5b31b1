using Brink;
using Brink.Attacks;
using static TorchSharp.torch;

namespace CustomAttack;

/// <summary>Goes half of the linearised distance to the decision boundary in each step, and a little beyond it at the end.</summary>
internal sealed class HalfwayAttack(int maxSteps) : Attack, IMinimalAttack
{
    public override string Name => "halfway";

    public override Norm Norm => Norm.L2;

    protected override void Perturb(AttackedBatch batch)
    {
        var points = batch.Images;
        for (var step = 0; batch.Count > 0; step++)
        {
            using var scope = NewDisposeScope();
            // The margin of the criterion, its gradient and the distance to its zero; at the images from the pass that classified them.
            var model = step == 0 ? batch.Start(Norm) : batch.Linearize(Norm);

            // Ends the images that are fooled, have no gradient or have used up their steps; the others stay.
            var kept = batch.Keep(model, step, maxSteps);
            if (batch.Count > 0)
            {
                model = model.Select(kept);
                using var previous = points;
                points = batch.Classifier.Bounds.Clamp(points.index_select(0, kept) + model.Steps((model.Distances() * 0.5) + 0.002)).MoveToOuterDisposeScope();
                batch.Forward(points);
            }
        }
    }
}
