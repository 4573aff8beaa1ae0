using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Cli.Playing;

namespace Countersign.Cli.Api;

// What the commands read of the API's answers. A newer server may say more, and what it leaves out is null: nothing here is trusted to be there.

/// <summary>RFC 9457.</summary>
internal sealed record Problem(string? Title, string? Detail, Dictionary<string, string[]?>? Errors);

internal sealed record Person(string? Id, string? Login, string? Name, string? Kind);

/// <summary>Not a record: its text form would show the password.</summary>
internal sealed class SignInRequest
{
    public required string Login { get; init; }

    public required string Password { get; init; }

    /// <summary>By which the token is recognized in the list of one's tokens.</summary>
    public required string Label { get; init; }
}

/// <summary>Not a record: its text form would show the token.</summary>
internal sealed class SignInAnswer
{
    public string? Token { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public Person? Person { get; init; }

    /// <summary>Then the token is good for choosing a new password and for nothing else.</summary>
    public bool? MustChangePassword { get; init; }

    /// <summary>Then the token is good for setting up a second factor, until that is done.</summary>
    public bool? MustSetUpTwoFactor { get; init; }

    /// <summary>In place of a token: the password is right, and a code is wanted.</summary>
    public string? Ticket { get; init; }
}

/// <summary>Not a record: its text form would show both.</summary>
internal sealed class SignInCode
{
    public required string Ticket { get; init; }

    public required string Code { get; init; }

    public required string Label { get; init; }
}

/// <summary>A password, a code, or both, as they are wanted. Not a record: its text form would show them.</summary>
internal sealed class Proof
{
    public string? Password { get; init; }

    public string? Code { get; init; }
}

/// <summary>Not a record: its text form would show the secret.</summary>
internal sealed class Enrolment
{
    public string? Secret { get; init; }

    public string? Uri { get; init; }
}

/// <summary>Not a record: its text form would show the codes.</summary>
internal sealed class RecoveryCodes
{
    [JsonPropertyName("recoveryCodes")]
    public IReadOnlyList<string>? Codes { get; init; }
}

internal sealed record TwoFactor(bool? Enabled, DateTimeOffset? Since, int? Passkeys, int? RecoveryCodesLeft, bool? Required);

internal sealed record MailItem(string? Id, string? Kind, string? To, string? State, int? Attempts, DateTimeOffset? Created, string? Problem);

/// <summary>A page of a list.</summary>
/// <param name="Next">For what follows; null: this is the end.</param>
internal sealed record Page<T>(IReadOnlyList<T>? Items, string? Next);

internal sealed record PasskeyItem(string? Id, string? Label, DateTimeOffset? Added, DateTimeOffset? LastUsed, bool? Synced);

internal sealed record PasskeyNaming(string Label);

/// <summary>Not a record: its text form would show the password.</summary>
internal sealed class PasskeyRemoval
{
    public required string Password { get; init; }
}

internal sealed record NewToken(string Label, IReadOnlyList<string> Scopes, DateTimeOffset Expires);

/// <summary>Not a record: its text form would show the token.</summary>
internal sealed class MadeToken
{
    public string? Token { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public DateTimeOffset? Expires { get; init; }
}

internal sealed record TokenItem(string? Id, string? Label, IReadOnlyList<string>? Scopes, DateTimeOffset? Expires, DateTimeOffset? LastUsed, bool? Current);

internal sealed record SignInItem(
    string? Id, string? Kind, string? Label, string? Client, string? Address, DateTimeOffset? Since, DateTimeOffset? LastSeen, string? SignIn, bool? Current);

/// <summary>Not a record: its text form would show both.</summary>
internal sealed class PasswordChange
{
    public required string Current { get; init; }

    public required string New { get; init; }
}

internal sealed record Organization(string? Id, string? Name);

internal sealed record Me(Person? Person, Organization? Organization, IReadOnlyList<string>? Scopes, string? SignIn, long? Version);

/// <param name="Summary">Of a dry run only.</param>
/// <param name="Rows">Of a dry run only.</param>
internal sealed record ImportedDevices(int? Added, int? Changed, int? Groups, string? Summary, IReadOnlyList<TouchedRow>? Rows);

internal sealed record ExplanationLine(string? Text);

internal sealed record Explanation(string? Decision, string? Reason, IReadOnlyList<string>? Permissions, DateTimeOffset? Until, IReadOnlyList<ExplanationLine>? Lines, IReadOnlyList<string>? Change);

internal sealed record WhoCan(string? Login, string? Name, string? State, DateTimeOffset? Until);

internal sealed record PolicyChange(long? Id, DateTimeOffset? At, string? Login, string? Summary);

internal sealed record TouchedRow(string? Fate, string? Table, string? Id, string? Id2, string? Part);

/// <param name="Left">What was changed meanwhile, and stays.</param>
internal sealed record UndoneChange(string? Summary, IReadOnlyList<TouchedRow>? Left);

/// <param name="Complete">False: it means more than is told.</param>
internal sealed record PreviewedChange(string? Summary, IReadOnlyList<TouchedRow>? Rows, IReadOnlyList<PreviewedEffect>? Effects, bool? Complete);

/// <param name="Version">Of policy, to which a change has led.</param>
internal sealed record Versioned(long? Version);

/// <param name="Told">They are mailed that it was done.</param>
internal sealed record TwoFactorReset(bool? Told);

internal sealed record PreviewedEffect(
    int? PeopleCount,
    IReadOnlyList<string>? People,
    int? DeviceCount,
    IReadOnlyList<string>? Devices,
    string? Section,
    IReadOnlyList<PreviewedPermissions>? Gained,
    IReadOnlyList<PreviewedPermissions>? Lost,
    IReadOnlyList<PreviewedRestriction>? Restrictions);

internal sealed record PreviewedPermissions(IReadOnlyList<string>? Permissions, string? Accounts);

internal sealed record PreviewedRestriction(string? Kind, string? Before, string? After);

internal sealed record Session(
    string? Id,
    string? State,
    string? Login,
    string? DeviceName,
    string? Account,
    string? Kind,
    string? Command,
    string? Source,
    DateTimeOffset? Started,
    DateTimeOffset? Ended,
    string? Reason,
    string? Detail,
    DateTimeOffset? EndsAt,
    string? EndsBecause);

internal sealed record EndSessionRequest(string? Reason);

internal sealed record Authority(string? Id, string? PublicKey, string? Fingerprint, bool? First, DateTimeOffset? Created);

internal sealed record Authorities([property: JsonPropertyName("authorities")] IReadOnlyList<Authority>? Keys, [property: JsonPropertyName("trustedUserCAKeys")] string? TrustedUserCAKeys);

internal sealed record CertificateRequest(string Key);

internal sealed record CertificateMade(string? Certificate);

/// <summary>For what is told nothing but that it is to be done.</summary>
internal sealed record EmptyBody;

internal sealed record NamedPerson(string? Name);

internal sealed record RequestStep(IReadOnlyList<NamedPerson>? Approvers, bool? Open);

internal sealed record Request(
    long? Number,
    string? State,
    string? Login,
    string? DeviceName,
    string? Account,
    IReadOnlyList<string>? Permissions,
    string? Source,
    string? Reason,
    DateTimeOffset? Created,
    DateTimeOffset? Expires,
    NamedPerson? ChangedBy,
    string? Comment,
    IReadOnlyList<RequestStep>? Steps,
    bool? MayApprove,
    bool? MayMend,
    RequestAhead? Ahead);

/// <summary>What there is besides to a request for access ahead of time.</summary>
internal sealed record RequestAhead(NamedRole? Role, TimeAhead? Time, IReadOnlyList<NamedDevice>? Devices, long? Extends);

internal sealed record NamedRole(string? Id, string? Name);

internal sealed record NamedDevice(string? Id, string? Name);

/// <param name="Kind">fixed, fromApproval, fromFirstUse.</param>
internal sealed record TimeAhead(string? Kind, DateTimeOffset? From, DateTimeOffset? To, string? Duration, DateTimeOffset? LatestStart);

internal sealed record ExternalGroup(string? Id, string? Name, string? Description, IReadOnlyList<string>? Members);

internal sealed record NewExternalGroup(string Name, string Description);

internal sealed record AskAhead(TimeAhead Time, IReadOnlyList<string>? Devices, string? DeviceGroup, string? Role, string? Account, string Reason);

internal sealed record AskForMoreTime(DateTimeOffset? To, string? Duration, string Reason);

internal sealed record RequestLess(DateTimeOffset? From, DateTimeOffset? To, string? Duration, string? Role, IReadOnlyList<string>? Devices);

/// <summary>Its items as they came, because <c>approvals --follow --json</c> shows each on a line.</summary>
internal sealed record RequestItems(IReadOnlyList<JsonElement>? Items, string? Next);

/// <summary>What is said to a request: a comment with an approval, a reason with anything else.</summary>
internal sealed record DecisionRequest
{
    public string? Comment { get; init; }

    public string? Reason { get; init; }

    public RequestLess? Only { get; init; }
}

internal sealed record NewKey(string Label, string Key);

internal sealed record Key(string? Id, string? Label, string? Type, string? Fingerprint, DateTimeOffset? Added);

/// <param name="Host">Null: where the API is.</param>
internal sealed record SshDoor(string? Host, int? Port, IReadOnlyList<string>? HostKeys);

internal sealed record AuditActor(string? Login);

internal sealed record AuditItem(
    long? Id, DateTimeOffset? At, string? Kind, AuditActor? Actor, string? Channel, string? Source, string? Subject, string? Outcome, JsonElement? Details);

/// <summary>Its items as they came, because <c>audit tail --json</c> shows each on a line.</summary>
/// <summary>What <c>audit export --json</c> prints.</summary>
internal sealed record Exported(string File, long Records);

/// <param name="State">Complete, incomplete, deleted.</param>
/// <param name="Length">In seconds.</param>
internal sealed record Recording(
    string? Session,
    string? Login,
    string? DeviceName,
    string? Account,
    string? Kind,
    string? Command,
    DateTimeOffset? Started,
    [property: JsonPropertyName("recording")] string? State,
    bool? Missing,
    double? Length,
    long? Size);

/// <summary>What <c>export --json</c> prints.</summary>
internal sealed record ExportedRecording(string File, long Events);

/// <summary>What <c>audit verify --json</c> prints.</summary>
internal sealed record Verified(bool Intact, string Fault, long? Record, long Proved, long Erased, IReadOnlyCollection<string> ErasedFields, string Message);

internal sealed record CheckpointOf(string? Organization);

internal sealed record ErasureRequest(Guid Person, IReadOnlyList<string> Fields, string Reason, bool Preview);

internal sealed record Erasure(long? Records);

internal sealed record Technician(
    string? Id, string? Kind, string? Login, string? Name, string? Mail, string? State, string? Status, IReadOnlyList<string>? Groups, IReadOnlyList<string>? ExternalGroups, long? Version);

/// <summary>What is null stays as it is.</summary>
internal sealed record PersonChange(string? Name, string? Mail);

internal sealed record ProfileChange(string? Name);

/// <summary>Not a record: its text form would show the password.</summary>
internal sealed class NewTechnician
{
    public required string Kind { get; init; }

    public required string Login { get; init; }

    public required string Name { get; init; }

    public required string Mail { get; init; }

    /// <summary>Null: only to be shown what it would do.</summary>
    public string? Password { get; init; }
}

/// <summary>Not a record: its text form would show the password.</summary>
internal sealed class FirstPassword
{
    public required string Password { get; init; }
}

internal sealed record FirstPasswordSet(DateTimeOffset? Until);

internal sealed record NewContact(string Name, string Mail);

internal sealed record Invite(string Mail, string? Name, int Days);

internal sealed record Resend(int Days);

internal sealed record InvitationOf(string? State, string? Mail, DateTimeOffset? Expires);

internal sealed record JournalItem(long? Number, JsonElement? Event);

internal sealed record JournalPage(IReadOnlyList<JournalItem>? Items, string? Next, string? Damage);

/// <summary>What <c>journal verify --json</c> prints.</summary>
internal sealed record JournalVerified(bool Intact, string Fault, long Proved, string Message);

/// <summary>What <c>login --json</c> prints: the answer without the token.</summary>
internal sealed record SignedIn(string Server, Person? Person, DateTimeOffset? Expires);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 32)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(SignInAnswer))]
[JsonSerializable(typeof(PasswordChange))]
[JsonSerializable(typeof(SignInCode))]
[JsonSerializable(typeof(Proof))]
[JsonSerializable(typeof(Enrolment))]
[JsonSerializable(typeof(RecoveryCodes))]
[JsonSerializable(typeof(TwoFactor))]
[JsonSerializable(typeof(Page<SignInItem>), TypeInfoPropertyName = "SignInPage")]
[JsonSerializable(typeof(Page<MailItem>), TypeInfoPropertyName = "MailPage")]
[JsonSerializable(typeof(Page<PasskeyItem>), TypeInfoPropertyName = "PasskeyPage")]
[JsonSerializable(typeof(PasskeyNaming))]
[JsonSerializable(typeof(PasskeyRemoval))]
[JsonSerializable(typeof(NewToken))]
[JsonSerializable(typeof(MadeToken))]
[JsonSerializable(typeof(Page<TokenItem>), TypeInfoPropertyName = "TokenPage")]
[JsonSerializable(typeof(SignedIn))]
[JsonSerializable(typeof(Me))]
[JsonSerializable(typeof(Page<Device>), TypeInfoPropertyName = "DevicePage")]
[JsonSerializable(typeof(Device))]
[JsonSerializable(typeof(NewDevice))]
[JsonSerializable(typeof(DeviceChange))]
[JsonSerializable(typeof(DeviceBulk))]
[JsonSerializable(typeof(DeviceBulkDone))]
[JsonSerializable(typeof(AccountChange))]
[JsonSerializable(typeof(DeviceGroup))]
[JsonSerializable(typeof(DeviceGroupChange))]
[JsonSerializable(typeof(DeviceGroupToTop))]
[JsonSerializable(typeof(Settings))]
[JsonSerializable(typeof(SettingValue))]
[JsonSerializable(typeof(ForcedSetting))]
[JsonSerializable(typeof(PersonChange))]
[JsonSerializable(typeof(ProfileChange))]
[JsonSerializable(typeof(HostKeyWanted))]
[JsonSerializable(typeof(HostKeyShown))]
[JsonSerializable(typeof(Explanation))]
[JsonSerializable(typeof(Page<WhoCan>), TypeInfoPropertyName = "WhoCanPage")]
[JsonSerializable(typeof(Page<PolicyChange>), TypeInfoPropertyName = "PolicyChangePage")]
[JsonSerializable(typeof(ImportedDevices))]
[JsonSerializable(typeof(UndoneChange))]
[JsonSerializable(typeof(PreviewedChange))]
[JsonSerializable(typeof(TwoFactorReset))]
[JsonSerializable(typeof(Versioned))]
[JsonSerializable(typeof(Page<Session>), TypeInfoPropertyName = "SessionPage")]
[JsonSerializable(typeof(EndSessionRequest))]
[JsonSerializable(typeof(Request))]
[JsonSerializable(typeof(Page<Request>), TypeInfoPropertyName = "RequestPage")]
[JsonSerializable(typeof(Page<NamedRole>), TypeInfoPropertyName = "RolePage")]
[JsonSerializable(typeof(Page<ExternalGroup>), TypeInfoPropertyName = "ExternalGroupPage")]
[JsonSerializable(typeof(NewExternalGroup))]
[JsonSerializable(typeof(Page<DeviceGroup>), TypeInfoPropertyName = "DeviceGroupPage")]
[JsonSerializable(typeof(AskAhead))]
[JsonSerializable(typeof(AskForMoreTime))]
[JsonSerializable(typeof(RequestItems))]
[JsonSerializable(typeof(DecisionRequest))]
[JsonSerializable(typeof(NewKey))]
[JsonSerializable(typeof(Key))]
[JsonSerializable(typeof(Page<Key>), TypeInfoPropertyName = "KeyPage")]
[JsonSerializable(typeof(SshDoor))]
[JsonSerializable(typeof(AuditItem))]
[JsonSerializable(typeof(Page<JsonElement>), TypeInfoPropertyName = "AuditPage")]
[JsonSerializable(typeof(Exported))]
[JsonSerializable(typeof(Verified))]
[JsonSerializable(typeof(Page<Recording>), TypeInfoPropertyName = "RecordingPage")]
[JsonSerializable(typeof(ExportedRecording))]
[JsonSerializable(typeof(RecordedLine))]
[JsonSerializable(typeof(CheckpointOf))]
[JsonSerializable(typeof(ErasureRequest))]
[JsonSerializable(typeof(Erasure))]
[JsonSerializable(typeof(Technician))]
[JsonSerializable(typeof(Page<Technician>), TypeInfoPropertyName = "TechnicianPage")]
[JsonSerializable(typeof(NewTechnician))]
[JsonSerializable(typeof(FirstPassword))]
[JsonSerializable(typeof(FirstPasswordSet))]
[JsonSerializable(typeof(NewContact))]
[JsonSerializable(typeof(Invite))]
[JsonSerializable(typeof(Resend))]
[JsonSerializable(typeof(InvitationOf))]
[JsonSerializable(typeof(JournalPage))]
[JsonSerializable(typeof(JournalVerified))]
[JsonSerializable(typeof(Authorities))]
[JsonSerializable(typeof(CertificateRequest))]
[JsonSerializable(typeof(CertificateMade))]
[JsonSerializable(typeof(EmptyBody))]
[JsonSerializable(typeof(Page<TreeGroup>), TypeInfoPropertyName = "TreeGroupPage")]
[JsonSerializable(typeof(Page<TechnicianGroup>), TypeInfoPropertyName = "TechnicianGroupPage")]
[JsonSerializable(typeof(TechnicianGroup))]
[JsonSerializable(typeof(TechnicianGroupChange))]
[JsonSerializable(typeof(ApprovedExternals))]
[JsonSerializable(typeof(GroupPermissions))]
[JsonSerializable(typeof(GroupPermissionChange))]
[JsonSerializable(typeof(PermissionCatalogue))]
[JsonSerializable(typeof(Page<Role>), TypeInfoPropertyName = "WholeRolePage")]
[JsonSerializable(typeof(Role))]
[JsonSerializable(typeof(NewRole))]
[JsonSerializable(typeof(RoleChange))]
[JsonSerializable(typeof(Page<Grant>), TypeInfoPropertyName = "GrantPage")]
[JsonSerializable(typeof(Grant))]
[JsonSerializable(typeof(NewGrant))]
[JsonSerializable(typeof(GrantChange))]
[JsonSerializable(typeof(Page<Workflow>), TypeInfoPropertyName = "WorkflowPage")]
[JsonSerializable(typeof(Workflow))]
[JsonSerializable(typeof(NewWorkflow))]
[JsonSerializable(typeof(WorkflowChange))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ApiJson : JsonSerializerContext;
