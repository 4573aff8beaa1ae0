using System.Globalization;
using System.Text.Json;
using Countersign.Access;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

/// <summary>The one place where refusals become answers (RFC 9457).</summary>
internal static class Problems
{
    /// <summary>Not there, or not the caller's to know of: one same body.</summary>
    public static ProblemHttpResult NotFound() => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not found");

    public static ProblemHttpResult Unauthorized() => TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "Sign in first");

    public static ProblemHttpResult Forbidden(string detail) =>
        TypedResults.Problem(statusCode: StatusCodes.Status403Forbidden, title: "Not allowed", detail: detail);

    public static ProblemHttpResult Conflict(string detail) =>
        TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Contradicts what is there", detail: detail);

    /// <summary>Two have edited the same, and this one was second.</summary>
    public static ProblemHttpResult Stale(PolicyOutcome.Stale stale) => TypedResults.Problem(
        statusCode: StatusCodes.Status412PreconditionFailed,
        title: "Changed since you read it",
        detail: stale is { By: { } by, At: { } at } ? string.Create(CultureInfo.InvariantCulture, $"Changed by {by} at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.") : "Too much was changed since: read it again.",
        extensions: new Dictionary<string, object?> { ["changedBy"] = stale.By, ["changedAt"] = stale.At, ["version"] = stale.Version });

    public static ProblemHttpResult Invalid(string field, string message) => TypedResults.Problem(
        statusCode: StatusCodes.Status400BadRequest,
        title: "Something in the request is wrong",
        extensions: new Dictionary<string, object?> { ["errors"] = new Dictionary<string, string[]> { [field] = [message] } });

    public static ProblemHttpResult TooManyAttempts(HttpContext context, TimeSpan retryAfter)
    {
        context.Response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture);
        return TypedResults.Problem(statusCode: StatusCodes.Status429TooManyRequests, title: "Too many attempts");
    }

    public static ProblemHttpResult Of(PlanResult refusal) => refusal switch
    {
        PlanResult.NotFound => NotFound(),
        PlanResult.Forbidden(var reason) => Forbidden(reason),
        PlanResult.Invalid(var field, var message) => Invalid(field, message),
        PlanResult.Conflict(var message) => Conflict(message),
        _ => throw new ArgumentException("It is not a refusal.", nameof(refusal)),
    };
}

/// <summary>Turns what should not have happened into problem details: what a request did wrong is told, what the server did wrong is logged.</summary>
internal sealed partial class ProblemOfException(ILogger<ProblemOfException> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = exception switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
                TypedResults.Problem(statusCode: StatusCodes.Status413PayloadTooLarge, title: "The request is too large"),
            BadHttpRequestException { InnerException: JsonException json } => Problems.Invalid(Field(json), "It is unknown, missing, given twice or not of the right form."),
            BadHttpRequestException bad => TypedResults.Problem(statusCode: bad.StatusCode, title: "The request can't be read"),
            _ => null,
        };
        if (problem is null)
        {
            LogFailure(exception, httpContext.Request.Method, httpContext.Request.Path, httpContext.TraceIdentifier);
            problem = TypedResults.Problem(statusCode: StatusCodes.Status500InternalServerError, title: "The server failed", detail: $"Reference {httpContext.TraceIdentifier}");
        }

        await problem.ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>From <c>$.window.hours</c> to <c>window.hours</c>.</summary>
    private static string Field(JsonException exception) => exception.Path?.TrimStart('$').TrimStart('.') ?? "";

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed ({Reference})")]
    private partial void LogFailure(Exception exception, string method, PathString path, string reference);
}
