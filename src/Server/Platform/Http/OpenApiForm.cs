using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Countersign.Server.Platform;

/// <summary>What the generator can't see: tokens, refusals, and that the document is the same wherever the server listens.</summary>
internal static class OpenApiForm
{
    private const string Scheme = "token";
    private const string Problem = "Problem";

    public static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new() { Title = "Countersign", Version = "v1" };
            document.Servers = [];
            document.Components ??= new();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Scheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A token from sign-in or from the list of tokens." },
            };
            document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
            document.Components.Schemas[Problem] = ProblemDetails();
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var access = context.Description.ActionDescriptor.EndpointMetadata.OfType<RouteAccess>().LastOrDefault();
            operation.Responses ??= [];
            void Refuses(string status, string description) => operation.Responses.TryAdd(status, Refusal(description, context.Document));
            Refuses("400", "Something in the request is wrong: errors names the fields.");
            if (access?.Scope is not { } scope) return Task.CompletedTask;
            Refuses("401", "No token, or one that does not count (any more).");
            Refuses("403", scope == TokenScopes.None ? "Not allowed." : $"Not allowed; or the token lacks the scope {string.Join(", ", ScopeNames.Of(scope))}.");
            if (context.Description.RelativePath?.Contains('{', StringComparison.Ordinal) == true) Refuses("404", "Not there, or not the caller's to know of.");
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<PolicyRoute>().Any())
            {
                OffersPreview(operation);
                TakesCondition(operation);
                TellsChange(operation);
                Refuses("412", "A row that it changes was changed since the version in If-Match: detail says by whom and when.");
            }

            if (context.Description.HttpMethod != "GET" && scope != TokenScopes.None) Refuses("409", "It contradicts what is there.");
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] }];
            return Task.CompletedTask;
        });
    }

    private static void OffersPreview(OpenApiOperation operation)
    {
        operation.Parameters ??= [];
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = PolicyPreviewAnswer.Parameter,
            In = ParameterLocation.Query,
            Description = "With true nothing changes: the answer, always 200, is what the change would do.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.Boolean },
        });
    }

    private static void TakesCondition(OpenApiOperation operation) => operation.Parameters!.Add(new OpenApiParameter
    {
        Name = Precondition.Header,
        In = ParameterLocation.Header,
        Description = "The ETag of what was read: the change is made only if no row that it changes was changed since. Without it, it is made in any case.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    });

    private static void TellsChange(OpenApiOperation operation)
    {
        foreach (var (_, response) in operation.Responses!.Where(one => one.Key[0] == '2'))
        {
            if (response is not OpenApiResponse told) continue;
            told.Headers ??= new Dictionary<string, IOpenApiHeader>();
            told.Headers[ChangeTold.Header] = new OpenApiHeader
            {
                Description = $"The number of the change that was made, by which it is undone; {ChangeTold.None}: everything was so already. Left out of a preview.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            };
        }
    }

    private static OpenApiResponse Refusal(string description, OpenApiDocument? document) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType> { ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference(Problem, document) } },
    };

    /// <summary>RFC 9457, with what went wrong field by field.</summary>
    private static OpenApiSchema ProblemDetails() => new()
    {
        Type = JsonSchemaType.Object,
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["title"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
            ["detail"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "Messages by field.",
                AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
            },
        },
    };
}
