namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>For the strictest of the kinds of session that are wanted, without those that consent in hand was given to; what is of no kind asks nobody.</summary>
    private ConsentMode Consent(PersonRow person, DeviceRow device, AccessQuestion question, bool skips) =>
        question.Wanted.Select(permission => NaiveCatalogue.Get(permission).Kind)
            .Where(kind => kind != ConsentKind.None && !question.Consents.Contains(new(person.Id, device.Id, kind)))
            .SelectMany(kind => new[] { Consent(person, device, kind, skips), question.ConsentFloor?.For(kind) ?? ConsentMode.Off })
            .Append(ConsentMode.Off)
            .Max();

    /// <summary>
    /// The strictest of the device's setting and the groups' values; SkipConsent lowers both to <em>notify</em> for a screen and <em>off</em>
    /// for the rest. The owner's floor is kept by the device itself, which asks whatever the server says.
    /// </summary>
    public ConsentMode Consent(PersonRow person, DeviceRow device, ConsentKind kind, bool skips)
    {
        var asked = (ConsentMode)Math.Max((int)Asked(device, kind), (int)GroupConsent(person));
        if (!skips) return asked;
        return kind == ConsentKind.Screen ? ConsentMode.Notify : ConsentMode.Off;
    }

    /// <summary>The values of all the person's groups and of the groups above them, disabled ones too; a group's <em>ask</em> is one without connecting on no answer.</summary>
    public ConsentMode GroupConsent(PersonRow person) =>
        DirectMemberships(person).SelectMany(group => Upwards(group))
            .Select(group => group.Consent switch
            {
                Access.GroupConsent.None => ConsentMode.Off,
                Access.GroupConsent.Notify => ConsentMode.Notify,
                _ => ConsentMode.AskOrRefuse,
            })
            .Max();
}
