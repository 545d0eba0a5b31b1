using System.Text.Json;
using Brink.Models;

namespace Brink.Cli.Tests.Models;

public sealed class ModelsTests
{
    [Fact]
    public void The_table_lists_every_network_within_80_columns()
    {
        var lines = Invocation.Of("models").AssertDone().Output.Split(Environment.NewLine);
        Assert.All(ModelCatalog.Models, network => Assert.Single(lines, line => line.StartsWith($"│ {network.Name} ", StringComparison.Ordinal)));
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains(lines, line => line.Contains("vgg16 ", StringComparison.Ordinal) && line.Contains("138,357,544", StringComparison.Ordinal) && line.Contains("3×224×224 → 1000", StringComparison.Ordinal) && line.Contains("vgg16-397923af.pth", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("mean 0.485,0.456,0.406, std 0.229,0.224,0.225: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Json_contains_the_catalogue()
    {
        using var json = JsonDocument.Parse(Invocation.Of("models", "--json").AssertDone().Output);
        Assert.Equal(ModelCatalog.Names.ToArray(), json.RootElement.EnumerateArray().Select(network => network.GetProperty("name").GetString()!).ToArray());
        var resnet = json.RootElement.EnumerateArray().Single(network => network.GetProperty("name").GetString() == "resnet50");
        Assert.Equal([3, 224, 224], resnet.GetProperty("input").EnumerateArray().Select(length => length.GetInt32()));
        Assert.Equal(25_557_032, resnet.GetProperty("parameters").GetInt64());
        Assert.Equal(1000, resnet.GetProperty("classes").GetInt32());
        Assert.Equal([0.229, 0.224, 0.225], resnet.GetProperty("std").EnumerateArray().Select(value => value.GetDouble()));
    }
}
