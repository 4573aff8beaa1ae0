namespace Countersign.Access;

/// <summary>All of an organization's policy at one version, immutable, compiled for questions.</summary>
public sealed partial class PolicySnapshot
{
    public OrganizationId Organization { get; }

    public long Version { get; }

    private PolicySnapshot(OrganizationId organization, long version)
    {
        Organization = organization;
        Version = version;
    }

    public static PolicySnapshot Compile(OrganizationId organization, long version, IEnumerable<PolicyRow> rows) => throw new NotImplementedException();

    public PolicySnapshot Apply(PolicyDelta delta) => throw new NotImplementedException();

    public IEnumerable<T> All<T>() where T : PolicyRow => throw new NotImplementedException();

    public PolicyRow? Find(RowKey key) => throw new NotImplementedException();

    public PersonRow? Person(PersonId id) => throw new NotImplementedException();

    public PersonRow? PersonByLogin(string login) => throw new NotImplementedException();

    public DeviceRow? Device(DeviceId id) => throw new NotImplementedException();

    public DeviceRow? DeviceByName(string name) => throw new NotImplementedException();

    public IReadOnlyList<DeviceAccountRow> AccountsOf(DeviceId device) => throw new NotImplementedException();

    public AccessExplanation Explain(in AccessQuestion question) => throw new NotImplementedException();

    public PlanResult Plan(PolicyCommand command, PersonId actor, DateTimeOffset at) => throw new NotImplementedException();

    public AccessDecision Decide(in AccessQuestion question) => throw new NotImplementedException();
}
