using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>
/// Travels with a caller, and is told by the one writer which change of policy their request made. Several that a route makes one after the other count as the
/// last of them.
/// </summary>
internal sealed class MadeChange
{
    /// <summary>Null: everything was so already.</summary>
    public long? Number { get; private set; }

    /// <param name="number">Null: nothing had to be changed.</param>
    public void Note(long? number) => Number = number ?? Number;
}

/// <summary>Whether a request changed anything, for every change of policy alike: a version alone is that of whoever was last.</summary>
internal static class ChangeTold
{
    /// <summary>Holds the number of the change that was made, by which it is undone, or <see cref="None"/>.</summary>
    public const string Header = "Countersign-Change";

    public const string None = "none";

    /// <summary>A filter that says it with every answer that is no refusal and no preview.</summary>
    public static async ValueTask<object?> TellAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var result = await next(invocation);
        var inner = result is INestedHttpResult nested ? nested.Result : result;
        if (inner is ProblemHttpResult || invocation.HttpContext.Features.Get<Caller>() is not { Preview: null, Made: var made }) return result;
        invocation.HttpContext.Response.Headers[Header] = made.Number?.ToString(CultureInfo.InvariantCulture) ?? None;
        return result;
    }
}
