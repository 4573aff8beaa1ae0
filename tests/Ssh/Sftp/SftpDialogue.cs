using System.Buffers;
using System.IO.Pipelines;
using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

/// <summary>A server over two pipes in memory, a temporary directory to serve, and the client's end as plain messages.</summary>
internal sealed class SftpDialogue : IAsyncDisposable
{
    private readonly Pipe _toServer = new(new PipeOptions(pauseWriterThreshold: 4 << 20, resumeWriterThreshold: 2 << 20));
    private readonly Pipe _toClient = new(new PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19));
    private readonly SftpFramer _framer = new();
    private readonly Queue<byte[]> _arrived = new();
    private uint _id;

    public SftpDialogue(int maxHandles = 1024)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("countersign-sftp-").FullName;
        Server = SftpServer.RunAsync(
            _toServer.Reader, _toClient.Writer, new() { StartDirectory = Directory, MaxHandles = maxHandles }, TestContext.Current.CancellationToken);
    }

    public string Directory { get; }

    public Task Server { get; }

    public PipeWriter Raw => _toServer.Writer;

    public SftpWriter Writer { get; } = new();

    public static async Task<SftpDialogue> StartAsync(int maxHandles = 1024)
    {
        var dialogue = new SftpDialogue(maxHandles);
        await dialogue.SendAsync(dialogue.Writer.BeginVersion(SftpType.Init, 3));
        (await dialogue.ReceiveAsync())[0].ShouldBe((byte)SftpType.Version);
        return dialogue;
    }

    public string PathOf(string name) => Path.Combine(Directory, name);

    public SftpWriter Begin(SftpType type) => Writer.Begin(type, ++_id);

    public async Task SendAsync(SftpWriter message)
    {
        Raw.Write(message.End());
        await Raw.FlushAsync(TestContext.Current.CancellationToken);
    }

    public async Task<byte[]> AskAsync(SftpWriter message)
    {
        var id = _id;
        await SendAsync(message);
        var answer = await ReceiveAsync();
        SftpResponse.Parse(answer, out var response).ShouldBe(SftpParse.Complete);
        response.Id.ShouldBe(id);
        return answer;
    }

    public async Task<SftpStatus> StatusAsync(SftpWriter message)
    {
        var answer = await AskAsync(message);
        SftpResponse.Parse(answer, out var response);
        response.Type.ShouldBe(SftpType.Status);
        response.Sentence.IsEmpty.ShouldBeFalse();
        return response.Status;
    }

    public async Task<byte[]> HandleAsync(SftpWriter message)
    {
        var answer = await AskAsync(message);
        SftpResponse.Parse(answer, out var response);
        response.Type.ShouldBe(SftpType.Handle, System.Text.Encoding.UTF8.GetString(response.Sentence));
        return response.Handle.ToArray();
    }

    public Task<byte[]> OpenAsync(string path, SftpOpenFlags flags) =>
        HandleAsync(Begin(SftpType.Open).String(path).UInt32((uint)flags).Attributes(default));

    public async Task<SftpAttributes> AttributesAsync(SftpWriter message)
    {
        var answer = await AskAsync(message);
        SftpResponse.Parse(answer, out var response);
        response.Type.ShouldBe(SftpType.Attributes);
        return response.Attributes;
    }

    public async Task<byte[]> ReceiveAsync()
    {
        while (_arrived.Count == 0)
        {
            var read = await _toClient.Reader.ReadAsync(TestContext.Current.CancellationToken);
            foreach (var segment in read.Buffer)
            {
                var rest = segment.Span;
                while (_framer.TryRead(ref rest, out var packet)) _arrived.Enqueue(packet.ToArray());
            }

            _toClient.Reader.AdvanceTo(read.Buffer.End);
            if (_arrived.Count == 0 && read.IsCompleted) throw new EndOfStreamException();
        }

        return _arrived.Dequeue();
    }

    public async ValueTask DisposeAsync()
    {
        await _toServer.Writer.CompleteAsync();
        await _toClient.Reader.CompleteAsync();
        // A test that wanted the failure has looked at it.
        await Server.ContinueWith(_ => { }, TestContext.Current.CancellationToken, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _framer.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
