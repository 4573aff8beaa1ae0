using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>One of a few words in a query, spelled as answers spell it.</summary>
internal static class Choice
{
    /// <param name="chosen">Null: nothing was said.</param>
    public static bool TryRead<T>(string? text, string field, out T? chosen, out ProblemHttpResult? problem)
        where T : struct, Enum
    {
        (chosen, problem) = (null, null);
        if (text is null) return true;
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == text) chosen = value;
        }

        if (chosen is null) problem = Problems.Invalid(field, $"It is one of {string.Join(", ", Enum.GetValues<T>().Select(NameOf))}.");
        return problem is null;
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
