using Countersign.Access;
using Countersign.Sessions.Files;

namespace Countersign.Sessions;

/// <summary>What a refused person is told. It tells no more than they may know.</summary>
internal static class Refusals
{
    public static string NoSuchDevice(ConnectionWish wish) => $"there is no device {wish.Device} that you may reach";

    public static string Describe(ConnectionWish wish, PolicySnapshot snapshot, in AccessQuestion question, AccessDecision decision)
    {
        switch (decision.Reason)
        {
            // These come before anything that is known of devices, and are the same whatever was asked for.
            case DenialReason.TwoFactorMissing:
                return "a second factor is required: sign in with one";
            case DenialReason.NetworkNotAllowed:
                return "your organization lets nobody in from where you are";
        }

        if (!decision.Visible) return NoSuchDevice(wish);
        return decision.Kind switch
        {
            DecisionKind.NeedsApproval => NeedsApproval(wish, snapshot, question),
            DecisionKind.MayBeRequested => $"{wish.Device} is on request: ask for access first, with countersign request {wish.Device} --for 1h",
            _ => decision.Reason switch
            {
                DenialReason.DeviceDisabled => $"{wish.Device} is switched off for connections",
                DenialReason.UnknownAccount => $"you may not use the account {wish.Account} on {wish.Device}",
                DenialReason.OutsideSessionHours => $"{wish.Device} is outside its session hours now",
                DenialReason.ConsentImpossible => $"somebody at {wish.Device} has to agree and nobody there can be asked",
                DenialReason.AboveCeiling => $"your technician groups don't allow {Labels(question.Wanted)}",
                DenialReason.RecordingForbids => $"{wish.Device} has to be recorded and {Unrecorded(wish, question)} can't be",
                _ when wish.LivesOn.Length > 1 => $"you may use none of {Labels(question.Wanted)} on {wish.Device}{(wish.Account is null ? "" : $" as {wish.Account}")}",
                _ => $"you may not use {Labels(question.Wanted)} on {wish.Device}{(wish.Account is null ? "" : $" as {wish.Account}")}{Hint(wish)}",
            },
        };
    }

    /// <summary>With who can give it; where nobody can, who can mend that.</summary>
    public static string NeedsApproval(ConnectionWish wish, PolicySnapshot snapshot, in AccessQuestion question) =>
        $"{wish.Device} needs approval. {Approvers(snapshot, question)}";

    /// <summary>Why there is no request.</summary>
    public static string NotAsked(ConnectionWish wish, ApprovalAsked asked) => asked switch
    {
        ApprovalAsked.Refused(var message) => message,
        ApprovalAsked.NeedsReason(var wanted) =>
            $"{wish.Device} needs approval, and a reason for it{(wanted.Length > 0 ? $": {wanted}" : "")}. {Elsewhere(wish)}",
        _ => throw new ArgumentException("It was asked.", nameof(asked)),
    };

    /// <summary>Where a reason is given that nobody could be asked for.</summary>
    private static string Elsewhere(ConnectionWish wish) => wish.Kind == SessionKind.Tunnel
        ? $"Give it in a session of the same connection (ssh -o SetEnv=LC_REASON=…, without -N), or ask ahead, with countersign request {wish.Device} --for 1h"
        : "Without a terminal, give it with ssh -o SetEnv=LC_REASON=…";

    /// <summary>A command of scp or rsync that is none here is one for a shell.</summary>
    private static string Hint(ConnectionWish wish) => wish.Kind == SessionKind.Command && FileCommand.IsMeant(wish.Command)
        ? "; files alone go without it where every path is plain: no patterns (* ? [), none of ' \" \\ ` $ & | ; < > ^ % !, no other options (scp without -O, and sftp, take every name)"
        : "";

    private static string Unrecorded(ConnectionWish wish, in AccessQuestion question) =>
        wish.FileCommand?.Protocol == FileProtocol.Rsync ? "what rsync does" : Labels(question.Wanted);

    private static string Labels(PermissionSet wanted) => string.Join(", ", wanted.Select(permission => PermissionCatalogue.Get(permission).Label));

    /// <summary>Rules are named as far as the person may see what they name; who can approve is answered to everybody.</summary>
    private static string Approvers(PolicySnapshot snapshot, in AccessQuestion question)
    {
        var at = question.At;
        var mending = snapshot.All<PersonRow>().Where(person => person.TakesPart && snapshot.IsMasterAdministrator(person.Id, at)).Select(person => person.Name);
        var steps = snapshot.ApprovalSteps(question, question.Subject).Select(step =>
        {
            var names = step.Approvers.Select(id => snapshot.Person(id)?.Name).OfType<string>().Order(StringComparer.Ordinal).ToList();
            return step.Blocked || names.Count == 0
                ? $"{step.Rule} {(names.Count == 0 ? "Nobody" : "Not enough people")} can give it now: {string.Join(" or ", mending.Order(StringComparer.Ordinal))} can appoint somebody."
                : $"{step.Rule} It can be given by {string.Join(" or ", names)}.";
        });
        return string.Join(' ', steps);
    }
}
