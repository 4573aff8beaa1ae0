using System.Text.Json;

namespace Countersign.Cli.Saved;

/// <summary>
/// The file with the tokens: <c>$XDG_CONFIG_HOME/countersign/config.json</c>, else under <c>~/.config</c>. Only its owner may read it; one that
/// others can read is not used, because the token in it may be in others' hands.
/// </summary>
internal sealed class LoginStore
{
    private const int LargestFile = 256 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode Others = (UnixFileMode)0b111_111;

    private readonly string _folder;

    private LoginStore(string folder) => _folder = folder;

    public string FilePath => Path.Combine(_folder, "config.json");

    /// <summary>Of another file that this tool keeps.</summary>
    public string PathOf(string name) => Path.Combine(_folder, name);

    public static LoginStore For(Func<string, string?> variable)
    {
        // The XDG base directory specification: a path that is not absolute is to be ignored.
        var home = variable("XDG_CONFIG_HOME") is { } configured && Path.IsPathFullyQualified(configured)
            ? configured
            : Path.Combine(variable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        return new(Path.Combine(home, "countersign"));
    }

    /// <summary>Nothing saved yet is an empty answer; a file that can't be trusted or understood is a failure.</summary>
    public async Task<Answer<SavedLogins>> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
                return Unusable("can be read or written by others", $"Take that away (chmod 600 {FilePath}) and sign in again: the token may be known.");
            if (file.Length > LargestFile) return Unusable("is far too large", Again);
            return await JsonSerializer.DeserializeAsync(file, SavedJson.Default.SavedLogins, cancellation) is { } saved ? saved : Unusable("is empty", Again);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SavedLogins();
        }
        catch (JsonException)
        {
            return Unusable("is damaged", Again);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Unusable("can't be read", exception.Message);
        }
    }

    /// <summary>Replaces the file as a whole: whoever reads it meanwhile sees the old one or the new one.</summary>
    public async Task<Failure?> WriteAsync(SavedLogins saved, CancellationToken cancellation)
    {
        var temporary = Path.Combine(_folder, $".config.{Guid.NewGuid():N}.tmp");
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_folder);
            else Directory.CreateDirectory(_folder, OwnerOnlyFolder);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            await using (var file = new FileStream(temporary, options))
            {
                await JsonSerializer.SerializeAsync(file, saved, SavedJson.Default.SavedLogins, cancellation);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, FilePath, overwrite: true);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Failure(ExitCode.Refused, $"{FilePath} can't be written: {exception.Message}", "Without it no login is remembered.");
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    private static string Again => "Sign in again, which replaces it: countersign login --server https://HOST";

    private Failure Unusable(string why, string advice) => new(ExitCode.NotSignedIn, $"{FilePath} {why}.", advice);
}
