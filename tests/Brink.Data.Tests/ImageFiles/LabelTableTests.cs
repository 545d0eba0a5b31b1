namespace Brink.Data.Tests.ImageFiles;

public sealed class LabelTableTests : IDisposable
{
    private static readonly (string, byte[])[] Files = [("1.png", Pictures.Grey(1)), ("2.png", Pictures.Grey(2)), ("sub/3.png", Pictures.Grey(3)), ("4,5.png", Pictures.Grey(4))];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1.png,2\n2.png,0\nsub/3.png,11\n\"4,5.png\",1\n")]
    [InlineData("file,label\r\n1.png,2\r\n2.png,0\r\nsub/3.png,11\r\n\"4,5.png\",1\r\n\r\n")]
    [InlineData("\uFEFFfilename,label\n./1.png,2\n2.png,00\nsub\\3.png,11\n\"4,5.png\",1")]
    [InlineData("label,file\n2,1.png\n0,2.png\n11,3.png\n1,\"4,5.png\"\n")]
    [InlineData("2;/data/set/1.png\n0;/data/set/2.png\n11;/data/set/3.png\n1;/data/set/4,5.png\n")]
    [InlineData("id\tsplit\tclass\n1\ttest\t2\n2\ttest\t0\n3\ttest\t11\n\"4,5\"\ttest\t1\n")]
    public void Numbers_are_the_labels(string table)
    {
        var set = Read(table);
        // In the ordinal order of the paths: "1.png", "2.png", "4,5.png", "sub/3.png".
        Assert.Equal([2L, 0, 1, 11], Labels(set));
        Assert.Equal(12, set.ClassNames.Count);
        Assert.Empty(set.Warnings);
    }

    [Fact]
    public void Names_are_classes_in_the_order_of_characters()
    {
        var set = Read("file,label\n1.png,dog\n2.png,cat\n3.png,\"a, b\"\n\"4,5.png\",dog\n");
        Assert.Equal(["a, b", "cat", "dog"], set.ClassNames);
        Assert.Equal([2L, 1, 2, 0], Labels(set));
    }

    [Fact]
    public void A_list_of_classes_with_Windows_line_ends_numbers_the_names()
    {
        File.WriteAllText(_folder["classes.txt"], "dog\r\nbird\r\ncat\r\n\r\n");
        var set = Read("1.png,dog\n2.png,cat\n", new() { ClassFile = _folder["classes.txt"] });
        Assert.Equal(["dog", "bird", "cat"], set.ClassNames);
        Assert.Equal([0L, 2], Labels(set));
        Assert.Equal(["dog", "bird", "cat"], Read("1.png,2\n2.png,1\n", new() { ClassFile = _folder["classes.txt"] }).ClassNames);
        Assert.Contains("'horse'", Refusal("1.png,horse\n", new() { ClassFile = _folder["classes.txt"] }), StringComparison.Ordinal);
        Assert.Contains("'9'", Refusal("1.png,9\n", new() { ClassFile = _folder["classes.txt"] }), StringComparison.Ordinal);
        File.WriteAllText(_folder["twice.txt"], "dog\ndog\n");
        Assert.Contains("'dog' twice", Refusal("1.png,dog\n", new() { ClassFile = _folder["twice.txt"] }), StringComparison.Ordinal);
        Assert.Contains("cannot be opened", Refusal("1.png,dog\n", new() { ClassFile = _folder["absent.txt"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_classes_in_the_encoding_of_its_byte_order_mark_is_read()
    {
        foreach (var encoding in new[] { System.Text.Encoding.UTF8, System.Text.Encoding.Unicode, System.Text.Encoding.BigEndianUnicode })
        {
            File.WriteAllText(_folder["classes.txt"], "Hündin\r\ncat\r\n", encoding);
            Assert.Equal(["Hündin", "cat"], Read("1.png,0\n2.png,1\n", new() { ClassFile = _folder["classes.txt"] }).ClassNames);
        }
    }

    [Fact]
    public void Images_without_a_row_and_rows_without_an_image_are_counted()
    {
        var set = Read("1.png,0\nabsent.png,1\n");
        Assert.Equal([0L], Labels(set));
        Assert.Contains(set.Warnings, warning => warning.EndsWith("left out: 3.", StringComparison.Ordinal));
        Assert.Contains(set.Warnings, warning => warning.EndsWith("1 (absent.png).", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("1.png\n2.png\n", "row 1 has 1")]
    [InlineData("1.png,0\n2.png,1,2\n", "row 2 has 3")]
    [InlineData("other.png,0\n", "none of its 1 rows")]
    [InlineData("other.png,1\n", "none of its 1 rows")]
    [InlineData("1.png,0\n1.png,1\n", "'0' and '1'")]
    [InlineData("1.png,0\n2.png,\n", "row 2 has none")]
    [InlineData("1.png,-1\n2.png,0\n", "'-1'")]
    [InlineData("1.png,1.0\n2.png,10.0\n", "'1.0'")]
    [InlineData("1.png,5000000\n", "'5000000'")]
    public void A_table_that_cannot_be_used_is_refused(string table, string reason) => Assert.Contains(reason, Refusal(table), StringComparison.Ordinal);

    [Theory]
    [InlineData("1,\"4,5.png\"\n2,1.png\n1,2.png\n2,3.png\n")]
    [InlineData("label,file\n1,\"4,5\"\n2,1\n1,2\n2,3\n")]
    public void A_class_number_that_is_the_name_of_an_image_is_a_label(string table) => Assert.Equal([2L, 1, 1, 2], Labels(Read(table)));

    [Fact]
    public void Files_in_another_encoding_are_refused()
    {
        File.WriteAllBytes(_folder["classes.txt"], [(byte)'a', (byte)'\n', 0xe4]);
        Assert.Contains("line 2", Refusal("1.png,a\n", new() { ClassFile = _folder["classes.txt"] }), StringComparison.Ordinal);
        File.WriteAllBytes(_folder["latin.csv"], [.. "1.png,0\n2.png,"u8, 0xe4]);
        var message = Assert.Throws<BadInputException>(() => LabelTable.Read(_folder["latin.csv"])).Message;
        Assert.Contains("row 2", message, StringComparison.Ordinal);
        Assert.EndsWith("save it as UTF-8.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_absent_or_binary_file_is_refused()
    {
        var absent = new ImageOptions { LabelFile = _folder["absent.csv"] };
        Assert.Contains("there is no such file", Assert.Throws<BadInputException>(() => absent.Check("images:here", hasFiles: true)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["binary.csv"], Pictures.Grey(1));
        Assert.Throws<BadInputException>(() => LabelTable.Read(_folder["binary.csv"]));
    }

    [Fact]
    public void Two_files_of_one_name_need_their_folder()
    {
        (string, byte[])[] files = [("a/1.png", Pictures.Grey(1)), ("b/1.png", Pictures.Grey(2))];
        Assert.Contains("none of its", Refusal("1.png,0\n", files: files), StringComparison.Ordinal);
        Assert.Equal([1L, 0], Labels(Read("a/1.png,1\nb/1.png,0\n", files: files)));
    }

    [Fact]
    public void Endless_and_huge_tables_and_lists_are_refused()
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Contains("more than 128 MB", Assert.Throws<BadInputException>(() => LabelTable.Read("/dev/zero")).Message, StringComparison.Ordinal);
            Assert.Contains("more than 16 MB", Refusal("1.png,dog\n", new() { ClassFile = "/dev/zero" }), StringComparison.Ordinal);
        }

        Assert.Contains("8000000 cells", Refusal(string.Concat(Enumerable.Repeat(new string(',', 1000) + "\n", 8000))), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_of_ImageNet_are_synsets_or_their_numbers()
    {
        foreach (var table in new[] { "1.png,n01443537\n2.png,n15075141\n", "1.png,1\n2.png,999\n" })
        {
            var set = ImageNetFolder.Read(Pictures.Folder(_folder["images"], Files), 0, null, new() { LabelFile = Table(table), Crop = 4 }, CancellationToken.None);
            Assert.Equal([1L, 999], Labels(set));
            Assert.Equal(1000, set.ClassNames.Count);
        }
    }

    [Fact]
    public void Images_without_labels_are_read_if_none_are_needed()
    {
        var set = ImageFolder.Read(Pictures.Folder(_folder["images"], [.. Files.Where(file => !file.Item1.Contains('/', StringComparison.Ordinal))]), 0, null, new() { NeedsLabels = false }, CancellationToken.None);
        Assert.Equal(3, set.Count);
        Assert.Equal(["class 0"], set.ClassNames);
    }

    private static long[] Labels(ImageSet set) => [.. Enumerable.Range(0, set.Count).Select(set.Label)];

    private string Refusal(string table, ImageOptions? options = null, (string, byte[])[]? files = null)
    {
        var message = Assert.Throws<BadInputException>(() => Read(table, options, files)).Message;
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        return message;
    }

    private ImageSet Read(string table, ImageOptions? options = null, (string, byte[])[]? files = null) =>
        DataCatalog.Open($"images:{Pictures.Folder(_folder[Guid.NewGuid().ToString()], files ?? Files)}", 0, null, (options ?? new()) with { LabelFile = Table(table) }, CancellationToken.None);

    private string Table(string text)
    {
        File.WriteAllText(_folder["labels.csv"], text);
        return _folder["labels.csv"];
    }
}
