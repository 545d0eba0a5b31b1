using static TorchSharp.torch;

namespace Brink.Training.Tests.GradientDescent;

public sealed class NesterovMomentumTests
{
    [Theory]
    [InlineData(0.9, 0.01)]
    [InlineData(0.5, 0)]
    public void Steps_equal_those_of_TorchSharps_SGD(double momentum, double weightDecay)
    {
        using var scope = NewDisposeScope();
        using var ours = nn.Linear(5, 3, dtype: ScalarType.Float64);
        using var theirs = nn.Linear(5, 3, dtype: ScalarType.Float64);
        theirs.load_state_dict(ours.state_dict());
        using var optimizer = new NesterovMomentum(ours, momentum, weightDecay);
        using var reference = optim.SGD(theirs.parameters(), 0.1, momentum, weight_decay: weightDecay, nesterov: true);
        using var generator = new Generator(1);
        for (var step = 0; step < 5; step++)
        {
            var images = randn([7, 5], ScalarType.Float64, generator: generator);
            ours.forward(images).square().sum().backward();
            optimizer.Step(0.1 / (step + 1));

            reference.ParamGroups.First().LearningRate = 0.1 / (step + 1);
            reference.zero_grad();
            theirs.forward(images).square().sum().backward();
            reference.step();
            Assert.True((ours.weight - theirs.weight!).abs().max().item<double>() < 1e-12);
            Assert.True((ours.bias! - theirs.bias!).abs().max().item<double>() < 1e-12);
        }
    }

    [Fact]
    public void A_step_removes_the_gradients()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(2, 2);
        using var optimizer = new NesterovMomentum(layer, 0.9, 0);
        layer.forward(ones(1, 2)).sum().backward();
        optimizer.Step(0.1);
        Assert.Null(layer.weight.grad);
    }
}
