namespace Countersign.Sessions.Journal;

public enum FileDirection
{
    ToDevice = 1,
    FromDevice = 2,
}

/// <summary>What became of a file operation, as the device answered.</summary>
public enum FileOutcome
{
    Ok = 1,
    NoSuchFile = 2,
    PermissionDenied = 3,
    Failed = 4,
    Unsupported = 5,

    /// <summary>The session ended first.</summary>
    Interrupted = 6,
}

public enum FileAction
{
    Open = 1,
    List = 2,
    Look = 3,
    Resolve = 4,
    ReadLink = 5,
    Rename = 6,
    Remove = 7,
    MakeDirectory = 8,
    RemoveDirectory = 9,
    SetAttributes = 10,
    SymbolicLink = 11,
    HardLink = 12,
    Copy = 13,
    Space = 14,
    Read = 15,
    Write = 16,
    Names = 17,
    Sync = 18,
}

/// <summary>What a file that content went to held at its opening.</summary>
public enum FileStart
{
    /// <summary>What it held before. What was not written over is still in it.</summary>
    AsItWas = 1,

    /// <summary>The same, or nothing: it was made if it was not there.</summary>
    AsItWasOrNew = 2,

    /// <summary>Nothing: what it held was taken out, or it was made.</summary>
    Emptied = 3,

    /// <summary>Nothing: it was made, and opens only where there was none.</summary>
    New = 4,
}

/// <param name="From">From the beginning of the file.</param>
public readonly record struct ByteRange(long From, long Length)
{
    internal long End => From + Length;
}

/// <summary>A file's content went one way, from its opening to its closing.</summary>
/// <param name="Path">As the technician's client named it.</param>
/// <param name="Bytes">How many went.</param>
/// <param name="Sha256">Over all of them, in hexadecimal, where they went in order from the beginning of the file and all arrived; else null.</param>
/// <param name="Ranges">Where there is no hash: which parts of the file went. At most 64: where they were more, some have grown together.</param>
/// <param name="Start">
/// By SFTP towards the device: only of a file that held nothing is the hash that of all of it. By <c>scp</c> it is, and there this is null, as it is from the device
/// and in journals of before.
/// </param>
public sealed record FileTransferred(
    FileDirection Direction, string Path, long Bytes, string? Sha256, IReadOnlyList<ByteRange>? Ranges, FileOutcome Outcome, FileStart? Start = null) : JournalEvent;

/// <summary>Anything else that was done with files.</summary>
/// <param name="To">The new name, or what a link is to contain.</param>
/// <param name="Changes">Attributes that were set.</param>
/// <param name="Times">How often, where what was done again and again is one event.</param>
public sealed record FileActed(FileAction Action, string Path, string? To, string? Changes, FileOutcome Outcome, int Times = 1) : JournalEvent;

/// <summary>The gateway refused something; the device did not hear of it.</summary>
/// <param name="Path">Of the last one.</param>
/// <param name="Needs">The permissions that it would have needed.</param>
/// <param name="Times">How often it was refused since the last such event.</param>
public sealed record FileRefused(FileAction Action, string Path, string Needs, int Times) : JournalEvent;
