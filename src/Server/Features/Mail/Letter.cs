using System.Text;
using System.Text.Json.Serialization;
using Countersign.Access;
using MimeKit;
using MimeKit.Text;

namespace Countersign.Server.Features.Mail;

/// <param name="Label">What the button says.</param>
/// <param name="Address">Where it leads. It may hold a one-time token: secret until it is used.</param>
internal sealed record LetterAction(string Label, string Address)
{
    public override string ToString() => $"{nameof(LetterAction)} {Label}";
}

/// <summary>What a mail says, in plain words. The one place that makes a form of it, for eyes and for programs.</summary>
/// <param name="Kind">For lists and the log, such as <c>invitation</c>.</param>
/// <param name="Paragraphs">In order, the button comes after the first.</param>
internal sealed record Letter(string Kind, string Subject, IReadOnlyList<string> Paragraphs, LetterAction? Action = null)
{
    private const int LongestSubject = 150;

    public override string ToString() => $"{nameof(Letter)} {Kind}";

    /// <summary>A message with the same id however often it is made: whoever gets it twice sees that it is one.</summary>
    public MimeMessage ToMessage(MailboxAddress from, string to, Guid id, DateTimeOffset at)
    {
        if (!Names.IsMail(to)) throw new ArgumentException("no mail address", nameof(to));
        var message = new MimeMessage
        {
            Subject = OneLine(Subject),
            MessageId = $"{id:N}@{from.Domain}",
            Date = at,
            Body = new MultipartAlternative
            {
                new TextPart(TextFormat.Plain) { Text = ToText() },
                new TextPart(TextFormat.Html) { Text = ToHtml() },
            },
        };
        message.From.Add(from);
        message.To.Add(new MailboxAddress("", to));

        // RFC 3834 section 5: nobody's absence is to be answered to us.
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        return message;
    }

    private string ToText()
    {
        var text = new StringBuilder();
        for (var at = 0; at < Paragraphs.Count; at++)
        {
            text.Append(Paragraphs[at]).Append("\r\n\r\n");
            if (at == 0 && Action is not null) text.Append(Action.Label).Append(":\r\n").Append(Action.Address).Append("\r\n\r\n");
        }

        return text.ToString();
    }

    private string ToHtml()
    {
        var html = new StringBuilder("<!doctype html><html lang=\"en\"><body style=\"font:16px/1.5 sans-serif;color:#1a2230\">");
        for (var at = 0; at < Paragraphs.Count; at++)
        {
            html.Append("<p>").Append(Escaped(Paragraphs[at])).Append("</p>");
            if (at == 0 && Action is not null)
            {
                html.Append("<p><a href=\"").Append(Escaped(Action.Address))
                    .Append("\" style=\"display:inline-block;padding:10px 20px;border-radius:6px;background:#1f5fbf;color:#ffffff;text-decoration:none;font-weight:bold\">")
                    .Append(Escaped(Action.Label)).Append("</a></p>");
            }
        }

        return html.Append("</body></html>").ToString();
    }

    private static string Escaped(string text) => System.Net.WebUtility.HtmlEncode(text);

    /// <summary>A subject is one header: whatever a name holds, nothing in it ends the line.</summary>
    private static string OneLine(string text)
    {
        var line = string.Concat(text.Select(character => char.IsControl(character) || character is '\u2028' or '\u2029' ? ' ' : character));
        return line.Length <= LongestSubject ? line : line[..LongestSubject];
    }
}

[JsonSerializable(typeof(Letter))]
internal sealed partial class LetterJson : JsonSerializerContext;
