namespace Countersign.Access;

/// <summary>A tenant. Every row of policy belongs to exactly one.</summary>
public readonly record struct OrganizationId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>The owner, a technician or a contact.</summary>
public readonly record struct PersonId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct TechnicianGroupId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct DeviceGroupId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct DeviceId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct RoleId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct GrantId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct WorkflowId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

public readonly record struct ExternalGroupId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>An access request; an approved one is evidence in a question.</summary>
public readonly record struct AccessRequestId(Guid Value)
{
    public override string ToString() => Value.ToString();
}
