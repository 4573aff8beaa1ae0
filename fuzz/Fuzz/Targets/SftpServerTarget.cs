using System.IO.Pipelines;
using Countersign.Ssh.Sftp;

namespace Countersign.Fuzz.Targets;

/// <summary>
/// The agent's SFTP server, on a folder of its own. It acts on the machine's files with the process's rights: messages with paths that could lead out of
/// the folder are left out, by the very parser that the server reads them with.
/// </summary>
internal sealed class SftpServerTarget : Target, IDisposable
{
    private const int CasesPerFolder = 2000;
    private string _folder = "";
    private int _cases = CasesPerFolder;

    public override string Name => "sftp-server";

    public override IReadOnlyList<byte[]> Words => Targets.Words.Sftp;

    /// <summary>A read of content or a list of names is larger than what asks for it; so are the pipe's buffers.</summary>
    public override long MostAllocated => 16 * 1024 * 1024;

    public override Step Mend(Step step, Chance chance) => SftpMessages.Mend(step, chance);

    public override async ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        Prepare();
        var input = new MemoryStream();
        foreach (var step in steps)
        {
            if (step.Kind == StepKind.Client && StaysInside(step.Bytes)) input.Write(step.Bytes);
        }

        input.Position = 0;
        var output = new MemoryStream();
        var answers = 0;
        var watch = new SftpStreamWatch((type, _) =>
        {
            answers++;
            Require(type is SftpType.Version or SftpType.Status or SftpType.Handle or SftpType.Data or SftpType.Name or SftpType.Attributes or SftpType.ExtendedReply, $"the server said {type}");
        });
        try
        {
            await SftpServer.RunAsync(PipeReader.Create(input), PipeWriter.Create(output), new SftpServerOptions { StartDirectory = _folder, MaxHandles = 8 }, CancellationToken.None);
        }
        catch (SftpProtocolException)
        {
            // The session ends.
        }

        watch.Take(output.ToArray());
        Require(answers <= steps.Count, "more answers than requests");
    }

    public void Dispose()
    {
        if (_folder.Length == 0) return;

        // Names that are not UTF-8 have no string that would delete them.
        using var removing = System.Diagnostics.Process.Start("rm", ["-rf", "--", _folder]);
        removing.WaitForExit();
        _folder = "";
    }

    private void Prepare()
    {
        if (_cases++ < CasesPerFolder) return;
        Dispose();
        _cases = 0;
        _folder = Directory.CreateTempSubdirectory("fuzz-sftp-").FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "dir"));
        File.WriteAllBytes(Path.Combine(_folder, "a"), new byte[5000]);
        File.WriteAllText(Path.Combine(_folder, "dir", "a"), "hello");
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), "a");
    }

    /// <summary>Of a message whose length is not its own the rest would be another message: out with it.</summary>
    private bool StaysInside(byte[] message)
    {
        if (message.Length < 5 || System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(message) != (uint)(message.Length - 4)) return false;
        _ = SftpRequest.Parse(message.AsSpan(4), out var request);
        return IsInside(request.Path) && IsInside(request.NewPath) && IsInside(request.LinkTarget);
    }

    private bool IsInside(ReadOnlySpan<byte> path)
    {
        var start = System.Text.Encoding.UTF8.GetBytes(_folder + "/");
        return path.IndexOf(".."u8) < 0 && (path.IsEmpty || path[0] != (byte)'/' || path.StartsWith(start));
    }
}
