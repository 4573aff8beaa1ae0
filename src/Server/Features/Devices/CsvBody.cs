using System.Text;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Countersign.Server.Features.Devices;

/// <summary>
/// A table that is sent as the body of a request, in UTF-8. Read before any filter runs, as every body is: so the rights of a token are looked at once
/// all of it is there.
/// </summary>
internal sealed record CsvBody(string Text)
{
    /// <summary>Bytes.</summary>
    public const int Largest = 8 * 1024 * 1024;

    /// <exception cref="BadHttpRequestException">It is something else, or too large.</exception>
    public static async ValueTask<CsvBody?> BindAsync(HttpContext context)
    {
        var isCsv = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && type.MediaType.Equals(Csv.ContentType, StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || type.Charset.Equals(Encoding.UTF8.WebName, StringComparison.OrdinalIgnoreCase));
        if (!isCsv) throw new BadHttpRequestException($"The body is {Csv.ContentType} in UTF-8.", StatusCodes.Status415UnsupportedMediaType);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = Largest;
        using var reader = new StreamReader(context.Request.Body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
        try
        {
            return new(await reader.ReadToEndAsync(context.RequestAborted));
        }
        catch (DecoderFallbackException)
        {
            throw new BadHttpRequestException("The body is not UTF-8.");
        }
    }
}
