using System.Runtime.InteropServices;
using System.Text;

namespace Countersign.Agent.Processes;

/// <summary>What to run. Texts hold no zero bytes.</summary>
internal sealed record Launch
{
    public required string Path { get; init; }

    /// <summary>From the name that the program sees of itself on; bytes, because a command line has no encoding.</summary>
    public required IReadOnlyList<byte[]> Arguments { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    public required string Directory { get; init; }
}

/// <summary>
/// Starts a process as the leader of a session of its own, with posix_spawn: no managed code runs between fork and exec. Of the agent's
/// descriptors the child gets none but the three that it is given; signals are as in a fresh process.
/// </summary>
internal static unsafe class Spawn
{
    /// <summary>The descriptors become the child's 0, 1 and 2; they stay the caller's to close.</summary>
    /// <exception cref="IOException">The program could not be started.</exception>
    public static int WithDescriptors(Launch launch, int input, int output, int error) => Start(launch, actions =>
    {
        Libc.CheckError(Libc.posix_spawn_file_actions_adddup2((void*)actions, input, 0), "adddup2");
        Libc.CheckError(Libc.posix_spawn_file_actions_adddup2((void*)actions, output, 1), "adddup2");
        Libc.CheckError(Libc.posix_spawn_file_actions_adddup2((void*)actions, error, 2), "adddup2");
    });

    /// <summary>The terminal becomes the child's controlling terminal, by being the first that a session leader opens.</summary>
    /// <param name="terminal">The slave's path, ending in zero.</param>
    /// <exception cref="IOException">The program could not be started.</exception>
    public static int OnTerminal(Launch launch, byte[] terminal) => Start(launch, actions =>
    {
        fixed (byte* path = terminal) Libc.CheckError(Libc.posix_spawn_file_actions_addopen((void*)actions, 0, path, Libc.ReadWrite, 0), "addopen");
        Libc.CheckError(Libc.posix_spawn_file_actions_adddup2((void*)actions, 0, 1), "adddup2");
        Libc.CheckError(Libc.posix_spawn_file_actions_adddup2((void*)actions, 0, 2), "adddup2");
    });

    private static int Start(Launch launch, Action<nint> addDescriptors)
    {
        var actions = stackalloc byte[Libc.FileActionsSize];
        var attributes = stackalloc byte[Libc.AttributesSize];
        var signals = stackalloc byte[Libc.SignalSetSize];
        using var arguments = new TextVector(launch.Arguments);
        using var environment = new TextVector([.. launch.Environment.Select(variable => Encoding.UTF8.GetBytes($"{variable.Key}={variable.Value}"))]);
        using var paths = new TextVector([Encoding.UTF8.GetBytes(launch.Path), Encoding.UTF8.GetBytes(launch.Directory)]);
        Libc.CheckError(Libc.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        try
        {
            Libc.CheckError(Libc.posix_spawnattr_init(attributes), "posix_spawnattr_init");
            try
            {
                Libc.CheckError(Libc.posix_spawn_file_actions_addchdir_np(actions, paths[1]), "addchdir");
                addDescriptors((nint)actions);
                Libc.CheckError(Libc.posix_spawn_file_actions_addclosefrom_np(actions, 3), "addclosefrom");

                // .NET ignores SIGPIPE and may block others; neither must be inherited.
                _ = Libc.sigfillset(signals);
                Libc.CheckError(Libc.posix_spawnattr_setsigdefault(attributes, signals), "setsigdefault");
                _ = Libc.sigemptyset(signals);
                Libc.CheckError(Libc.posix_spawnattr_setsigmask(attributes, signals), "setsigmask");
                Libc.CheckError(
                    Libc.posix_spawnattr_setflags(attributes, Libc.SpawnSignalDefaults | Libc.SpawnSignalMask | Libc.SpawnNewSession), "setflags");

                int process;
                Libc.CheckError(Libc.posix_spawn(&process, paths[0], actions, attributes, arguments.Pointer, environment.Pointer), $"starting {launch.Path}");
                return process;
            }
            finally
            {
                _ = Libc.posix_spawnattr_destroy(attributes);
            }
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>Texts ending in zero, and an array of pointers to them ending in null, as C wants them.</summary>
    private sealed class TextVector : IDisposable
    {
        private readonly int _count;

        public TextVector(IReadOnlyList<byte[]> texts)
        {
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)texts.Count + 1, (nuint)sizeof(byte*));
            foreach (var text in texts)
            {
                var copy = (byte*)NativeMemory.Alloc((nuint)text.Length + 1);
                text.CopyTo(new Span<byte>(copy, text.Length));
                copy[text.Length] = 0;
                Pointer[_count++] = copy;
            }
        }

        public byte** Pointer { get; }

        public byte* this[int index] => Pointer[index];

        public void Dispose()
        {
            for (var i = 0; i < _count; i++) NativeMemory.Free(Pointer[i]);
            NativeMemory.Free(Pointer);
        }
    }
}
