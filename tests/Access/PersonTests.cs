namespace Countersign.Access.Tests;

/// <summary>How people join, what they may be called, and how an organization gets another owner.</summary>
public class PersonTests
{
    private readonly Sample _sample = new();
    private readonly PersonId _tina;
    private PolicySnapshot _policy;

    public PersonTests()
    {
        _tina = _sample.Technician("tina");
        _policy = _sample.Snapshot;
    }

    [Fact]
    public void Whoever_is_invited_takes_their_own_place_under_a_login_of_their_choice()
    {
        var invited = Invite();
        var after = _policy.Apply(Planned(invited, new PolicyCommand.ActivatePerson(invited, "eve", " Eve ")));
        var eve = after.Person(invited)!;
        (eve.Login, eve.Name, eve.State, eve.TakesPart).ShouldBe(("eve", "Eve", PersonState.Activated, true));
        after.PersonByLogin("eve").ShouldBe(eve);
        after.PersonByLogin("invited-1").ShouldBeNull();
    }

    [Fact]
    public void Nobody_takes_another_s_place_nor_a_place_that_is_not_open()
    {
        var invited = Invite();
        foreach (var actor in (PersonId[])[_sample.Olga, _tina])
            Plan(actor, new PolicyCommand.ActivatePerson(invited, "eve", "Eve")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_tina, new PolicyCommand.ActivatePerson(_tina, "tina2", "Tina")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(invited, new PolicyCommand.EditPerson(invited, "Eve", "")).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(invited, new PolicyCommand.ActivatePerson(_tina, "eve", "Eve")).ShouldBeOfType<PlanResult.Forbidden>();
        Apply(_sample.Olga, new PolicyCommand.SetPersonStatus(invited, PersonStatus.Disabled));
        Plan(invited, new PolicyCommand.ActivatePerson(invited, "eve", "Eve")).ShouldBeOfType<PlanResult.Forbidden>();
    }

    [Fact]
    public void People_say_what_they_are_called_and_nothing_else_of_themselves()
    {
        foreach (var actor in (PersonId[])[_sample.Olga, _tina])
        {
            var before = _policy.Person(actor)!;
            var change = Planned(actor, new PolicyCommand.EditOwnProfile(" Another Name "));
            change.Changes.ShouldHaveSingleItem().After.ShouldBe(before with { Name = "Another Name" });
            Plan(actor, new PolicyCommand.EditPerson(actor, before.Name, "other@example.org")).ShouldBeOfType(actor == _tina ? typeof(PlanResult.Forbidden) : typeof(PlanResult.Planned));
        }

        Plan(_tina, new PolicyCommand.EditOwnProfile("two\nlines")).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("name");
    }

    [Fact]
    public void Who_comes_from_outside_or_takes_no_part_is_called_what_others_say()
    {
        var contact = _sample.Contact("carl");
        _policy = _sample.Snapshot;
        var invited = Invite();
        foreach (var actor in (PersonId[])[contact, invited, new(Guid.NewGuid())]) Plan(actor, new PolicyCommand.EditOwnProfile("Olga")).ShouldBeOfType<PlanResult.Forbidden>();
    }

    [Fact]
    public void Nobody_but_its_bearer_or_a_master_administrator_takes_a_name_back()
    {
        var tom = _sample.Technician("tom");
        _policy = _sample.Snapshot;
        var rename = Planned(_tina, new PolicyCommand.EditOwnProfile("Christina"));
        var address = Planned(_sample.Olga, new PolicyCommand.EditPerson(_tina, "Christina", "tina@example.org"));
        Undo(tom, rename).ShouldBeOfType<PlanResult.NotFound>();
        Undo(_tina, address).ShouldBeOfType<PlanResult.Forbidden>();
        foreach (var actor in (PersonId[])[_tina, _sample.Olga])
            Undo(actor, rename).ShouldBeOfType<PlanResult.Planned>().Delta.Changes.ShouldHaveSingleItem().After.ShouldBe(_policy.Person(_tina));

        PlanResult Undo(PersonId actor, PolicyDelta change) => _policy.Apply(change).Plan(new PolicyCommand.Undo(change, new HashSet<RowKey>()), actor, Sample.Noon);
    }

    [Theory]
    [InlineData("tina")]
    [InlineData("Tina")]
    [InlineData("olga")]
    [InlineData("o1ga")]
    [InlineData("0lga")]
    [InlineData("аnn")]
    [InlineData("")]
    public void A_login_that_is_taken_looks_like_another_or_is_none_is_told_beside_its_field(string login)
    {
        var invited = Invite();
        Plan(invited, new PolicyCommand.ActivatePerson(invited, login, "Eve")).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("login");
        Plan(_sample.Olga, new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Technician, login, "Eve", "", PersonState.Activated))
            .ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("login");
    }

    [Theory]
    [InlineData("rnark", "mark")]
    [InlineData("vvolf", "wolf")]
    [InlineData("b0b", "bob")]
    [InlineData("pau1", "paul")]
    [InlineData("billy", "blliy")]
    [InlineData("ann_b", "ann.b")]
    public void What_a_hasty_eye_reads_as_one_is_one(string one, string other) => Names.LookOf(one).ShouldBe(Names.LookOf(other));

    [Theory]
    [InlineData("ann@example.org", true)]
    [InlineData("ann+x@mail.example.org", true)]
    [InlineData("ann@localhost", true)]
    [InlineData("ann", false)]
    [InlineData("@example.org", false)]
    [InlineData("ann@", false)]
    [InlineData("a@b@c", false)]
    [InlineData("ann@exаmple.org", false)]
    [InlineData("ann@example..org", false)]
    [InlineData("\"ann\"@example.org", false)]
    [InlineData("ann,bob@example.org", false)]
    [InlineData("ann@example.org\r\nBcc: x", false)]
    public void A_mail_address_is_one_that_needs_no_quoting(string text, bool isOne)
    {
        Names.IsMail(text).ShouldBe(isOne);
        (Plan(_sample.Olga, new PolicyCommand.EditPerson(_tina, "Tina", text)) is PlanResult.Planned).ShouldBe(isOne);
    }

    [Fact]
    public void The_owner_makes_a_technician_the_owner_and_is_one_from_then_on()
    {
        Apply(_sample.Olga, new PolicyCommand.HandOver(_tina));
        (_policy.Person(_tina)!.Kind, _policy.Person(_sample.Olga)!.Kind).ShouldBe((PersonKind.Owner, PersonKind.Technician));
        _policy.IsMasterAdministrator(_tina, Sample.Noon).ShouldBeTrue();
        _policy.IsMasterAdministrator(_sample.Olga, Sample.Noon).ShouldBeFalse();
    }

    [Fact]
    public void Nobody_else_hands_it_over_and_nobody_gets_it_who_takes_no_part()
    {
        Plan(_tina, new PolicyCommand.HandOver(_tina)).ShouldBeOfType<PlanResult.Forbidden>();
        Plan(_sample.Olga, new PolicyCommand.HandOver(_sample.Olga)).ShouldBeOfType<PlanResult.Conflict>();
        Plan(_sample.Olga, new PolicyCommand.HandOver(Invite())).ShouldBeOfType<PlanResult.Conflict>();
        var carl = new PersonId(_sample.Next());
        Apply(_sample.Olga, new PolicyCommand.AddPerson(carl, PersonKind.Contact, "carl", "Carl", "carl@example.org", PersonState.Activated));
        Plan(_sample.Olga, new PolicyCommand.HandOver(carl)).ShouldBeOfType<PlanResult.Conflict>();
        Plan(_sample.Olga, new PolicyCommand.HandOver(new(_sample.Next()))).ShouldBeOfType<PlanResult.NotFound>();
    }

    [Fact]
    public void Who_owns_the_organization_is_not_undone()
    {
        var delta = Planned(_sample.Olga, new PolicyCommand.HandOver(_tina));
        Apply(_sample.Olga, new PolicyCommand.HandOver(_tina));
        foreach (var actor in (PersonId[])[_tina, _sample.Olga])
            Plan(actor, new PolicyCommand.Undo(delta, new HashSet<RowKey>())).ShouldBeOfType<PlanResult.Forbidden>();
    }

    [Fact]
    public void Whom_the_plan_disabled_nobody_enables_by_hand_in_one_step_or_in_two_or_by_undoing()
    {
        var rows = _policy.All<PolicyRow>().Select(row => row is PersonRow person && person.Id == _tina ? person with { Status = PersonStatus.DisabledByPlan } : row);
        var active = _policy.Person(_tina)!;
        _policy = PolicySnapshot.Compile(Sample.Organization, _policy.Version, rows);
        foreach (var status in (PersonStatus[])[PersonStatus.Active, PersonStatus.Disabled])
            Plan(_sample.Olga, new PolicyCommand.SetPersonStatus(_tina, status)).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("limit has to rise");
        var disabled = new PolicyDelta(Sample.Organization, _policy.Version - 1, "The plan.", [new(active, _policy.Person(_tina))]);
        Plan(_sample.Olga, new PolicyCommand.Undo(disabled, new HashSet<RowKey>())).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldContain("limit has to rise");
    }

    [Fact]
    public void An_address_is_one_contact_s()
    {
        Apply(_sample.Olga, new PolicyCommand.AddPerson(new(_sample.Next()), PersonKind.Contact, "carl", "Carl", "carl@example.org", PersonState.Activated));
        var second = new PersonId(_sample.Next());
        Plan(_sample.Olga, new PolicyCommand.AddPerson(second, PersonKind.Contact, "carla", "Carla", "CARL@example.org", PersonState.Activated))
            .ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("mail");
        Apply(_sample.Olga, new PolicyCommand.AddPerson(second, PersonKind.Contact, "carla", "Carla", "carla@example.org", PersonState.Activated));
        Plan(_sample.Olga, new PolicyCommand.EditPerson(second, "Carla", "carl@example.org")).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("mail");
        Plan(_sample.Olga, new PolicyCommand.EditPerson(_tina, "Tina", "carl@example.org")).ShouldBeOfType<PlanResult.Planned>();
    }

    private PersonId Invite()
    {
        var id = new PersonId(_sample.Next());
        Apply(_sample.Olga, new PolicyCommand.AddPerson(id, PersonKind.Technician, "invited-1", "eve@example.org", "eve@example.org", PersonState.Invited));
        return id;
    }

    private PlanResult Plan(PersonId actor, PolicyCommand command) => _policy.Plan(command, actor, Sample.Noon);

    private PolicyDelta Planned(PersonId actor, PolicyCommand command) => Plan(actor, command).ShouldBeOfType<PlanResult.Planned>().Delta;

    private void Apply(PersonId actor, PolicyCommand command) => _policy = _policy.Apply(Planned(actor, command));

    [Theory]
    [InlineData("root", true)]
    [InlineData("DOMAIN\\admin", true)]
    [InlineData("j\u00f6rg", true)]
    [InlineData("ro\u202eot", false)]
    [InlineData("ro\u200bot", false)]
    [InlineData("ro\ufeffot", false)]
    [InlineData("ro\u001bot", false)]
    [InlineData("a b", false)]
    [InlineData("a+b", false)]
    public void An_account_s_name_shows_whole(string name, bool isOne) => Names.IsAccount(name).ShouldBe(isOne);
}
