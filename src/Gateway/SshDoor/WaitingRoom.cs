using System.Text;
using Countersign.Sessions;
using Countersign.Ssh;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// A session channel while it waits for an approval: shows lines on standard error, asks for the reason where there is a terminal, and takes Ctrl-C.
/// In a terminal whatever else is typed meanwhile, or was typed before, is thrown away: nobody expects it to run on the device minutes later.
/// </summary>
/// <param name="terminal">The client has one, in raw mode: it echoes nothing itself, and Ctrl-C comes as a byte.</param>
/// <param name="reason">As the client gave it in its environment.</param>
/// <param name="time">The network's.</param>
/// <param name="forget">Throws away what was typed so far; true: the byte that it is given was in it.</param>
internal sealed class WaitingRoom(SshChannel channel, bool terminal, string reason, TimeProvider time, Func<byte, bool> forget) : IWaitingRoom
{
    /// <summary>How long a question stands: nobody else waits for the answer.</summary>
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromMinutes(5);

    private const byte CtrlC = 3;
    private const byte CtrlD = 4;
    private const byte Backspace = 8;
    private const byte Delete = 127;

    private readonly Lock _gate = new();
    private readonly StringBuilder _typed = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<string>? _answer;
    private bool _open;
    private bool _eof;

    public string Reason { get; } = PlainLine.Clean(reason, ApprovalWish.LongestReason);

    /// <summary>Completes when the person has pressed Ctrl-C.</summary>
    public Task Interrupted => _interrupted.Task;

    public void Tell(string line)
    {
        lock (_gate)
        {
            Open();
            Write($"countersign: {Clean(line)}\r\n");
        }
    }

    public void Note(string line) => TryNote(line);

    /// <summary>False: the person does not wait here at this moment.</summary>
    public bool TryNote(string line)
    {
        lock (_gate)
        {
            if (_open) Write($"countersign: {Clean(line)}\r\n");
            return _open;
        }
    }

    public void LetIn(string line)
    {
        lock (_gate)
        {
            Shut();
            Write($"countersign: {Clean(line)}\r\n");
        }
    }

    public async ValueTask<string> AskReasonAsync(string asked, CancellationToken cancellation)
    {
        if (!terminal) return "";
        Task<string> answer;
        lock (_gate)
        {
            Open();
            // Nobody is left to answer.
            if (_eof) return "";
            _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
            answer = _answer.Task;
            _typed.Clear();
            Write($"countersign: this needs approval. Why do you want to connect? {(asked.Length > 0 ? $"Give {Clean(asked)}: " : "")}");
        }

        try
        {
            return PlainLine.Clean(await answer.WaitAsync(LongestQuestion, time, cancellation), ApprovalWish.LongestReason);
        }
        catch (TimeoutException)
        {
            return "";
        }
    }

    /// <summary>From here on what is typed is for the device.</summary>
    public void Close()
    {
        lock (_gate) Shut();
    }

    private void Open()
    {
        if (!_open && terminal) Forget();
        _open = true;
    }

    /// <summary>Once more: a key that was pressed just as the room opened went by it.</summary>
    private void Shut()
    {
        if (_open && terminal) Forget();
        _open = false;
    }

    /// <summary>Whoever has pressed Ctrl-C does not want in, whenever that was.</summary>
    private void Forget()
    {
        if (forget(CtrlC)) _interrupted.TrySetResult();
    }

    /// <summary>No answer can come any more: what was typed is all of it, and a later question is not asked.</summary>
    public void OnEof()
    {
        lock (_gate)
        {
            _eof = true;
            _answer?.TrySetResult(_typed.ToString());
            _answer = null;
        }
    }

    /// <summary>On the receive loop. False: the data is not for here.</summary>
    public bool Takes(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (!terminal || !_open) return false;
            foreach (var key in data) Press(key);
            return true;
        }
    }

    private void Press(byte key)
    {
        if (key == CtrlC || (key == CtrlD && _answer is not null))
        {
            Write("\r\n");
            _interrupted.TrySetResult();
            return;
        }

        if (_answer is null) return;
        if (key is (byte)'\r' or (byte)'\n')
        {
            Write("\r\n");
            _answer.TrySetResult(_typed.ToString());
            _answer = null;
            return;
        }

        if (key is Backspace or Delete) Erase();
        else Type(key);
    }

    private void Type(byte key)
    {
        Span<char> characters = stackalloc char[4];
        var count = _decoder.GetChars([key], characters, flush: false);
        foreach (var character in characters[..count].EnumerateRunes())
        {
            if (!PlainLine.Holds(character) || _typed.Length + character.Utf16SequenceLength > ApprovalWish.LongestReason) continue;
            _typed.Append(character.ToString());
            Write(character.ToString());
        }
    }

    private void Erase()
    {
        if (_typed.Length == 0) return;
        _typed.Length -= char.IsLowSurrogate(_typed[^1]) ? 2 : 1;
        Write("\b \b");
    }

    /// <summary>What the client's window has no room for is left out: a client that does not read is told nothing.</summary>
    private void Write(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (channel.SendWindow >= bytes.Length) channel.SendExtendedData(1, bytes);
    }

    internal static string Clean(string text) => PlainLine.Clean(text, MostShown);

    private const int MostShown = 2000;
}
