namespace Countersign.Audit;

public enum AuditFault
{
    None,

    /// <summary>A line is not one of an export or of a file of checkpoints.</summary>
    Unreadable,

    /// <summary>No checkpoint, or none of this organization.</summary>
    NoCheckpoint,

    /// <summary>A checkpoint's signature is wrong, or of another key.</summary>
    ForgedCheckpoint,

    ChangedRecord,

    MissingRecord,

    MovedRecord,

    RepeatedRecord,

    CutTail,

    /// <summary>More records than the export's own checkpoint has.</summary>
    SurplusRecord,

    /// <summary>Nothing shows that the checkpoint of an excerpt has grown out of one that was kept.</summary>
    UnconnectedCheckpoint,

    /// <summary>Consistent in itself, and not what the checkpoint saw: it was written anew by somebody who has the server's key.</summary>
    RewrittenHistory,
}

/// <summary>What is known of an export after it was held against checkpoints kept elsewhere.</summary>
public sealed record AuditVerdict
{
    /// <summary><see cref="AuditFault.None"/>: complete and unedited.</summary>
    public required AuditFault Fault { get; init; }

    /// <summary>The number of the first record that is not as it was sealed. Null: it is none, or the fault lies elsewhere.</summary>
    public long? Record { get; init; }

    /// <summary>One sentence for a person. May hold text of the export.</summary>
    public required string Message { get; init; }

    /// <summary>Records that are proved.</summary>
    public long Proved { get; init; }

    /// <summary>Among them those of which personal fields were erased.</summary>
    public long Erased { get; init; }

    /// <summary>The names of these fields, each once.</summary>
    public IReadOnlyCollection<string> ErasedFields { get; init; } = [];

    public bool IsIntact => Fault == AuditFault.None;
}
