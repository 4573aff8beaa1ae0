using System.Net;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Identity;

/// <summary>Writes down who failed to sign in. Noting one takes no time, and the same for every login.</summary>
/// <remarks>
/// A login that nobody has is not written down: people type their passwords there by mistake. Its failures are those of the source. With more
/// than one organization on the server, they belong to none and are only logged.
/// </remarks>
internal sealed class SignInFailures(PolicySource policy, RepeatedRefusals refusals)
{
    public void Note(string login, IPAddress source, string channel, string method)
    {
        if (!policy.TryFindLogin(login, out var organization, out var person))
        {
            var only = policy.All.Take(2).ToList();
            organization = only.Count == 1 ? only[0].Organization : default;
        }

        refusals.Note(organization, new()
        {
            Kind = "sign-in.refused",
            Actor = person?.Id,
            ActorLogin = person?.Login ?? "",
            Channel = channel,
            Source = source,
            Subject = person?.Login ?? "",
            SubjectId = person?.Id.Value,
            Details = new() { ["method"] = method },
        });
    }
}
