using Countersign.Access;
using Countersign.Audit;
using Countersign.Ssh;

namespace Countersign.Sessions.Journal;

/// <summary>The journals on disk: a folder for each organization, a file for each session, for the server's own user alone.</summary>
/// <param name="directory">Made when the first journal is.</param>
/// <param name="wrapping">Wraps each journal's own key. Disposed with the store.</param>
/// <param name="clock">Of the events' instants.</param>
/// <param name="machine">Of the disk's deadlines.</param>
public sealed class JournalStore(string directory, Secret wrapping, TimeProvider clock, TimeProvider machine) : IDisposable
{
    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What a new file is written through: tests put a disk there that fails.</summary>
    internal Func<Stream, Stream> Disk { get; set; } = file => file;

    /// <exception cref="IOException">The disk takes nothing, or there is a journal of this session already.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public JournalWriter Begin(SessionOpening opening)
    {
        var path = PathOf(opening.Organization, opening.Id);
        MakeFolder(directory);
        MakeFolder(Path.GetDirectoryName(path)!);

        // Sharing is allowed because others read along; nobody else writes: the name is made here, once.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnersFile;
        return JournalWriter.Begin(Disk(new FileStream(path, options)), opening.Organization, SessionBegan.Of(opening), wrapping, clock, machine);
    }

    /// <summary>Null: there is no journal of the session.</summary>
    public StoredJournal? Open(OrganizationId organization, SessionId session)
    {
        try
        {
            return new(new(PathOf(organization, session), FileMode.Open, FileAccess.Read, FileShare.ReadWrite), organization, session, wrapping);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>What there is of a journal whose writer is gone, up to its last whole event; null: nothing. What can't be read is not complete, and says why.</summary>
    public async Task<LeftJournal?> InspectAsync(OrganizationId organization, SessionId session, CancellationToken cancellation)
    {
        StoredJournal? stored = null;
        var failure = "the gateway stopped while it was written";
        try
        {
            stored = Open(organization, session);
            if (stored is null) return null;
            while ((await stored.Reader.ReadAsync(cancellation)).Count > 0)
            {
            }
        }
        catch (Exception unreadable) when (unreadable is JournalDamagedException or IOException or UnauthorizedAccessException)
        {
            failure = unreadable.Message;
        }
        finally
        {
            stored?.Dispose();
        }

        var end = stored?.Reader.End;
        return new(new(stored?.Reader.Head ?? new JournalChain(organization.Value, session.Value).Head, end is not null, end is null ? failure : null), end);
    }

    public void Dispose() => wrapping.Dispose();

    private string PathOf(OrganizationId organization, SessionId session) => Path.Combine(directory, organization.Value.ToString("D"), $"{session.Value:D}.csj");

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnersFolder);
    }
}

/// <param name="End">How the session ended, if that was written before its writer was gone.</param>
public sealed record LeftJournal(JournalSummary Summary, SessionEnded? End);

/// <summary>A journal opened for reading; owned by whoever opened it.</summary>
public sealed class StoredJournal : IDisposable
{
    private readonly FileStream _file;

    internal StoredJournal(FileStream file, OrganizationId organization, SessionId session, Secret wrapping)
    {
        _file = file;
        Reader = new(file, organization, session, wrapping);
    }

    public JournalReader Reader { get; }

    public void Dispose()
    {
        Reader.Dispose();
        _file.Dispose();
    }
}
