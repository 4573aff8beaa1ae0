using System.Collections.Concurrent;
using Countersign.Access;
using Countersign.Audit;
using Countersign.Server.Platform.Persistence;

namespace Countersign.Server.Features.Audit;

/// <summary>
/// The trees of the organizations as far as they are needed to prove single records: a hash for some 500 records in memory. The first excerpt after a
/// start reads all leaves, the next ones what came since.
/// </summary>
internal sealed class AuditTrees
{
    private readonly ConcurrentDictionary<OrganizationId, GrownTree> _trees = [];

    /// <summary>Knows at least all complete chunks of the tree of this size.</summary>
    public async Task<GrownTree> GrownAsync(CountersignDb db, long size, CancellationToken cancellation)
    {
        var tree = _trees.GetOrAdd(db.Organization, _ => new());
        await tree.GrowAsync(db, size, cancellation);
        return tree;
    }
}

/// <summary>One organization's. What is sealed does not change: what was read once is right, whatever somebody does to the rows.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle is never asked for holds nothing that needs disposing.")]
internal sealed class GrownTree
{
    private readonly SemaphoreSlim _growing = new(1);
    private readonly ChunkedTree _tree = new();

    public async Task GrowAsync(CountersignDb db, long size, CancellationToken cancellation)
    {
        await _growing.WaitAsync(cancellation);
        try
        {
            while ((_tree.Chunks + 1) * ChunkedTree.ChunkSize <= size) _tree.Add(await ChunkAsync(db, _tree.Chunks, size, cancellation));
        }
        finally
        {
            _growing.Release();
        }
    }

    public async Task<IReadOnlyList<byte[]>> InclusionAsync(CountersignDb db, long index, long size, CancellationToken cancellation)
    {
        var leaves = await TouchedAsync(db, index, size, cancellation);
        return _tree.Inclusion(index, size, chunk => leaves[chunk]);
    }

    public async Task<IReadOnlyList<byte[]>> ConsistencyAsync(CountersignDb db, long first, long size, CancellationToken cancellation)
    {
        var leaves = await TouchedAsync(db, first - 1, size, cancellation);
        return _tree.Consistency(first, size, chunk => leaves[chunk]);
    }

    private static async Task<Dictionary<long, byte[][]>> TouchedAsync(CountersignDb db, long index, long size, CancellationToken cancellation)
    {
        var leaves = new Dictionary<long, byte[][]>();
        foreach (var chunk in ChunkedTree.Touched(index, size)) leaves[chunk] = await ChunkAsync(db, chunk, size, cancellation);
        return leaves;
    }

    private static Task<byte[][]> ChunkAsync(CountersignDb db, long chunk, long size, CancellationToken cancellation)
    {
        var first = (chunk * ChunkedTree.ChunkSize) + 1;
        return AuditExport.LeavesAsync(db, first, Math.Min(first + ChunkedTree.ChunkSize - 1, size), cancellation);
    }
}
