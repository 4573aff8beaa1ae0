using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>An answer that was read from one version of policy.</summary>
internal interface IVersioned
{
    long Version { get; }
}

/// <summary>
/// How two editors are kept from overwriting each other, for every resource alike (RFC 9110 section 13.1.1): what is read comes with the version of
/// policy as its tag, and a change that gives the tag back in <c>If-Match</c> is made only if no row that it changes was changed since.
/// </summary>
internal static class Precondition
{
    public const string Header = "If-Match";

    /// <summary>A filter that gives every versioned answer its tag.</summary>
    public static async ValueTask<object?> TagAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var result = await next(invocation);
        var inner = result is INestedHttpResult nested ? nested.Result : result;
        if (inner is IValueHttpResult { Value: IVersioned versioned })
            invocation.HttpContext.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{versioned.Version}\"");
        return result;
    }

    /// <summary>The version that the caller has read; null: they don't say. A condition that can't be kept is refused, and never passed over.</summary>
    public static (long? Read, ProblemHttpResult? Problem) Of(HttpRequest request, Endpoint endpoint)
    {
        var values = request.Headers.IfMatch;
        if (values.Count == 0 || HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return (null, null);
        if (endpoint.Metadata.GetMetadata<PolicyRoute>() is null) return (null, Problems.Invalid(Header, "This has no versions that could be compared."));
        var isTag = values is [{ Length: > 2 and < 24 } tag] && tag[0] == '"' && tag[^1] == '"'
            && long.TryParse(tag.AsSpan(1, tag.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        return isTag
            ? (long.Parse(values[0].AsSpan()[1..^1], NumberStyles.None, CultureInfo.InvariantCulture), null)
            : (null, Problems.Invalid(Header, "It is one ETag of this server, such as \"17\"."));
    }
}
