using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Countersign.Bench.Ways;

/// <summary>
/// Asks another .NET process of ours for a full garbage collection, through the port that every runtime opens for diagnostics: an event session that
/// names the keyword <c>GCHeapCollect</c> begins with one.
/// </summary>
internal static class RuntimePort
{
    private const string Provider = "Microsoft-Windows-DotNETRuntime";
    private const ulong CollectHeap = 0x800000;
    private const int HeaderLength = 20;

    public static async Task CollectAsync(int process)
    {
        var path = Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{process}-*-socket").Single();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Request());
        var answer = new byte[HeaderLength];
        await stream.ReadExactlyAsync(answer);

        // The set 0xFF, and in it 0: as asked.
        if (answer[16] != 0xFF || answer[17] != 0) throw new InvalidOperationException("the runtime refused an event session");

        // The events are of no interest, but nobody else reads them; to hang up ends the session.
        var scratch = new byte[64 * 1024];
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            while (await stream.ReadAsync(scratch, enough.Token) > 0)
            {
            }
        }
        catch (OperationCanceledException)
        {
            // Long enough.
        }
    }

    /// <summary>CollectTracing: size of the buffer in MiB, format, and one provider with its keywords and level.</summary>
    private static byte[] Request()
    {
        using var body = new MemoryStream();
        Write(1);
        Write(1);
        Write(1);
        Span<byte> keywords = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(keywords, CollectHeap);
        body.Write(keywords);
        Write(4);
        Text(Provider);
        Text("");
        var request = new byte[HeaderLength + body.Length];
        "DOTNET_IPC_V1\0"u8.CopyTo(request);
        BinaryPrimitives.WriteUInt16LittleEndian(request.AsSpan(14), (ushort)request.Length);
        request[16] = 2;
        request[17] = 2;
        body.ToArray().CopyTo(request.AsSpan(HeaderLength));
        return request;

        void Write(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            body.Write(bytes);
        }

        void Text(string text)
        {
            Write((uint)text.Length + 1);
            body.Write(Encoding.Unicode.GetBytes(text + '\0'));
        }
    }
}
