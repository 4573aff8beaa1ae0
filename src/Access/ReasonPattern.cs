using System.Text.RegularExpressions;

namespace Countersign.Access;

/// <summary>
/// A .NET regular expression that a reason has to hold somewhere; <c>^</c> and <c>$</c> bind it to the ends. It is matched without backtracking, in time that grows
/// with the reason's length only; look-around and back references are not to be had so.
/// </summary>
public static class ReasonPattern
{
    public const int MaxLength = 200;

    /// <summary>Of a reason, at the front doors: what a pattern is tried with.</summary>
    private const int LongestReason = 400;

    /// <summary>
    /// Memory and not time, which would depend on what else the machine does: the automaton of <c>(.*a){200}</c> takes 400 MB for one reason, the ones that people
    /// write a hundredth of this.
    /// </summary>
    private const long MostMemory = 16 * 1024 * 1024;

    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <summary>What was tried stays below it by far.</summary>
    private static readonly TimeSpan LongestMatch = TimeSpan.FromSeconds(1);

    /// <param name="problem">One sentence that says what is wrong; empty: nothing, also with <c>none</c>.</param>
    public static bool TryRead(string text, out string problem)
    {
        problem = Problem(text);
        return problem.Length == 0;
    }

    /// <summary>False also where that can't be found out within bounds.</summary>
    public static bool IsIn(string reason, string pattern)
    {
        try
        {
            return Regex.IsMatch(reason, pattern, Options, LongestMatch);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static string Problem(string text)
    {
        if (text.Length is 0 or > MaxLength || !Fields.IsPlain(text)) return $"Write none or a regular expression of at most {MaxLength} characters on one line.";
        try
        {
            return text == "none" || IsCheap(new(text, Options, LongestMatch), text) ? "" : "This regular expression takes too much work. Repeat less in it.";
        }
        catch (NotSupportedException)
        {
            return "This regular expression has look-around, back references or conditions, or repeats too much: write it without.";
        }
        catch (RegexMatchTimeoutException)
        {
            return "This regular expression takes too much work. Repeat less in it.";
        }
        catch (RegexParseException broken)
        {
            return $"This is no regular expression: {broken.Error} at character {broken.Offset}.";
        }
    }

    /// <summary>Tried with what makes the most of repetitions: long runs of the characters that stand in it.</summary>
    private static bool IsCheap(Regex pattern, string text)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var character in text.Append('x').Append('7').Distinct())
        {
            pattern.IsMatch(new string(character, LongestReason) + "!");
            if (GC.GetAllocatedBytesForCurrentThread() - before > MostMemory) return false;
        }

        return true;
    }
}
