using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
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

    public static ProblemHttpResult Invalid(string field, string message) => Invalid([(field, message)]);

    /// <param name="errors">All of each field are told.</param>
    /// <param name="detail">What is to be said besides.</param>
    public static ProblemHttpResult Invalid(IEnumerable<(string Field, string Message)> errors, string? detail = null) => TypedResults.Problem(
        statusCode: StatusCodes.Status400BadRequest,
        title: "Something in the request is wrong",
        detail: detail,
        extensions: Errors(errors));

    /// <summary>Of several changes at once, which can't be made and why.</summary>
    /// <param name="place">Where in the request stands what a field of one of them is; the field is empty for the whole of it.</param>
    public static ProblemHttpResult Of(PlanResult.SomeRefused some, Func<RefusedStep, string, string> place)
    {
        var errors = some.Steps.SelectMany(step => Told(step.Reason).Select(told => (Field: place(step, told.Field), told.Message)));
        return some.Steps switch
        {
            _ when some.Steps.All(step => step.Reason is PlanResult.Forbidden) =>
                TypedResults.Problem(statusCode: StatusCodes.Status403Forbidden, title: "Not allowed", detail: Told(some.Steps[0].Reason)[0].Message, extensions: Errors(errors)),
            _ when some.Steps.All(step => step.Reason is PlanResult.Conflict) =>
                TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Contradicts what is there", detail: Told(some.Steps[0].Reason)[0].Message, extensions: Errors(errors)),
            _ => Invalid(errors),
        };
    }

    /// <summary>Each thing that is wrong with one change, with the field that it is of; without one where it is of the whole.</summary>
    public static IReadOnlyList<(string Field, string Message)> Told(PlanResult refusal) => refusal switch
    {
        PlanResult.Invalid invalid => [(invalid.Field, invalid.Message), .. invalid.Others.Select(other => (other.Field, other.Message))],
        PlanResult.NotFound(var what) => [("", $"There is no such {what}, or you may not see it.")],
        PlanResult.Forbidden(var reason) => [("", reason)],
        PlanResult.Conflict(var message) => [("", message)],
        _ => throw new ArgumentException("It is not a refusal.", nameof(refusal)),
    };

    public static ProblemHttpResult TooManyAttempts(HttpContext context, TimeSpan retryAfter) => TooMany(context, retryAfter, "Too many attempts");

    /// <summary>Of what is bounded in time.</summary>
    public static ProblemHttpResult TooMany(HttpContext context, TimeSpan retryAfter, string title, string? detail = null)
    {
        context.Response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture);
        return TypedResults.Problem(statusCode: StatusCodes.Status429TooManyRequests, title: title, detail: detail);
    }

    public static ProblemHttpResult Of(PlanResult refusal) => refusal switch
    {
        PlanResult.NotFound => NotFound(),
        PlanResult.Forbidden(var reason) => Forbidden(reason),
        PlanResult.Invalid => Invalid(Told(refusal)),
        PlanResult.SomeRefused some => Of(some, (step, field) => field.Length == 0 ? $"commands[{step.Index}]" : $"commands[{step.Index}].{field}"),
        PlanResult.Conflict(var message) => Conflict(message),
        _ => throw new ArgumentException("It is not a refusal.", nameof(refusal)),
    };

    private static Dictionary<string, object?> Errors(IEnumerable<(string Field, string Message)> errors) => new()
    {
        ["errors"] = errors.GroupBy(error => error.Field, error => error.Message).ToDictionary(field => field.Key, field => field.Distinct().ToArray()),
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
            BadHttpRequestException { InnerException: JsonException json } => Problems.Invalid(Wrong(json)),
            BadHttpRequestException bad => TypedResults.Problem(statusCode: bad.StatusCode, title: "The request can't be read"),
            _ => null,
        };
        if (problem is null)
        {
            var (method, path, reference) = (httpContext.Request.Method, httpContext.Request.Path, httpContext.TraceIdentifier);
            if (DatabaseFailure.Cause(exception) is { } database) LogDatabaseFailure(exception, method, path, reference, database.SqliteErrorCode, database.SqliteExtendedErrorCode);
            else LogFailure(exception, method, path, reference);
            problem = TypedResults.Problem(statusCode: StatusCodes.Status500InternalServerError, title: "The server failed", detail: $"Reference {httpContext.TraceIdentifier}");
        }

        await problem.ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>
    /// The fields that are missing, which only the message of the reader names, in quotes and as they are called here; of many it names the first few. Else the
    /// place where the reading stopped.
    /// </summary>
    private static IEnumerable<(string Field, string Message)> Wrong(JsonException exception)
    {
        const string Missing = "missing required properties including:";
        var at = Field(exception);
        var message = exception.Message;
        List<string> names = message.IndexOf(Missing, StringComparison.Ordinal) is >= 0 and var start ? [.. QuotedName().Matches(message, start).Select(name => name.Groups[1].Value)] : [];
        return names.Count == 0
            ? [(at, "It is unknown, missing, given twice or not of the right form.")]
            : names.Select(name => (at.Length == 0 ? name : $"{at}.{name}", "It is missing."));
    }

    [GeneratedRegex("'([A-Za-z][A-Za-z0-9_]*)'")]
    private static partial Regex QuotedName();

    /// <summary>From <c>$.window.hours</c> to <c>window.hours</c>.</summary>
    private static string Field(JsonException exception) => exception.Path?.TrimStart('$').TrimStart('.') ?? "";

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed ({Reference})")]
    private partial void LogFailure(Exception exception, string method, PathString path, string reference);

    [LoggerMessage(2, LogLevel.Error, "{Method} {Path} failed ({Reference}): the database says {Code}, extended {ExtendedCode}")]
    private partial void LogDatabaseFailure(Exception exception, string method, PathString path, string reference, int code, int extendedCode);
}
