using System.Text;

namespace Countersign.Cli.Api;

/// <param name="Position">Where the stream is after it; empty: it was not told.</param>
/// <param name="Data">Empty: it is no event, only a sign of life.</param>
internal sealed record ServerEvent(string Name, string Position, string Data);

/// <summary>The stream of events has ended as streams do.</summary>
internal sealed record EndOfStream;

/// <summary>Reads server-sent events, as far as our server makes use of their form. Lines and events are bounded.</summary>
internal sealed class EventReader(Stream stream)
{
    private const int LongestLine = 1024 * 1024;

    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>Null: the stream has ended.</summary>
    /// <exception cref="IOException">A line is longer than any that our server writes.</exception>
    public async Task<ServerEvent?> NextAsync(CancellationToken cancellation)
    {
        var (name, position, data) = ("", "", "");
        while (await LineAsync(cancellation) is { } line)
        {
            if (line.Length == 0)
            {
                if (position.Length > 0 || data.Length > 0) return new(name, position, data);
                name = "";
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var value = colon < 0 ? "" : line[(colon + 1)..];
            if (value.StartsWith(' ')) value = value[1..];
            switch (colon < 0 ? line : line[..colon])
            {
                case "event":
                    name = value;
                    break;
                case "id":
                    position = value;
                    break;
                case "data":
                    data = value;
                    break;
            }
        }

        return null;
    }

    private async Task<string?> LineAsync(CancellationToken cancellation)
    {
        var line = new MemoryStream();
        while (true)
        {
            var found = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            line.Write(_buffer, _start, found >= 0 ? found : _end - _start);
            if (line.Length > LongestLine) throw new IOException("a line of the stream is too long");
            if (found >= 0)
            {
                _start += found + 1;
                return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r');
            }

            _start = 0;
            _end = await stream.ReadAsync(_buffer, cancellation);
            if (_end == 0) return null;
        }
    }
}
