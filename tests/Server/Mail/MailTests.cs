using System.Net;
using System.Net.Sockets;
using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Tests;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Server.Tests.Mail;

/// <summary>From the outbox to a real mail server, and what becomes of what it does not take.</summary>
public sealed class MailTests : IAsyncLifetime
{
    private MailServer _post = null!;

    public async ValueTask InitializeAsync() => _post = await MailServer.StartAsync();

    public ValueTask DisposeAsync() => _post.DisposeAsync();

    [Fact]
    public async Task A_mail_goes_out_over_TLS_signed_in_once_its_transaction_is_durable()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options);
        var id = await AddAsync(lab, "ann@example.org", new("test", "Of Ä & co", ["First <b>.", "Second."], new("Open", "https://gate.example.org/x#token")));
        var mail = await _post.NextAsync();
        mail.To.ShouldBe("ann@example.org");
        mail.Subject.ShouldBe("Of Ä & co");
        mail.Id.ShouldBe($"<{id:N}@example.org>");
        mail.Token.ShouldBe("token");
        mail.Html.ShouldContain("<p>First &lt;b&gt;.</p>");
        mail.Html.ShouldContain("href=\"https://gate.example.org/x#token\"");
        ((bool)mail.Json["tls"]!).ShouldBeTrue();
        ((string)mail.Json["user"]!).ShouldBe("robot");
        ((string)mail.Json["from"]!).ShouldBe("Countersign <gate@example.org>");
        ((string)mail.Json["automatic"]!).ShouldBe("auto-generated");
        var row = await EndedAsync(lab, id);
        (row.State, row.Attempts, row.Content).ShouldBe((MailState.Sent, 1, null));
    }

    [Fact]
    public async Task Of_a_transaction_that_fails_nothing_goes_out()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options);
        await Should.ThrowAsync<InvalidOperationException>(() => lab.Get<WriteQueue>().WriteAsync<bool>(
            lab.Organization,
            (db, _) =>
            {
                lab.Get<Outbox>().Add(db, "ann@example.org", new("lost", "Lost", ["Lost."]));
                throw new InvalidOperationException("on purpose");
            },
            IdentityLab.Stop));
        await AddAsync(lab, "tom@example.org", Plain);
        (await _post.NextAsync()).To.ShouldBe("tom@example.org");
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task Many_mails_of_one_organization_keep_neither_another_s_waiting_nor_its_own_links()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        var other = new OrganizationId(Guid.NewGuid());
        var founding = PolicySnapshot.Bootstrap(other, new(Guid.NewGuid()), "otto", "Otto", "", new(Guid.NewGuid()));
        await lab.Get<PolicyWriter>().FoundAsync(
            "Other", founding, new() { Kind = "organization.founded", Channel = "system", Subject = "Other" }, (_, _, _) => Task.CompletedTask, IdentityLab.Stop);
        var (outbox, link) = (lab.Get<Outbox>(), Plain with { Action = new("Open", "https://gate.example.org/x#token") });
        await lab.Get<WriteQueue>().WriteAsync(
            async (unit, stop) =>
            {
                for (var mail = 0; mail < 60; mail++) outbox.Add(unit.Db.Of(lab.Organization), $"news{mail}@example.org", Plain);
                outbox.Add(unit.Db, "link@example.org", link);
                await unit.Db.SaveChangesAsync(stop);
                outbox.Add(unit.Db.Of(other), "theirs@example.org", Plain);
                return true;
            },
            IdentityLab.Stop);
        var first = new List<string>();
        while (first.Count < 2) first.Add((await _post.NextAsync()).To);
        first.ShouldBe(["link@example.org", "theirs@example.org"], ignoreOrder: true);
        for (var mail = 0; mail < 60; mail++) (await _post.NextAsync()).To.ShouldStartWith("news");
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_refused_for_now_is_sent_later_as_the_same_mail()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options);
        await _post.AnswerNextAsync("451 come back later", "421 too busy");
        var id = await AddAsync(lab, "ann@example.org", Plain);
        (await TriedAsync(lab, id, 1)).Problem.ShouldBe("451 come back later");
        await PassAsync(lab);
        await TriedAsync(lab, id, 2);
        await PassAsync(lab);
        (await _post.NextAsync()).Id.ShouldBe($"<{id:N}@example.org>");
        (await EndedAsync(lab, id)).Attempts.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_refused_for_good_is_given_up_at_once_seen_by_master_administrators_and_logged()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options);
        await _post.AnswerNextAsync("554 not from you");
        var id = await AddAsync(lab, "ann@example.org", Plain);
        var row = await EndedAsync(lab, id);
        (row.State, row.Attempts, row.Problem, row.Content).ShouldBe((MailState.GivenUp, 1, "554 not from you", null));
        var shown = await lab.SendAsync(HttpMethod.Get, "mail?state=givenUp", token: await lab.TokenOfAsync("ann"));
        shown.Json["items"]![0]!["problem"]!.GetValue<string>().ShouldBe("554 not from you");
        shown.Text.ShouldNotContain("Nothing to say.");
        (await lab.SendAsync(HttpMethod.Get, "mail", token: await lab.TokenOfAsync("tom"))).Status.ShouldBe(HttpStatusCode.Forbidden);
        var record = (await lab.AuditAsync()).Single(record => record.Kind == "mail.failed");
        (record.Subject, record.Outcome).ShouldBe(("ann@example.org", AuditOutcome.Failed));
    }

    [Fact]
    public async Task Attempts_are_bounded()
    {
        using var nobody = Bound();
        await using var lab = await IdentityLab.StartAsync(mail: OptionsFor(nobody));
        var id = await AddAsync(lab, "ann@example.org", Plain, lab.Clock.GetUtcNow().AddDays(30));
        for (var attempt = 1; attempt < MailPatience.MostAttempts; attempt++)
        {
            await TriedAsync(lab, id, attempt);
            await PassAsync(lab);
        }

        var row = await EndedAsync(lab, id);
        (row.State, row.Attempts).ShouldBe((MailState.GivenUp, MailPatience.MostAttempts));
    }

    [Fact]
    public async Task A_link_that_a_mail_server_refuses_by_name_is_kept_nowhere_with_what_makes_it_good()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options);
        var token = new string('k', 43);
        await _post.AnswerNextAsync($"554 blocked: https://gate.example.org/join#{token}");
        var id = await AddAsync(lab, "ann@example.org", Plain);
        (await EndedAsync(lab, id)).Problem.ShouldBe("554 blocked: https://gate.example.org/join#[removed]");
        (await lab.AuditAsync()).ShouldAllBe(record => !record.Details.Contains(token, StringComparison.Ordinal));
        lab.Log.Lines.ShouldAllBe(line => !line.Contains(token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_sent_once_its_time_is_over()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options);
        await _post.AnswerNextAsync("451 later");
        var id = await AddAsync(lab, "ann@example.org", Plain, lab.Clock.GetUtcNow().AddMinutes(15));
        await TriedAsync(lab, id, 1);
        await PassAsync(lab);
        (await EndedAsync(lab, id)).State.ShouldBe(MailState.GivenUp);
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task A_password_goes_to_no_server_whose_certificate_is_not_trusted()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options with { AuthorityFile = null });
        var id = await AddAsync(lab, "ann@example.org", Plain);
        (await TriedAsync(lab, id, 1)).Problem.ShouldContain("not trusted");
    }

    [Fact]
    public async Task STARTTLS_is_required_and_not_hoped_for()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options with { Port = _post.Clear.Port });
        var id = await AddAsync(lab, "ann@example.org", Plain);
        (await TriedAsync(lab, id, 1)).Problem.ShouldContain("STARTTLS");
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task What_a_mail_says_is_sealed_while_it_waits_and_opens_in_its_own_row_only()
    {
        using var nobody = Bound();
        await using var lab = await IdentityLab.StartAsync(mail: OptionsFor(nobody));
        var id = await AddAsync(lab, "ann@example.org", Plain);
        var row = await TriedAsync(lab, id, 1);
        System.Text.Encoding.UTF8.GetString(row.Content!).ShouldNotContain("Nothing to say.");
        await using (var db = lab.Get<Database>().Open())
        {
            await db.Database.ExecuteSqlAsync($"UPDATE outgoing_mail SET Content = zeroblob(64)", IdentityLab.Stop);
        }

        await PassAsync(lab);
        (await EndedAsync(lab, id)).Problem.ShouldStartWith("It does not open");
    }

    [Fact]
    public async Task An_address_that_was_edited_in_the_database_stops_neither_the_server_nor_other_mails()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        await _post.AnswerNextAsync("451 later");
        var id = await AddAsync(lab, "ann@example.org", Plain);
        await TriedAsync(lab, id, 1);
        await using (var db = lab.Get<Database>().Open())
        {
            await db.Database.ExecuteSqlAsync($"UPDATE outgoing_mail SET Recipient = 'a@b, c@d'", IdentityLab.Stop);
        }

        await PassAsync(lab);
        (await EndedAsync(lab, id)).State.ShouldBe(MailState.GivenUp);
        await AddAsync(lab, "tom@example.org", Plain);
        (await _post.NextAsync()).To.ShouldBe("tom@example.org");
    }

    [Fact]
    public async Task A_mail_that_fails_in_a_way_that_nobody_has_thought_of_is_given_up_and_the_others_go_out()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        var id = await AddAsync(lab, "ann@example.org", Plain with { Paragraphs = null! });
        (await EndedAsync(lab, id)).State.ShouldBe(MailState.GivenUp);
        lab.Log.Lines.ShouldContain(line => line.Contains($"Mail {id} (test) can't be sent", StringComparison.Ordinal));
        await AddAsync(lab, "tom@example.org", Plain);
        (await _post.NextAsync()).To.ShouldBe("tom@example.org");
    }

    [Fact]
    public async Task A_delivery_that_fails_in_a_way_that_nobody_has_thought_of_is_tried_again()
    {
        // No address that anybody could be reached at, which nothing refuses before.
        var options = _post.Options with { Host = "0.0.0.0" };
        await using var lab = await IdentityLab.StartAsync(mail: _post.Options, services: services => services.AddSingleton(_ => new SmtpDelivery(options)));
        var id = await AddAsync(lab, "ann@example.org", Plain);
        (await TriedAsync(lab, id, 1)).Content.ShouldNotBeNull();
        lab.Log.Lines.ShouldContain(line => line.Contains($"Mail {id} (test) can't be sent", StringComparison.Ordinal));
        options = _post.Options;
        await lab.RestartAsync();
        await PassAsync(lab);
        (await _post.NextAsync()).Id.ShouldBe($"<{id:N}@example.org>");
    }

    [Fact]
    public void Waits_grow_differ_and_stay_within_bounds()
    {
        for (var attempt = 1; attempt <= MailPatience.MostAttempts; attempt++)
        {
            var wait = MailPatience.After(attempt);
            var middle = TimeSpan.FromSeconds(Math.Min(5 * Math.Pow(2, attempt - 1), 3600));
            wait.ShouldBeInRange(middle * 0.8, middle * 1.2);
        }

        Enumerable.Range(0, 50).Select(_ => MailPatience.After(5)).Distinct().Count().ShouldBeGreaterThan(1);
    }

    [Theory]
    [InlineData("mail.example.org", MailSecurity.None, null, "gate@example.org")]
    [InlineData("127.0.0.1", MailSecurity.None, "robot", "gate@example.org")]
    [InlineData("mail.example.org", MailSecurity.StartTls, null, "nobody")]
    [InlineData("mail example", MailSecurity.StartTls, null, "gate@example.org")]
    public void Settings_that_would_tell_the_network_or_could_not_work_are_refused(string host, MailSecurity security, string? user, string from) =>
        new MailOptions { Host = host, Security = security, User = user, PasswordFile = user, From = from }.Problem().ShouldNotBeNull();

    [Fact]
    public async Task A_password_file_that_others_can_read_stops_the_start()
    {
        if (OperatingSystem.IsWindows()) return;
        File.SetUnixFileMode(_post.Options.PasswordFile!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        await Should.ThrowAsync<KeyFileException>(() => IdentityLab.StartAsync(mail: _post.Options));
    }

    [Theory]
    [InlineData("Hello\r\nBcc: everybody@example.org")]
    [InlineData("Hello\u2028Bcc: everybody@example.org")]
    [InlineData("\nX-Evil: yes")]
    public async Task A_subject_ends_no_header(string subject)
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        await AddAsync(lab, "ann@example.org", Plain with { Subject = subject });
        var mail = await _post.NextAsync();
        mail.Json["headers"]!.AsArray().Select(name => (string)name!).ShouldNotContain(name => name == "Bcc" || name == "X-Evil");
    }

    [Theory]
    [InlineData("ann@example.org\r\nBcc: x@example.org")]
    [InlineData("ann@example.org, x@example.org")]
    [InlineData("<ann@example.org>")]
    [InlineData("ann@exаmple.org")]
    [InlineData("")]
    public async Task An_address_that_is_none_gets_no_mail(string address)
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        var added = await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization, (db, _) => Task.FromResult(lab.Get<Outbox>().Add(db, address, Plain)), IdentityLab.Stop);
        added.ShouldBeNull();
    }

    [Fact]
    public async Task A_stop_between_two_mails_sends_neither_twice()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        await _post.AnswerNextAsync("take", "hang");
        await AddTwoAsync(lab);
        var taken = await _post.NextAsync();
        var held = await _post.NextAsync();
        ((bool)held.Json["hanging"]!).ShouldBeTrue();
        await lab.RestartAsync();
        await PassAsync(lab);
        var again = await _post.NextAsync();
        (again.Id, again.Id == taken.Id).ShouldBe((held.Id, false));
        var last = await AddAsync(lab, "kim@example.org", Plain);
        (await _post.NextAsync()).To.ShouldBe("kim@example.org");
        await EndedAsync(lab, last);
        _post.Waiting.ShouldBe(0);
    }

    [Fact]
    public async Task A_mail_server_that_says_nothing_is_waited_for_once_for_all_mails()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var lab = await IdentityLab.StartAsync(mail: SilentOptions(silent) with { Patience = TimeSpan.FromSeconds(1) });
        foreach (var id in await AddTwoAsync(lab)) await TriedAsync(lab, id, 1);
        using var only = await silent.AcceptTcpClientAsync(IdentityLab.Stop);
        silent.Pending().ShouldBeFalse();
    }

    [Fact]
    public async Task The_wait_after_an_attempt_begins_when_the_attempt_is_over()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var lab = await IdentityLab.StartAsync(mail: SilentOptions(silent));
        var id = await AddAsync(lab, "ann@example.org", Plain);
        using (await silent.AcceptTcpClientAsync(IdentityLab.Stop)) lab.Clock.Advance(TimeSpan.FromHours(1));
        (await TriedAsync(lab, id, 1)).Due.ShouldBeGreaterThan(lab.Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_clock_that_is_set_back_holds_no_mail_up()
    {
        await using var lab = await IdentityLab.StartAsync(mail: _post.Clear);
        await _post.AnswerNextAsync("451 later");
        var id = await AddAsync(lab, "ann@example.org", Plain);
        await TriedAsync(lab, id, 1);
        lab.Clock.Set(TimeSpan.FromHours(-3));
        lab.Get<Outbox>().Wake();
        (await _post.NextAsync()).Id.ShouldBe($"<{id:N}@example.org>");
    }

    private static MailOptions SilentOptions(TcpListener silent) => OptionsFor(silent.Server);

    private static MailOptions OptionsFor(Socket socket) =>
        new() { Host = "127.0.0.1", Port = ((IPEndPoint)socket.LocalEndPoint!).Port, Security = MailSecurity.None, From = "gate@example.org" };

    /// <summary>A port where nobody listens, and nobody else does while it is held.</summary>
    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>In one transaction, so that they are sent together.</summary>
    private static Task<Guid[]> AddTwoAsync(IdentityLab lab) => lab.Get<WriteQueue>().WriteAsync(
        lab.Organization,
        (db, _) => Task.FromResult<Guid[]>([lab.Get<Outbox>().Add(db, "ann@example.org", Plain)!.Value, lab.Get<Outbox>().Add(db, "tom@example.org", Plain)!.Value]),
        IdentityLab.Stop);

    private static Letter Plain => new("test", "Nothing", ["Nothing to say."]);

    private static async Task<Guid> AddAsync(IdentityLab lab, string to, Letter letter, DateTimeOffset? expires = null) => (await lab.Get<WriteQueue>().WriteAsync(
        lab.Organization, (db, _) => Task.FromResult(lab.Get<Outbox>().Add(db, to, letter, expires)), IdentityLab.Stop))!.Value;

    /// <summary>More than the longest wait goes by.</summary>
    private static Task PassAsync(IdentityLab lab)
    {
        lab.Clock.Advance(TimeSpan.FromHours(2));
        lab.Get<Outbox>().Wake();
        return Task.CompletedTask;
    }

    /// <summary>Its row says so before the attempt, and the log only once it waits again.</summary>
    private static Task<OutgoingMail> TriedAsync(IdentityLab lab, Guid id, int attempts) => RowAsync(
        lab, id, row => row.Attempts == attempts && row.State == MailState.Waiting && lab.Log.Lines.Any(line => line.Contains($"Mail {id} was not taken at attempt {attempts}:", StringComparison.Ordinal)));

    private static Task<OutgoingMail> EndedAsync(IdentityLab lab, Guid id) => RowAsync(lab, id, row => row.State != MailState.Waiting);

    /// <summary>The row once it is so.</summary>
    private static async Task<OutgoingMail> RowAsync(IdentityLab lab, Guid id, Predicate<OutgoingMail> isSo)
    {
        using var looking = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(IdentityLab.Stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            await using (var db = lab.Get<Database>().Read(lab.Organization))
            {
                var row = await db.Set<OutgoingMail>().AsNoTracking().SingleAsync(row => row.Id == id, IdentityLab.Stop);
                if (isSo(row)) return row;
            }

            await looking.WaitForNextTickAsync(deadline.Token);
        }
    }
}
