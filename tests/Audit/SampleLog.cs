using System.Text;

namespace Countersign.Audit;

/// <summary>A log with records of every shape, and its export as a server would write it.</summary>
internal sealed class SampleLog
{
    public static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly List<ExportedRecord> _records = [];

    public Guid Organization { get; } = new("0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68");

    public CheckpointKey Key { get; } = CheckpointKey.Generate();

    public IReadOnlyList<ExportedRecord> Records => _records;

    public static SampleLog Of(int size)
    {
        var log = new SampleLog();
        for (var number = 1; number <= size; number++) log.Add(number);
        return log;
    }

    public Checkpoint At(int size, CheckpointKey? key = null) =>
        (key ?? Key).Sign(Organization, size, MerkleTree.Root(_records.Take(size).Select(record => record.Leaf()!).ToArray()), Start.AddMinutes(size));

    /// <summary>Changes the log itself: what is exported afterwards is consistent with it.</summary>
    public void Rewrite(int number, Func<ExportedRecord, ExportedRecord> edit) => _records[number - 1] = edit(_records[number - 1]);

    public void Append(string kind, Guid session, string details)
    {
        Add(_records.Count + 1);
        Rewrite(_records.Count, record => record with
        {
            Record = record.Record with { Kind = kind, Correlation = session.ToString() },
            Personal = record.Personal with { Details = details },
        });
    }

    public static ExportedRecord Erased(ExportedRecord record, string field)
    {
        var openings = record.Openings ?? RecordSeal.Open(record.Personal, record.Salt!);
        var value = record.Personal.Fields().Single(one => one.Name == field).Value;
        return record with { Personal = record.Personal.Without(new HashSet<string> { field }), Salt = null, Openings = [.. openings.Select(opening => opening.Name == field ? RecordSeal.Erase(opening, value) : opening)] };
    }

    /// <summary>Some of the records, with their proofs.</summary>
    public List<byte[]> Excerpt(IReadOnlyCollection<int> numbers, int? since = null)
    {
        var leaves = _records.Select(record => record.Leaf()!).ToArray();
        var excerpt = new Excerpt
        {
            Filter = new Dictionary<string, string> { ["kind"] = "session" },
            Records = numbers.Count,
            Since = since,
            Consistency = since is { } first ? MerkleTree.ConsistencyProof(leaves, first) : [],
        };
        return
        [
            ExportLines.Write(At(leaves.Length)),
            ExportLines.Write(excerpt),
            .. numbers.Select(number => ExportLines.Write(_records[number - 1] with { Proof = MerkleTree.InclusionProof(leaves, number - 1) })),
        ];
    }

    public List<byte[]> Export(int? size = null, CheckpointKey? key = null)
    {
        var records = _records.Take(size ?? _records.Count).ToList();
        var leaves = records.Select(record => record.Leaf()!).ToArray();
        var proofs = new ExportProofs();
        foreach (var chunk in leaves.Chunk(ExportProofs.ChunkSize)) proofs.Learn(chunk);
        var lines = new List<byte[]> { ExportLines.Write(At(records.Count, key)) };
        foreach (var (index, record) in records.Index())
            lines.Add(ExportLines.Write(record with { Proof = proofs.Next(leaves.Chunk(ExportProofs.ChunkSize).ElementAt(index / ExportProofs.ChunkSize)) }));
        return lines;
    }

    public static Task<AuditVerdict> VerifyAsync(IEnumerable<byte[]> export, params Checkpoint[] kept) => VerifyAsync(export, kept.Select(ExportLines.Write));

    public static async Task<AuditVerdict> VerifyAsync(IEnumerable<byte[]> export, IEnumerable<byte[]> kept)
    {
        using var exported = Stream(export);
        using var checkpoints = Stream(kept);
        return await AuditVerifier.VerifyAsync(exported, checkpoints, TestContext.Current.CancellationToken);
    }

    public static byte[] Text(string line) => Encoding.UTF8.GetBytes(line);

    public static string Text(byte[] line) => Encoding.UTF8.GetString(line);

    public static MemoryStream Stream(IEnumerable<byte[]> lines) => new([.. lines.SelectMany(line => (byte[])[.. line, (byte)'\n'])]);

    private void Add(int number)
    {
        // In turn: a person's own doing, the system's, a stranger's.
        PersonalPart personal = (number % 3) switch
        {
            0 => new(Guid.NewGuid(), $"anna{number}", "192.0.2.7", $"web{number} – \"Straße\"", Guid.NewGuid(), """{"version":7,"note":"ä\n"}"""),
            1 => new(null, "", null, "", null, "{}"),
            _ => new(null, "stranger", "2001:db8::1", "sign-in", null, """{"count":3}"""),
        };
        _records.Add(new()
        {
            Record = new()
            {
                Organization = Organization,
                Number = number,
                Id = (number * 1000L) + 7,
                At = Start.AddTicks((number * 12345678L) + 1),
                Kind = (number % 4) switch { 0 => "session.began", 1 => "policy.changed", 2 => "sign-in.refused", _ => "session.ended" },
                Channel = number % 2 == 0 ? "ssh" : "api",
                Outcome = number % 2 == 0 ? "done" : "refused",
                Correlation = number % 3 == 1 ? "" : $"0HN{number}",
            },
            Personal = personal,
            Salt = RecordSeal.NewSalt(),
            Proof = [],
        });
    }
}
