using System.Diagnostics.CodeAnalysis;

namespace Countersign.Cli.Saved;

/// <summary>A file that a command writes: there once it is complete, never in the place of another, and readable by its owner only.</summary>
internal static class NewFile
{
    public static bool IsFree(string file, [NotNullWhen(false)] out Failure? failure)
    {
        failure = File.Exists(file) ? new(ExitCode.Usage, $"{file} is there already.", "Give another name, or remove it first.") : null;
        return failure is null;
    }

    public static async Task<Answer<T>> WriteAsync<T>(string file, Func<Stream, Task<Answer<T>>> write)
        where T : notnull
    {
        var draft = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Answer<T> answer;
            await using (var stream = new FileStream(draft, options)) answer = await write(stream);
            if (answer.TryGet(out _, out _)) File.Move(draft, file, overwrite: false);
            return answer;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Failure(ExitCode.Usage, $"{file} can't be written: {exception.Message}");
        }
        finally
        {
            if (File.Exists(draft)) File.Delete(draft);
        }
    }
}
