namespace Countersign.EndToEnd.Fixtures;

/// <summary>A file on a disk that has so many bytes left.</summary>
internal sealed class FullDisk(Stream file, long room) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => file.Length;

    public override long Position
    {
        get => file.Position;
        set => throw new NotSupportedException();
    }

    public override void Flush() => file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>As much as fits, as a real disk does.</summary>
    public override void Write(byte[] buffer, int offset, int count)
    {
        var fitting = (int)Math.Min(count, room - file.Length);
        file.Write(buffer, offset, fitting);
        if (fitting < count) throw new IOException("No space left on device");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }
}
