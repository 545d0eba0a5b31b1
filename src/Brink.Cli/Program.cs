using Brink.Models.Architectures;
using TorchSharp;

var net = new CifarResNet();
foreach (var (k, v) in net.state_dict())
{
    Console.WriteLine($"{k} {string.Join(',', v.shape)}");
}

Console.WriteLine(net.forward(torch.randn(2, 3, 32, 32)).ToString(TensorStringStyle.Numpy));
