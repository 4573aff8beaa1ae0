using System.Net;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Invitations;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Technicians;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Ssh;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Identity;

/// <summary>What was looked at before the writer's turn is looked at again in it: the writer is held while the password is verified, and something happens first.</summary>
public sealed class WriterTurnTests
{
    private const string Other = "violet-tractor-anthem-08";

    /// <summary>Strong enough by the usual rule, and not by the strictest.</summary>
    private const string Middling = "table-window-47";

    [Fact]
    public async Task A_sign_in_whose_turn_comes_undisturbed_gets_its_token()
    {
        await using var lab = await IdentityLab.StartAsync();
        var (signing, _) = await SignInBehindAsync(lab, (_, _) => Task.CompletedTask);
        signing.ShouldBeOfType<Ok<SignInAnswer>>();
    }

    [Fact]
    public async Task A_sign_in_whose_password_is_changed_before_its_turn_gets_no_token()
    {
        await using var lab = await IdentityLab.StartAsync();
        var passwords = lab.Get<Passwords>();
        var hash = await passwords.HashAsync(Other, IdentityLab.Stop);
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(lab, (db, stop) => passwords.SetAsync(db, lab.Tom.Id, hash, PasswordChoice.Own, stop));
    }

    [Fact]
    public async Task A_sign_in_whose_person_sets_up_a_second_factor_before_its_turn_gets_no_token()
    {
        await using var lab = await IdentityLab.StartAsync();
        await RefusedAsync(lab, (db, _) =>
        {
            db.Add(new Authenticator { OrganizationId = lab.Organization, Person = lab.Tom.Id, Ciphertext = [1], LastStep = 0, Confirmed = lab.Clock.GetUtcNow() });
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_sign_in_behind_a_disabling_of_the_same_group_gets_no_token()
    {
        await using var lab = await IdentityLab.StartAsync();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (_, _) => Task.CompletedTask);
        await entered.Task;
        var disabling = lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn, new PolicyCommand.SetPersonStatus(lab.Tom.Id, PersonStatus.Disabled), IdentityLab.Stop);
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        var signing = lab.Get<SigningIn>().ByPasswordAsync(new("tom", IdentityLab.Password), context, IdentityLab.Stop);
        await VerifiedAsync(lab);
        go.SetResult();
        await held;
        (await disabling).ShouldBeOfType<PolicyOutcome.Applied>();
        (await signing).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await db.Set<ApiToken>().AnyAsync(row => row.Person == lab.Tom.Id, IdentityLab.Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task Of_two_changes_of_a_password_that_both_knew_the_old_one_the_first_counts()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("tom");
        var caller = await CallerAsync(lab);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (_, _) => Task.CompletedTask);
        await entered.Task;
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        var first = ChangeAsync(lab, caller, Other);
        await VerifiedAsync(lab);
        var second = ChangeAsync(lab, caller, "marble-lantern-coffee-73");
        await VerifiedAsync(lab);
        go.SetResult();
        await held;
        object[] answers = [(await first).Result, (await second).Result];
        answers.OfType<NoContent>().Count().ShouldBe(1);
        answers.OfType<ProblemHttpResult>().ShouldHaveSingleItem().StatusCode.ShouldBe(StatusCodes.Status400BadRequest);
    }

    [Fact]
    public async Task A_change_of_a_password_whose_token_ends_before_its_turn_changes_nothing()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("tom");
        var caller = await CallerAsync(lab);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (db, stop) => db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop));
        await entered.Task;
        var changing = ChangeAsync(lab, caller, Other);
        await VerifiedAsync(lab);
        go.SetResult();
        await held;
        (await changing).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("own")]
    [InlineData("somebody else's")]
    public async Task A_key_that_comes_with_a_token_which_ends_before_its_turn_is_not_added(string whose)
    {
        await using var lab = await IdentityLab.StartAsync();
        var person = whose == "own" ? lab.Tom : lab.Ann;
        await lab.TokenOfAsync(person.Login);
        var caller = await CallerAsync(lab, person);
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        var request = new KeyRequest("x", key.PublicKey.ToString());
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (db, stop) => db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop));
        await entered.Task;
        var adding = whose == "own"
            ? Keys.AddMineAsync(request, caller, lab.Get<OwnProof>(), lab.Get<RegisteredKeys>(), lab.Get<AccountNews>(), lab.Get<WriteQueue>(), IdentityLab.Stop)
            : Keys.AddForAsync(lab.Tom.Id.Value, request, caller, lab.Get<OwnProof>(), lab.Get<RegisteredKeys>(), lab.Get<AccountNews>(), lab.Get<PolicyWriter>(), IdentityLab.Stop);
        go.SetResult();
        await held;
        (await adding).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await db.Set<RegisteredKey>().AnyAsync(IdentityLab.Stop)).ShouldBeFalse();
    }

    [Fact]
    public async Task No_app_is_set_up_with_a_token_which_ends_before_its_turn()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("tom");
        var caller = await CallerAsync(lab, lab.Tom);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (db, stop) => db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop));
        await entered.Task;
        var enrolling = lab.Get<MyTwoFactor>().EnrolAsync(new(IdentityLab.Password), caller, new DefaultHttpContext(), IdentityLab.Stop);
        go.SetResult();
        await held;
        (await enrolling).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("password")]
    public async Task No_second_factor_is_taken_away_by_a_token_or_a_password_that_goes_before_its_turn(string gone)
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        var caller = await CallerAsync(lab, lab.Tom) with { Strength = SignInStrength.TwoFactor };
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (db, stop) => gone == "token"
            ? db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop)
            : db.Set<Credential>().Where(row => row.Person == lab.Tom.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Changed, lab.Clock.GetUtcNow().AddSeconds(1)), stop));
        await entered.Task;
        var disabling = lab.Get<MyTwoFactor>().DisableAsync(new(IdentityLab.Password, app.Next()), caller, new DefaultHttpContext(), IdentityLab.Stop);
        await VerifiedAsync(lab);
        go.SetResult();
        await held;
        (await disabling).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
        await using var db = lab.Get<Database>().Read(lab.Organization);
        (await SecondFactor.HasAppAsync(db, lab.Tom.Id, IdentityLab.Stop)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("token")]
    [InlineData("second factor")]
    public async Task Nothing_is_handed_over_by_a_token_that_ends_or_a_password_that_is_not_enough_any_more_before_its_turn(string changed)
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("ann");
        var caller = await CallerAsync(lab, lab.Ann);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, async (db, stop) =>
        {
            if (changed == "token") await db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop);
            else db.Add(new Authenticator { OrganizationId = lab.Organization, Person = lab.Ann.Id, Ciphertext = [1], LastStep = 0, Confirmed = lab.Clock.GetUtcNow() });
        });
        await entered.Task;
        var handing = lab.Get<HandOver>().HandleAsync(lab.Tom.Id.Value, new(IdentityLab.Password), caller, new DefaultHttpContext(), IdentityLab.Stop);
        await VerifiedAsync(lab, "ann");
        go.SetResult();
        await held;
        (await handing).Result.ShouldBeOfType<ProblemHttpResult>();
        lab.Get<PolicySource>().Current(lab.Organization)!.Person(lab.Ann.Id)!.Kind.ShouldBe(PersonKind.Owner);
    }

    [Theory]
    [InlineData(SettingKind.AllowedNetworks, "192.0.2.0/24", StatusCodes.Status404NotFound)]
    [InlineData(SettingKind.PasswordStrength, "4", StatusCodes.Status400BadRequest)]
    public async Task Nobody_joins_against_the_rules_that_are_set_before_their_turn(SettingKind setting, string value, int status)
    {
        await using var with = await MailLab.StartAsync();
        var (id, mail) = await with.InviteAsync("eve@example.org");
        var (held, setting2) = await SetBehindAsync(with.Lab, setting, value);
        var joining = with.Lab.Get<Joining>().JoinAsync(new(mail.Token, "eve", Middling), Here(), IdentityLab.Stop);
        await HashedAsync(with.Lab);
        held.SetResult();
        (await setting2).ShouldBeOfType<PolicyOutcome.Applied>();
        (await joining).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(status);
        with.Lab.Get<PolicySource>().Current(with.Lab.Organization)!.Person(new(id))!.State.ShouldBe(PersonState.Invited);
    }

    [Fact]
    public async Task No_password_is_chosen_that_is_too_weak_by_the_rules_that_are_set_before_its_turn()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("tom");
        var caller = await CallerAsync(lab);
        var (held, setting) = await SetBehindAsync(lab, SettingKind.PasswordStrength, "4");
        var changing = ChangeAsync(lab, caller, Middling);
        await HashedAsync(lab);
        held.SetResult();
        (await setting).ShouldBeOfType<PolicyOutcome.Applied>();
        (await changing).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status400BadRequest);
        (await lab.SignInAsync("tom", Middling)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Somebody_whose_login_becomes_free_before_their_turn_is_not_added_without_their_password()
    {
        await using var lab = await IdentityLab.StartAsync();
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (_, _) => Task.CompletedTask);
        await entered.Task;
        var removing = ApplyAsync(lab, new PolicyCommand.DeletePerson(lab.Tom.Id));
        var adding = AddAsync(lab, "tom", Other);
        go.SetResult();
        await held;
        (await removing).ShouldBeOfType<PolicyOutcome.Applied>();
        (await adding).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status409Conflict);
        lab.Get<PolicySource>().Current(lab.Organization)!.All<PersonRow>().ShouldNotContain(person => person.Login == "tom");
        (await AddAsync(lab, "tom", Other)).Result.ShouldBeOfType<Created<TechnicianAnswer>>();
        (await lab.SignInAsync("tom", Other)).Json["mustChangePassword"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task Nobody_is_added_with_a_first_password_by_a_token_that_ends_while_it_is_hashed()
    {
        await using var lab = await IdentityLab.StartAsync();
        await lab.TokenOfAsync("ann");
        var caller = await CallerAsync(lab, lab.Ann);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (db, stop) => db.Set<ApiToken>().Where(row => row.Id == caller.TokenId).ExecuteDeleteAsync(stop));
        await entered.Task;
        var adding = AddAsync(lab, "neo", Other, caller);
        await HashedAsync(lab);
        go.SetResult();
        await held;
        (await adding).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
        lab.Get<PolicySource>().Current(lab.Organization)!.All<PersonRow>().ShouldNotContain(person => person.Login == "neo");
    }

    [Fact]
    public async Task Nobody_is_added_with_a_first_password_that_is_too_weak_by_the_rules_that_are_set_before_its_turn()
    {
        await using var lab = await IdentityLab.StartAsync();
        var (held, setting) = await SetBehindAsync(lab, SettingKind.PasswordStrength, "4");
        var adding = AddAsync(lab, "neo", Middling);
        await HashedAsync(lab);
        held.SetResult();
        (await setting).ShouldBeOfType<PolicyOutcome.Applied>();
        (await adding).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status400BadRequest);
        lab.Get<PolicySource>().Current(lab.Organization)!.All<PersonRow>().ShouldNotContain(person => person.Login == "neo");
    }

    [Fact]
    public async Task A_code_lets_nobody_in_from_where_people_may_not_be_by_the_time_of_its_turn()
    {
        await using var lab = await IdentityLab.StartAsync();
        var app = await lab.EnrolAsync("tom");
        using var password = Secret.FromText(IdentityLab.Password);
        var proven = (await lab.SshDoor.WithPasswordAsync("tom", password, IPAddress.Loopback, IdentityLab.Stop)).ShouldBeOfType<SignInStep.CodeWanted>().Proven;
        using var code = Secret.FromText(app.Next());
        var (held, setting) = await SetBehindAsync(lab, SettingKind.AllowedNetworks, "192.0.2.0/24");
        var coming = lab.SshDoor.WithCodeAsync(proven, code, IPAddress.Loopback, IdentityLab.Stop).AsTask();
        held.SetResult();
        (await setting).ShouldBeOfType<PolicyOutcome.Applied>();
        (await coming).ShouldBeOfType<SignInStep.Refused>();
    }

    [Fact]
    public async Task What_master_administrators_alone_do_is_not_done_by_who_is_none_by_the_time_of_their_turn()
    {
        await using var lab = await IdentityLab.StartAsync(mail: new() { Host = "127.0.0.1", Port = 1, Security = MailSecurity.None, From = "gate@example.org" });
        var grant = new GrantId(Guid.NewGuid());
        (await ApplyAsync(lab, new PolicyCommand.AddGrant(grant, new(SubjectKind.Person, lab.Tom.Id.Value), GrantScope.Team, SystemRoles.TeamAdministrator.Id, GrantAccounts.Any, GrantWindow.Always))).ShouldBeOfType<PolicyOutcome.Applied>();
        var mail = await lab.Get<WriteQueue>().WriteAsync(lab.Organization, (db, _) => Task.FromResult(lab.Get<Outbox>().Add(db, "x@example.org", new("test", "Test", ["Test."]))!.Value), IdentityLab.Stop);
        await lab.TokenOfAsync("tom");
        var caller = await CallerAsync(lab);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (_, _) => Task.CompletedTask);
        await entered.Task;
        var removing = ApplyAsync(lab, new PolicyCommand.RemoveGrant(grant));
        var rotating = lab.Get<SshAuthorities>().RotateAsync(lab.Get<PolicyWriter>(), caller, AuthorityPurpose.FrontDoor, IdentityLab.Stop);
        var taking = lab.Get<SshAuthorities>().RemoveAsync(lab.Get<PolicyWriter>(), caller, AuthorityPurpose.FrontDoor, Guid.NewGuid(), _ => { }, IdentityLab.Stop);
        var dropping = ChangeMail.DropAsync(mail, caller, lab.Get<PolicyWriter>(), lab.Get<WriteQueue>(), lab.Get<AuditLog>(), lab.Clock, IdentityLab.Stop);
        go.SetResult();
        await held;
        (await removing).ShouldBeOfType<PolicyOutcome.Applied>();
        (await rotating, await taking).ShouldBe((AuthorityChange.Forbidden, AuthorityChange.Forbidden));
        (await dropping).Result.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status404NotFound);
    }

    [Fact]
    public async Task While_nothing_is_written_the_requests_of_a_token_leave_one_note_behind()
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        await CountNotesAsync(lab);
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, (_, _) => Task.CompletedTask);
        await entered.Task;
        for (var request = 0; request < 3; request++) (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await NotesAsync(lab)).ShouldBe(0);
        go.SetResult();
        await held;
        await TurnAsync(lab);
        (await NotesAsync(lab)).ShouldBe(1);

        // Later uses are noted again, once it is known that the note before was written.
        for (var use = 0; use < 100 && await NotesAsync(lab) == 1; use++)
        {
            lab.Clock.Advance(TimeSpan.FromMinutes(2));
            (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        }

        (await NotesAsync(lab)).ShouldBe(2);
    }

    [Theory]
    [InlineData("CREATE TRIGGER full BEFORE UPDATE OF LastUsed ON api_token BEGIN SELECT RAISE(ABORT, 'no room'); END")]
    [InlineData("CREATE TRIGGER full BEFORE UPDATE OF LastUsed ON api_token BEGIN SELECT RAISE(ROLLBACK, 'no room'); END")]
    public async Task While_notes_of_uses_fail_the_requests_of_a_token_are_answered_and_that_is_logged_once(string failing)
    {
        await using var lab = await IdentityLab.StartAsync();
        var token = await lab.TokenOfAsync("tom");
        await CountNotesAsync(lab);
        await using var db = lab.Get<Database>().Open();
        await db.Database.ExecuteSqlRawAsync(failing, IdentityLab.Stop);
        for (var request = 0; request < 3; request++)
        {
            lab.Clock.Advance(TimeSpan.FromMinutes(2));
            (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
            (await lab.SendAsync(HttpMethod.Delete, "me/sign-ins", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
        }

        lab.Log.Lines.Count(line => line.Contains("The last use of tokens can't be written down", StringComparison.Ordinal)).ShouldBe(1);
        await db.Database.ExecuteSqlRawAsync("DROP TRIGGER full", IdentityLab.Stop);
        (await lab.SendAsync(HttpMethod.Get, "me", token: token)).Status.ShouldBe(HttpStatusCode.OK);
        (await NotesAsync(lab)).ShouldBe(1);
    }

    /// <summary>How often the last use of a token was written, once <see cref="CountNotesAsync"/> has been called.</summary>
    private static async Task<int> NotesAsync(IdentityLab lab)
    {
        await using var db = lab.Get<Database>().Open();
        return await db.Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM noted").SingleAsync(IdentityLab.Stop);
    }

    private static async Task CountNotesAsync(IdentityLab lab)
    {
        await using var db = lab.Get<Database>().Open();
        await db.Database.ExecuteSqlAsync($"CREATE TABLE noted (at INTEGER)", IdentityLab.Stop);
        await db.Database.ExecuteSqlAsync($"CREATE TRIGGER note AFTER UPDATE OF LastUsed ON api_token BEGIN INSERT INTO noted VALUES (NEW.LastUsed); END", IdentityLab.Stop);
    }

    /// <summary>Whatever was handed in before has been written.</summary>
    private static Task TurnAsync(IdentityLab lab) => lab.Get<WriteQueue>().WriteAsync(lab.Organization, (_, _) => Task.CompletedTask, IdentityLab.Stop);

    private static async Task RefusedAsync(IdentityLab lab, Func<CountersignDb, CancellationToken, Task> first)
    {
        var (signing, tokens) = await SignInBehindAsync(lab, first);
        signing.ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status401Unauthorized);
        tokens.ShouldBe(0);
    }

    /// <summary>Tom's sign-in, whose password is found right while the writer is held, and whose turn comes after what is done first.</summary>
    private static async Task<(IResult Answer, int Tokens)> SignInBehindAsync(IdentityLab lab, Func<CountersignDb, CancellationToken, Task> first)
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var held = HoldAsync(lab, entered, go, first);
        await entered.Task;
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        var signing = lab.Get<SigningIn>().ByPasswordAsync(new("tom", IdentityLab.Password), context, IdentityLab.Stop);
        await VerifiedAsync(lab);
        go.SetResult();
        await held;
        var answer = (await signing).Result;
        await using var db = lab.Get<Database>().Read(lab.Organization);
        return (answer, await db.Set<ApiToken>().CountAsync(row => row.Person == lab.Tom.Id, IdentityLab.Stop));
    }

    private static Task<PolicyOutcome> ApplyAsync(IdentityLab lab, PolicyCommand command) =>
        lab.Get<PolicyWriter>().ApplyAsync(lab.AsAnn with { Source = IPAddress.Parse("192.0.2.1") }, command, IdentityLab.Stop);

    /// <summary>The writer is held, and a rule is set as soon as it is let go.</summary>
    private static async Task<(TaskCompletionSource Go, Task<PolicyOutcome> Setting)> SetBehindAsync(IdentityLab lab, SettingKind setting, string value)
    {
        var (entered, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _ = HoldAsync(lab, entered, go, (_, _) => Task.CompletedTask);
        await entered.Task;
        return (go, ApplyAsync(lab, new PolicyCommand.SetSetting(SettingNode.Organization, setting, value)));
    }

    private static DefaultHttpContext Here() => new() { Connection = { RemoteIpAddress = IPAddress.Loopback } };

    /// <summary>Passwords are hashed in turn: those that came before have been.</summary>
    private static Task<string> HashedAsync(IdentityLab lab) => lab.Get<Passwords>().HashAsync(Other, IdentityLab.Stop);

    private static Task HoldAsync(IdentityLab lab, TaskCompletionSource entered, TaskCompletionSource go, Func<CountersignDb, CancellationToken, Task> then) =>
        lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            async (db, stop) =>
            {
                entered.SetResult();
                await go.Task;
                await then(db, stop);
            },
            IdentityLab.Stop);

    /// <summary>Attempts at one login take turns: when this one is through, those that were begun before have been verified.</summary>
    private static async Task VerifiedAsync(IdentityLab lab, string login = "tom") =>
        (await lab.Get<PasswordSignIn>().VerifyAsync(login, IdentityLab.Password, IPAddress.Loopback, "api", IdentityLab.Stop)).ShouldBeOfType<PasswordAnswer.Accepted>();

    private static Task<Results<NoContent, ProblemHttpResult>> ChangeAsync(IdentityLab lab, Caller caller, string password) => Me.ChangePasswordAsync(
        new(IdentityLab.Password, password), caller, new DefaultHttpContext(), lab.Get<PasswordSignIn>(), lab.Get<OwnProof>(), lab.Get<Passwords>(), lab.Get<PolicySource>(), lab.Get<PolicyWriter>(), lab.Get<WriteQueue>(),
        lab.Get<LiveSignIns>(), lab.Get<AccountNews>(), lab.Get<AuditLog>(), IdentityLab.Stop);

    private static Task<Results<Created<TechnicianAnswer>, ProblemHttpResult>> AddAsync(IdentityLab lab, string login, string password, Caller? caller = null) => AddTechnician.HandleAsync(
        new(PersonKind.Technician, login, login, Password: password), caller ?? lab.AsAnn, lab.Get<PolicyWriter>(), lab.Get<Passwords>(), lab.Get<PolicySource>(), lab.Get<LoginGuesses>(), lab.Clock,
        new DefaultHttpContext(), IdentityLab.Stop);

    private static Task<Caller> CallerAsync(IdentityLab lab) => CallerAsync(lab, lab.Tom);

    private static async Task<Caller> CallerAsync(IdentityLab lab, PersonRow person)
    {
        await using var db = lab.Get<Database>().Read(lab.Organization);
        var token = await db.Set<ApiToken>().SingleAsync(row => row.Person == person.Id, IdentityLab.Stop);
        return new(lab.Organization, person.Id, person.Login, TokenScopes.Write, token.Id, IPAddress.Loopback, SignInStrength.OneFactor, "");
    }
}
