using System.Buffers;
using System.IO.Pipelines;

namespace Countersign.Audit;

/// <summary>Lines of a stream, one at a time, of bounded length. Empty ones are left out; the last needs no line break.</summary>
internal sealed class LineReader(Stream stream) : IAsyncDisposable
{
    private readonly PipeReader _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
    private byte[]? _peeked;

    /// <summary>The number of the line that was read last, from 1 on.</summary>
    public long Number { get; private set; }

    /// <summary>The line that <see cref="NextAsync"/> gives next.</summary>
    public async ValueTask<byte[]?> PeekAsync(CancellationToken cancellation) => _peeked ??= await NextAsync(cancellation);

    /// <returns>Null: there are no more.</returns>
    /// <exception cref="InvalidDataException">A line is longer than <see cref="ExportLines.LongestLine"/>.</exception>
    public async ValueTask<byte[]?> NextAsync(CancellationToken cancellation)
    {
        if (_peeked is { } peeked)
        {
            _peeked = null;
            return peeked;
        }

        while (true)
        {
            var result = await _reader.ReadAsync(cancellation);
            var buffer = result.Buffer;
            var end = buffer.PositionOf((byte)'\n');
            if (end is null && !result.IsCompleted)
            {
                if (buffer.Length > ExportLines.LongestLine) throw TooLong();
                _reader.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }

            var line = end is { } position ? buffer.Slice(0, position) : buffer;
            if (line.Length > ExportLines.LongestLine) throw TooLong();
            var bytes = line.ToArray();
            _reader.AdvanceTo(end is { } consumed ? buffer.GetPosition(1, consumed) : buffer.End);
            if (end is null && bytes.Length == 0) return null;
            Number++;
            if (bytes.AsSpan().TrimEnd((byte)'\r').Length > 0) return bytes;
        }
    }

    public ValueTask DisposeAsync() => _reader.CompleteAsync();

    private InvalidDataException TooLong() => new($"Line {Number + 1} is longer than {ExportLines.LongestLine} bytes.");
}
