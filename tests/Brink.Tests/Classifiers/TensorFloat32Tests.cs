using Brink.Tests.Attacks;
using static TorchSharp.torch;

namespace Brink.Tests.Classifiers;

/// <summary>Tests of the settings of libtorch, which exist without a GPU too.</summary>
[Collection(nameof(ExclusiveCollection))]
public sealed class TensorFloat32Tests : IDisposable
{
    private static readonly TensorFloat32.Settings On = new(true, true, true);
    private static readonly TensorFloat32.Settings InSearch = new(true, true, false);
    private static readonly TensorFloat32.Settings Off = new(false, false, false);

    private readonly TensorFloat32.Settings _before = TensorFloat32.Settings.Current;

    public TensorFloat32Tests() => On.Apply();

    public void Dispose() => _before.Apply();

    [Fact]
    public void A_pass_is_without_TF32_and_restores_the_settings()
    {
        using (new TensorFloat32.Use(isExact: true))
        {
            Assert.Equal(Off, TensorFloat32.Settings.Current);
        }

        Assert.Equal(On, TensorFloat32.Settings.Current);
    }

    [Fact]
    public void A_pass_of_a_search_with_TF32_yields_to_an_exact_one_in_any_order()
    {
        var search = new TensorFloat32.Use(isExact: false);
        Assert.Equal(InSearch, TensorFloat32.Settings.Current);
        var exact = new TensorFloat32.Use(isExact: true);
        Assert.Equal(Off, TensorFloat32.Settings.Current);
        search.Dispose();
        Assert.Equal(Off, TensorFloat32.Settings.Current);
        search = new TensorFloat32.Use(isExact: false);
        Assert.Equal(Off, TensorFloat32.Settings.Current);
        exact.Dispose();
        exact.Dispose();
        Assert.Equal(InSearch, TensorFloat32.Settings.Current);
        search.Dispose();
        Assert.Equal(On, TensorFloat32.Settings.Current);
    }

    [Fact]
    public void Nothing_is_set_on_a_device_without_TF32() => Assert.Null(TensorFloat32.Pass(CPU, isSearch: false));
}
