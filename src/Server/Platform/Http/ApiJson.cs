using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>How the API reads and writes JSON. Each feature adds its own generated context.</summary>
internal static class ApiJson
{
    public static void Configure(JsonSerializerOptions options)
    {
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.MaxDepth = 16;
        options.Converters.Add(new JsonStringEnumConverter<Permission>(namingPolicy: null, allowIntegerValues: false));
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
    }

    /// <summary>Adds a feature's generated types.</summary>
    public static IServiceCollection AddApiTypes(this IServiceCollection services, JsonSerializerContext types) =>
        services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, types));
}
