namespace Countersign.Server.Features.Identity;

/// <summary>What a password has to be like.</summary>
public static class PasswordRules
{
    public const int Least = 12;

    public const int Most = 256;

    /// <summary>zxcvbn's estimate, 0 to 4; 3 stands for years of guessing by one machine.</summary>
    public const int UsualScore = 3;

    /// <summary>The estimate's work grows with the square of the length and its dictionaries end far earlier.</summary>
    private const int Judged = 64;

    /// <summary>Null when the password will do, else one sentence that holds nothing of it.</summary>
    /// <param name="score">zxcvbn's estimate that it has to reach.</param>
    /// <param name="about">Words that are easily guessed for this person: names, mail address, the organization's name.</param>
    public static string? Problem(string password, int score, string login, params ReadOnlySpan<string> about)
    {
        if (password.Length < Least) return $"A password has at least {Least} characters.";
        if (password.Length > Most) return $"A password has at most {Most} characters.";
        if (login.Length >= 3 && password.Contains(login, StringComparison.OrdinalIgnoreCase)) return "A password does not contain the login.";
        var known = new List<string> { "countersign", login };
        foreach (var text in about) known.AddRange(text.Split([' ', '@', '.', '-', '_'], StringSplitOptions.RemoveEmptyEntries).Take(16));
        var judged = password.Length > Judged ? password[..Judged] : password;
        return new Zxcvbn.Zxcvbn(new Zxcvbn.Translation()).EvaluatePassword(judged, known).Score >= score
            ? null
            : "This password is too easy to guess: a few unrelated words make a good one.";
    }
}
