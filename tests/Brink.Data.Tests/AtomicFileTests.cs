namespace Brink.Data.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder["results.json"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_the_final_file_exists_after_writing()
    {
        AtomicFile.Write(Target, stream => stream.Write([1, 2, 3]));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Target));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_full_disk_leaves_no_files()
    {
        var exception = Assert.Throws<BadInputException>(() => AtomicFile.Write(Target, WriteUntilFull));
        Assert.Equal($"The file {Target} could not be written (No space left on device); free space or choose another folder.", exception.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_full_disk_leaves_an_existing_file_unchanged()
    {
        File.WriteAllBytes(Target, [9]);
        Assert.Throws<BadInputException>(() => AtomicFile.Write(Target, WriteUntilFull));
        Assert.Equal([9], File.ReadAllBytes(Target));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_group_of_files_is_written_completely_or_not_at_all()
    {
        File.WriteAllBytes(Target, [9]);
        Assert.Throws<BadInputException>(() => AtomicFile.WriteAll(
        [
            KeyValuePair.Create(Target, (Action<Stream>)(stream => stream.Write([1]))),
            KeyValuePair.Create(Target + ".other", (Action<Stream>)WriteUntilFull),
        ]));
        Assert.Equal([9], File.ReadAllBytes(Target));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void An_exception_of_the_writer_is_rethrown_and_no_files_are_left()
    {
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(Target, _ => throw new InvalidOperationException("not about files")));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_folder_with_the_final_name_is_not_changed()
    {
        Directory.CreateDirectory(Target);
        Assert.Throws<BadInputException>(() => AtomicFile.Write(Target, stream => stream.Write([1])));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    public void The_file_to_which_a_link_leads_is_replaced_and_a_pipe_is_not()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("links need a permission, and there are no pipes in folders");
        }

        var (file, pipe) = (_folder["elsewhere/file"], _folder["elsewhere/pipe"]);
        Directory.CreateDirectory(_folder["elsewhere"]);
        System.Diagnostics.Process.Start("mkfifo", [pipe]).WaitForExit();
        File.CreateSymbolicLink(Target, file);
        File.CreateSymbolicLink(_folder["to-pipe"], pipe);
        foreach (var content in new byte[][] { [1], [], [2, 3] })
        {
            AtomicFile.Write(Target, stream => stream.Write(content));
            Assert.Equal(file, new FileInfo(Target).LinkTarget);
            Assert.Equal(content, File.ReadAllBytes(file));
        }

        Assert.All([pipe, _folder["to-pipe"]], path => Assert.Contains("is a pipe", Assert.Throws<BadInputException>(() => AtomicFile.Write(path, stream => stream.Write([1]))).Message, StringComparison.Ordinal));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder["elsewhere"]).Length);
        Assert.Equal(0, new FileInfo(pipe).Length);
        Assert.Equal(pipe, new FileInfo(_folder["to-pipe"]).LinkTarget);
    }

    private static void WriteUntilFull(Stream stream)
    {
        stream.Write(new byte[10_000]);
        throw new IOException("No space left on device");
    }
}
