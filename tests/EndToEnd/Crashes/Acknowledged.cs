using System.Collections.Concurrent;

namespace Countersign.EndToEnd.Crashes;

/// <summary>What is done to the server, by what it acknowledges.</summary>
internal enum Deed
{
    Policy,
    SignIn,
    Began,
    Ended,
    Waiting,
    Approved,
    Checkpoint,
}

/// <summary>A moment for the kill: so many deeds of one kind were acknowledged, and then so many of any.</summary>
internal readonly record struct KillAt(Deed Deed, int Count, int Further)
{
    /// <summary>How many of each there are for certain: no moment is chosen that never comes.</summary>
    private static readonly (Deed Deed, int Most)[] Moments =
    [
        (Deed.Policy, 60), (Deed.SignIn, 3), (Deed.Began, 3), (Deed.Ended, 3), (Deed.Waiting, 3), (Deed.Approved, 2), (Deed.Checkpoint, 5),
    ];

    public static KillAt Draw(Random random)
    {
        // Every second time in the thick of it: sessions run, and others come and go for as long as it takes.
        if (random.Next(2) == 0) return new(Deed.Began, random.Next(4, 9), random.Next(0, 25));
        var (deed, most) = Moments[random.Next(Moments.Length)];
        return new(deed, random.Next(1, most + 1), random.Next(0, 8));
    }
}

/// <summary>What the server has acknowledged in one life: it must know all of it in the next one.</summary>
internal sealed class Acknowledged(KillAt moment)
{
    private readonly Lock _gate = new();
    private readonly int[] _counts = new int[Enum.GetValues<Deed>().Length];
    private readonly TaskCompletionSource _due = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _further = -1;
    private volatile bool _over;

    /// <summary>Completes when the moment to kill has come.</summary>
    public Task Due => _due.Task;

    /// <summary>From here on the server may be gone: what goes wrong is no fault.</summary>
    public bool Over
    {
        get => _over;
        set => _over = value;
    }

    public ConcurrentDictionary<string, bool> Roles { get; } = [];

    public ConcurrentQueue<string> Tokens { get; } = [];

    /// <summary>Sessions that run until the kill, by the tag in their command; true: with a terminal.</summary>
    public ConcurrentDictionary<string, bool> Running { get; } = [];

    /// <summary>Sessions of which the server has said how they ended, by the tag in their command.</summary>
    public ConcurrentDictionary<string, string> Ended { get; } = [];

    /// <summary>Requests that wait, or are approved: null while the answer to the approval is open.</summary>
    public ConcurrentDictionary<long, AskedFor> Requests { get; } = [];

    public ConcurrentQueue<string> Checkpoints { get; } = [];

    /// <summary>The device's description is a number that grows: at least what was acknowledged, at most what was sent.</summary>
    public int Described { get; set; }

    public int DescribedAtMost { get; set; }

    public int CountOf(Deed deed)
    {
        lock (_gate) return _counts[(int)deed];
    }

    public void Note(Deed deed)
    {
        lock (_gate)
        {
            var count = ++_counts[(int)deed];
            if (_further >= 0) _further--;
            else if (deed == moment.Deed && count == moment.Count) _further = moment.Further;
            if (_further == 0) _due.TrySetResult();
        }
    }
}

/// <summary>One life of the server that has come to its end.</summary>
/// <param name="Device">The id of the device that was added for it.</param>
internal sealed record Life(int Number, string Device, string DeviceName, Acknowledged Acknowledged);

internal enum Answer
{
    /// <summary>Nobody has decided.</summary>
    Waiting,

    /// <summary>An approval was sent, and no answer came.</summary>
    Sent,
    Approved,
}

internal sealed record AskedFor(int Requester, Answer Answer);
