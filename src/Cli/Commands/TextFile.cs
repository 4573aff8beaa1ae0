using System.Text;

namespace Countersign.Cli.Commands;

/// <summary>A small file that a command reads whole.</summary>
internal static class TextFile
{
    /// <param name="file">A dash is the standard input.</param>
    /// <param name="most">In characters. A larger one is refused.</param>
    public static async Task<Answer<string>> ReadAsync(Surroundings around, string file, int most, CancellationToken cancellation)
    {
        var buffer = new char[most + 1];
        try
        {
            using var opened = file == "-" ? null : new StreamReader(file, Encoding.UTF8);
            var length = await (opened ?? around.Input).ReadBlockAsync(buffer, cancellation);
            return length <= most ? new string(buffer, 0, length) : new Failure(ExitCode.Usage, $"{file} is too large for a key.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Failure(ExitCode.Usage, $"{file} can't be read: {exception.Message}");
        }
        finally
        {
            buffer.AsSpan().Clear();
        }
    }
}
