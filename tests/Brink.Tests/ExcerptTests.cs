namespace Brink.Tests;

public sealed class ExcerptTests
{
    [Theory]
    [InlineData("fc.weight", "fc.weight")]
    [InlineData("straße 東京 😀", "straße 東京 😀")]
    [InlineData("a\u001b[2Jb\r\nc\t", "a?[2Jb??c?")]
    [InlineData("\u0085\u2028\u2029\u202E\uFEFF", "?????")]
    [InlineData("", "")]
    public void Text_becomes_one_line_without_invisible_characters(string text, string expected) => Assert.Equal(expected, Excerpt.Plain(text));

    [Fact]
    public void Halves_of_surrogate_pairs_are_replaced() => Assert.Equal("?x?", Excerpt.Plain("\udc00x\ud800"));

    [Fact]
    public void Long_text_is_cut_between_characters()
    {
        Assert.Equal(new string('a', 80), Excerpt.Plain(new string('a', 80)));
        Assert.Equal($"'{new string('a', 80)}…'", Excerpt.Quote(new string('a', 81)));
        Assert.Equal("ab…", Excerpt.Cut("ab😀c", 3));
        Assert.Equal("ab😀…", Excerpt.Cut("ab😀c", 4));
    }

    [Fact]
    public void The_reason_of_an_exception_is_a_clause() =>
        Assert.Equal("It failed. At line 1", Excerpt.Reason(new InvalidOperationException("It failed.\r\nAt line 1.\n")));

    [Fact]
    public void A_list_has_four_names_and_the_number_of_the_others()
    {
        Assert.Equal("'a', 'b'", Excerpt.List(["a", "b"]));
        Assert.Equal("'a', 'b', 'c', 'd' and 2 more", Excerpt.List(["a", "b", "c", "d", "e", "f"]));
    }
}
