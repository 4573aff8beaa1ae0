using System.Text;

namespace Countersign.Cli.Saved;

/// <summary>Whether a file was as it had to be.</summary>
internal enum Written
{
    Anew,
    AsItWas,
}

/// <summary>A file that belongs to this tool and is written whole, for its owner only. Whoever reads it meanwhile sees the old one or the new one.</summary>
internal static class OwnFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Its folder is made, for the owner only, if it is not there. What is as it has to be is left alone.</summary>
    public static async Task<Answer<Written>> WriteAsync(string file, string text, CancellationToken cancellation)
    {
        var draft = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            if (await IsAsync(file, text, cancellation)) return Written.AsItWas;
            var folder = Path.GetDirectoryName(file)!;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            await using (var stream = new FileStream(draft, options)) await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);
            File.Move(draft, file, overwrite: true);
            return Written.Anew;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Failure(ExitCode.Refused, $"{file} can't be written: {exception.Message}");
        }
        finally
        {
            if (File.Exists(draft)) File.Delete(draft);
        }
    }

    /// <summary>One that others may write is not as it has to be, whatever it holds.</summary>
    private static async Task<bool> IsAsync(string file, string text, CancellationToken cancellation)
    {
        if (!File.Exists(file) || new FileInfo(file).Length != Encoding.UTF8.GetByteCount(text)) return false;
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(file) != OwnerOnly) return false;
        return await File.ReadAllTextAsync(file, cancellation) == text;
    }
}
