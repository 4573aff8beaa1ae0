using System.Net;
using System.Text.Json.Nodes;

namespace Countersign.Server.Tests.Identity.Passkeys;

/// <summary>What a browser sends to add a passkey and to sign in with one.</summary>
internal static class PasskeyCalls
{
    public static Task<Answer> AskToAddAsync(this IdentityLab lab, string token, string password = IdentityLab.Password) =>
        lab.SendAsync(HttpMethod.Post, "me/passkeys/options", new JsonObject { ["password"] = password }, token);

    /// <param name="asked">The answer to asking.</param>
    public static Task<Answer> AddAsync(this IdentityLab lab, string token, JsonObject asked, TestPasskey passkey, string label = "laptop") => lab.SendAsync(
        HttpMethod.Post,
        "me/passkeys",
        new JsonObject { ["ceremony"] = asked["ceremony"]!.DeepClone(), ["label"] = label, ["credential"] = passkey.Create(asked["publicKey"]!) },
        token);

    /// <summary>Both steps.</summary>
    public static async Task<Answer> AddPasskeyAsync(this IdentityLab lab, string token, TestPasskey passkey, string label = "laptop") =>
        await lab.AddAsync(token, (await lab.AskToAddAsync(token)).Json, passkey, label);

    /// <summary>A person's first; the token stays good and has proven two factors.</summary>
    public static async Task<(string Token, Guid Id)> WithPasskeyAsync(this IdentityLab lab, string login, TestPasskey passkey)
    {
        var token = await lab.TokenOfAsync(login);
        var added = await lab.AddPasskeyAsync(token, passkey);
        added.Status.ShouldBe(HttpStatusCode.Created, added.Text);
        return (token, added.Json["id"]!.GetValue<Guid>());
    }

    public static Task<Answer> AskToSignInAsync(this IdentityLab lab, string? ticket = null) =>
        lab.SendAsync(HttpMethod.Post, "sign-in/passkey/options", ticket is null ? new JsonObject() : new JsonObject { ["ticket"] = ticket });

    public static Task<Answer> SignInAsync(this IdentityLab lab, JsonObject asked, TestPasskey passkey) => lab.SignInAsync(asked, passkey.Get(asked["publicKey"]!));

    public static Task<Answer> SignInAsync(this IdentityLab lab, JsonObject asked, JsonObject credential) =>
        lab.SendAsync(HttpMethod.Post, "sign-in/passkey", new JsonObject { ["ceremony"] = asked["ceremony"]!.DeepClone(), ["credential"] = credential.DeepClone() });

    /// <summary>Both steps, and with nothing else.</summary>
    public static async Task<Answer> SignInAsync(this IdentityLab lab, TestPasskey passkey) => await lab.SignInAsync((await lab.AskToSignInAsync()).Json, passkey);

    public static async Task<string> TicketAsync(this IdentityLab lab, string login) =>
        (await lab.SignInAsync(login, IdentityLab.Password)).Json["ticket"]!.GetValue<string>();

    public static Task<Answer> RemovePasskeyAsync(this IdentityLab lab, string token, Guid id, string password = IdentityLab.Password) =>
        lab.SendAsync(HttpMethod.Post, $"me/passkeys/{id}/remove", new JsonObject { ["password"] = password }, token);
}
