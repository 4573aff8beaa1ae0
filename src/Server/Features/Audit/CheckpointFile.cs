using Countersign.Audit;

namespace Countersign.Server.Features.Audit;

/// <summary>Every checkpoint of every organization, a line each, to be shipped to where the server can't reach it. Only ever grows.</summary>
internal sealed class CheckpointFile(string dataDirectory)
{
    public const string FileName = "checkpoints.jsonl";

    public string Path { get; } = System.IO.Path.Combine(dataDirectory, FileName);

    /// <summary>Durable when it returns. A line that a crash cut off is taken away first, so that no other is joined to it.</summary>
    public void Append(Checkpoint checkpoint)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(Path, options);
        var end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') break;
            end--;
        }

        file.SetLength(end);
        file.Position = end;
        file.Write([.. ExportLines.Write(checkpoint), (byte)'\n']);
        file.Flush(flushToDisk: true);
    }
}
