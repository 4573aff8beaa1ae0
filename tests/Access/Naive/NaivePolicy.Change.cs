namespace Countersign.Access.Tests.Naive;

/// <summary>What time alone changes.</summary>
internal sealed partial class NaivePolicy
{
    /// <summary>
    /// Instants after that of the question, in order, at which something that bears on it begins or ends: a grant that reaches the person on the device,
    /// the session hours of a connection, a request in hand. Felt: what the person is granted on the device is otherwise then, or the hours or a request are.
    /// </summary>
    public IEnumerable<(DateTimeOffset At, bool Felt)> Changes(AccessQuestion question)
    {
        if (Person(question.Subject) is not { } person || Device(question.Device) is not { } device) return [];
        if (!TakesPart(person) || SignInRule(question) != DenialReason.None) return [];
        var account = question.Account ?? DefaultAccount(device);
        var connects = NaiveCatalogue.IsConnection(question.Wanted);
        var grants = Bearing(person, device).Select(grant => grant.Window).ToList();
        var ahead = question.Preapprovals.Where(request => IsFor(request, person, device)).ToList();
        return from at in MayChange(question, device)
               let before = at.AddTicks(-1)
               let turns = ahead.Any(request => IsInForce(request, at) != IsInForce(request, before))
                   || (connects && HoursAreOpen(device, at) != HoursAreOpen(device, before))
                   || (connects && question.Approvals.Any(request => IsOpen(request, at) != IsOpen(request, before)))
               where turns || grants.Any(window => IsInForce(window, at) != IsInForce(window, before))
               select (at, turns
                   || Granted(person, device, account, at) != Granted(person, device, account, before)
                   || OnAnyAccount(person, device, at) != OnAnyAccount(person, device, before));
    }

    /// <summary>Grants that give the person something on the device while they are in force; the owner needs none.</summary>
    private IEnumerable<GrantRow> Bearing(PersonRow person, DeviceRow device) => person.Kind == PersonKind.Owner
        ? []
        : _grants.Where(grant => Reaches(grant, person) && Covers(grant.Scope, device))
            .Where(grant => grant.Accounts.Rule != AccountRule.Named || AccountsOf(device).Any(account => IsFor(grant.Accounts, device, account)));

    private static bool IsOpen(ApprovedRequest request, DateTimeOffset at) => request.ApprovedAt <= at && !(at >= request.OpenUntil);
}
