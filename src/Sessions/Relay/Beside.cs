using System.Text;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions.Relay;

/// <summary>
/// What the device writes on standard error beside a protocol that is read. It passes as far as it can be written down whole: who may only send files
/// could have their shell hand them others' content here. One call at a time.
/// </summary>
internal sealed class Beside
{
    /// <summary>What passes. As JSON a byte can be six.</summary>
    public const int Most = 8 * 1024;

    private readonly List<byte> _passed = [];
    private long _bytes;

    /// <returns>How much of it, from its front, is passed on.</returns>
    public int Add(ReadOnlySpan<byte> data)
    {
        var passes = Math.Min(data.Length, Most - _passed.Count);
        _passed.AddRange(data[..passes]);
        _bytes += data.Length;
        return passes;
    }

    /// <summary>Once, at the end. Null: the device wrote nothing.</summary>
    public DeviceWrote? Tell()
    {
        if (_bytes == 0) return null;
        var text = new StringBuilder();
        foreach (var character in Encoding.UTF8.GetString([.. _passed]).EnumerateRunes()) text.Append(PlainLine.Holds(character) ? character.ToString() : " ");
        return new(text.ToString(), _passed.Count, _bytes);
    }
}
