using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Countersign.Server.Platform;

/// <param name="Next">Give it back as <c>cursor</c> for what follows; null: this is the end.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Which part of a list is wanted.</summary>
internal readonly record struct PageQuery
{
    private const int Most = 1000;
    private const int LongestCursor = 2000;

    /// <summary>Default 100, most 1,000.</summary>
    [FromQuery(Name = "limit")]
    public int? Limit { get; init; }

    [FromQuery(Name = "cursor")]
    public string? Cursor { get; init; }

    /// <summary>The page that starts behind the cursor, in ordinal order of the keys.</summary>
    /// <param name="key">Different for each row. The cursor is the last one shown, so that rows that come and go move nothing.</param>
    public Results<Ok<Page<T>>, ProblemHttpResult> Cut<TRow, T>(IEnumerable<TRow> rows, Func<TRow, string> key, Func<TRow, T> show)
    {
        if (!TryRead(out var limit, out var after, out var problem)) return problem!;
        var keyed = rows.Select(row => (Key: key(row), Row: row));
        if (after is not null) keyed = keyed.Where(row => string.CompareOrdinal(row.Key, after) > 0);
        var found = keyed.OrderBy(row => row.Key, StringComparer.Ordinal).Take(limit + 1).ToList();
        var next = found.Count > limit ? Write(found[limit - 1].Key) : null;
        return TypedResults.Ok(new Page<T>([.. found.Take(limit).Select(row => show(row.Row))], next));
    }

    /// <summary>The same for a list that may be long: it is found in ordinal order of its keys, and read no further than the page reaches.</summary>
    /// <param name="behind">All that come behind the key, in order; from the beginning where it is null.</param>
    public Results<Ok<Page<T>>, ProblemHttpResult> CutOrdered<TRow, T>(Func<string?, IEnumerable<TRow>> behind, Func<TRow, string> key, Func<TRow, T> show)
    {
        if (!TryRead(out var limit, out var after, out var problem)) return problem!;
        var found = behind(after).Take(limit + 1).ToList();
        var next = found.Count > limit ? Write(key(found[limit - 1])) : null;
        return TypedResults.Ok(new Page<T>([.. found.Take(limit).Select(show)], next));
    }

    public bool TryRead(out int limit, out string? after, out ProblemHttpResult? problem)
    {
        limit = Limit ?? 100;
        after = null;
        problem = null;
        if (limit is < 1 or > Most) problem = Problems.Invalid("limit", $"It is a number from 1 to {Most}.");
        else if (Cursor is not null && !TryReadCursor(Cursor, out after)) problem = Problems.Invalid("cursor", "It is not a cursor of this server.");
        return problem is null;
    }

    public static string Write(string key) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(key));

    private static bool TryReadCursor(string cursor, out string? key)
    {
        key = null;
        if (cursor.Length > LongestCursor || !Base64Url.IsValid(cursor)) return false;
        key = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
        return true;
    }
}
