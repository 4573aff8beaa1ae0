using Countersign.Access;
using Countersign.Ssh;

namespace Countersign.Sessions.Recording;

/// <summary>The recordings on disk: a folder for each organization, a file for each session, for the server's own user alone.</summary>
/// <param name="directory">Made when the first recording is.</param>
/// <param name="wrapping">Wraps each recording's own key. Disposed with the store.</param>
/// <param name="time">Of the timings and of the disk's deadlines.</param>
public sealed class RecordingStore(string directory, Secret wrapping, TimeProvider time) : IDisposable
{
    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What a new file is written through: tests put a disk there that fails.</summary>
    internal Func<Stream, Stream> Disk { get; set; } = file => file;

    /// <exception cref="IOException">The disk takes nothing, or there is a recording of this session already.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public RecordingWriter Begin(OrganizationId organization, SessionId session, RecordingStart start)
    {
        var path = PathOf(organization, session);
        MakeFolder(directory);
        MakeFolder(Path.GetDirectoryName(path)!);

        // Sharing is allowed because watchers read along; nobody else writes: the name is made here, once.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnersFile;
        return RecordingWriter.Begin(Disk(new FileStream(path, options)), session, start, wrapping, time);
    }

    /// <summary>Null: there is no recording of the session.</summary>
    public StoredRecording? Open(OrganizationId organization, SessionId session)
    {
        try
        {
            return new(new(PathOf(organization, session), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), session, wrapping);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether there is a file.</summary>
    public bool Has(OrganizationId organization, SessionId session) => File.Exists(PathOf(organization, session));

    /// <summary>Removes the file, if there is one. Who reads it already goes on.</summary>
    /// <exception cref="IOException">The disk does not let go of it.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public void Delete(OrganizationId organization, SessionId session)
    {
        try
        {
            File.Delete(PathOf(organization, session));
        }
        catch (DirectoryNotFoundException)
        {
            // Neither file nor folder.
        }
    }

    /// <summary>The sessions of which there is a file, in no order.</summary>
    public IEnumerable<SessionId> All(OrganizationId organization)
    {
        var folder = Path.Combine(directory, organization.Value.ToString("D"));
        if (!Directory.Exists(folder)) yield break;
        foreach (var path in Directory.EnumerateFiles(folder, "*.csr"))
        {
            if (Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "D", out var session)) yield return new(session);
        }
    }

    /// <summary>What there is of a recording whose writer is gone; null: nothing. What can't be read is not complete, and says why.</summary>
    public async Task<RecordingResult?> InspectAsync(OrganizationId organization, SessionId session, CancellationToken cancellation)
    {
        StoredRecording? stored = null;
        var failure = "the gateway stopped while it was written";
        try
        {
            stored = Open(organization, session);
            if (stored is null) return null;
            while ((await stored.Reader.ReadAsync(cancellation)).Count > 0)
            {
            }
        }
        catch (Exception unreadable) when (unreadable is RecordingDamagedException or IOException or UnauthorizedAccessException)
        {
            failure = unreadable.Message;
        }
        finally
        {
            stored?.Dispose();
        }

        if (stored is null) return new(false, 0, default, TimeSpan.Zero, failure);
        var complete = stored.Reader.Complete;
        return new(complete, stored.Reader.Size, stored.Reader.Hash, stored.Reader.Length, complete ? null : failure);
    }

    public void Dispose() => wrapping.Dispose();

    private string PathOf(OrganizationId organization, SessionId session) => Path.Combine(directory, organization.Value.ToString("D"), $"{session.Value:D}.csr");

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnersFolder);
    }
}

/// <summary>A recording opened for reading; owned by whoever opened it.</summary>
public sealed class StoredRecording : IDisposable
{
    private readonly FileStream _file;

    internal StoredRecording(FileStream file, SessionId session, Secret wrapping)
    {
        _file = file;
        Reader = new(file, session, wrapping);
    }

    public RecordingReader Reader { get; }

    public void Dispose()
    {
        Reader.Dispose();
        _file.Dispose();
    }
}
