namespace Countersign.Ssh.Tests;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ssh-tests-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>A file that only its owner may read, as ssh wants its keys.</summary>
    public string Write(string name, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(this[name], new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(content);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
