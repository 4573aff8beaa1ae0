using System.Net;
using System.Text.Json.Nodes;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>An <see cref="IdentityLab"/> with a real mail server that takes what it sends; ann is signed in.</summary>
internal sealed class MailLab : IAsyncDisposable
{
    /// <summary>What those choose who come by a link.</summary>
    public const string Chosen = "wandering-otter-lantern-58";

    private MailLab(MailServer post, IdentityLab lab, string ann) => (Post, Lab, Ann) = (post, lab, ann);

    public MailServer Post { get; }

    public IdentityLab Lab { get; }

    /// <summary>Her token.</summary>
    public string Ann { get; set; }

    /// <param name="address">Where links lead.</param>
    public static async Task<MailLab> StartAsync(string address = "https://gate.example.org/", Features.Identity.SignInLimits? limits = null)
    {
        var post = await MailServer.StartAsync();
        var lab = await IdentityLab.StartAsync(limits, mail: post.Clear, address: address);
        return new(post, lab, await lab.TokenOfAsync("ann"));
    }

    public async ValueTask DisposeAsync()
    {
        await Lab.DisposeAsync();
        await Post.DisposeAsync();
    }

    /// <summary>The subjects of the mails that come next, in order of the alphabet: those of one moment may overtake each other.</summary>
    public async Task<IReadOnlyList<string>> ToldAsync(int count)
    {
        var subjects = new List<string>();
        while (subjects.Count < count) subjects.Add((await Post.NextAsync()).Subject);
        return [.. subjects.Order(StringComparer.Ordinal)];
    }

    /// <summary>As ann.</summary>
    public async Task<(Guid Id, ReceivedMail Mail)> InviteAsync(string mail)
    {
        var invited = await Lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = mail }, Ann);
        invited.Status.ShouldBe(HttpStatusCode.Created, invited.Text);
        return (invited.Json["id"]!.GetValue<Guid>(), await Post.NextAsync());
    }

    public Task<Answer> JoinAsync(string token, string login, string password = Chosen, string? name = null)
    {
        var body = new JsonObject { ["token"] = token, ["login"] = login, ["password"] = password };
        if (name is not null) body["name"] = name;
        return Lab.SendAsync(HttpMethod.Post, "join", body);
    }

    /// <summary>As ann.</summary>
    public async Task<Guid> AddContactAsync(string mail)
    {
        var added = await Lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = mail }, Ann);
        added.Status.ShouldBe(HttpStatusCode.Created, added.Text);
        return added.Json["id"]!.GetValue<Guid>();
    }

    /// <summary>A contact wants a link.</summary>
    public Task<Answer> AskAsync(string mail) => Lab.SendAsync(HttpMethod.Post, "sign-in/link", new JsonObject { ["mail"] = mail });

    /// <summary>A contact wants a link and gets it.</summary>
    public async Task<ReceivedMail> LinkAsync(string mail)
    {
        (await AskAsync(mail)).Status.ShouldBe(HttpStatusCode.Accepted);
        return await Post.NextAsync();
    }

    /// <summary>A contact signs in by a link.</summary>
    public Task<Answer> UseAsync(string token) => Lab.SendAsync(HttpMethod.Post, "sign-in/link/use", new JsonObject { ["token"] = token });

    /// <summary>A contact's token, by a link.</summary>
    public async Task<string> ContactTokenAsync(string mail) => (await UseAsync((await LinkAsync(mail)).Token)).Json["token"]!.GetValue<string>();
}
