namespace Countersign.Sessions.Relay;

/// <summary>What is sent to a shell that has no terminal, as a terminal would show it: there nobody echoes, and its lines are its commands.</summary>
internal static class TypedEcho
{
    private const byte Delete = 127;

    /// <param name="typed">Cut anywhere: every byte stands for itself.</param>
    public static void Show(ReadOnlySpan<byte> typed, Outlet to)
    {
        while (!typed.IsEmpty)
        {
            var plain = typed.IndexOfAnyInRange((byte)0, (byte)31);
            var deleted = typed.IndexOf(Delete);
            var end = plain < 0 ? deleted : deleted < 0 ? plain : Math.Min(plain, deleted);
            if (end != 0) to(end < 0 ? typed : typed[..end]);
            if (end < 0) return;
            switch (typed[end])
            {
                case (byte)'\n':
                    to("\r\n"u8);
                    break;
                case (byte)'\t' or (byte)'\r':
                    to(typed.Slice(end, 1));
                    break;
                case var control:
                    to([(byte)'^', (byte)(control ^ 0x40)]);
                    break;
            }

            typed = typed[(end + 1)..];
        }
    }
}
