using System.Net;
using System.Text.Json.Nodes;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Tests.Identity.Passkeys;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>The pages that links open, in a real browser: what stands beside a field, and how it ends.</summary>
public sealed class PagesTests
{
    private const string Good = "wandering-otter-lantern-58";

    /// <summary>Sends the visible form, and waits until its button can be pressed again or the end is shown.</summary>
    private const string Helpers = """
        const form = [...document.forms].find(form => !form.hidden);
        const type = values => { for (const id of Object.keys(values)) document.getElementById(id).value = values[id]; };
        const said = id => document.getElementById(id + '-error').textContent;
        const send = async () => {
          form.requestSubmit();
          const button = form.querySelector('button');
          while (button.disabled) await new Promise(resolve => setTimeout(resolve, 5));
        };
        const end = () => document.getElementById('done').hidden ? '' : (document.getElementById('command') || { textContent: 'end' }).textContent;
        """;

    [Fact]
    public async Task A_new_password_is_chosen_on_the_page_that_the_mailed_link_opens()
    {
        await using var post = await MailServer.StartAsync();
        await using var lab = await IdentityLab.StartAsync(mail: post.Clear, address: "http://localhost/");
        (await lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Tom.Id}/password/reset", token: await lab.TokenOfAsync("ann"))).Status.ShouldBe(HttpStatusCode.OK);
        var token = (await post.NextAsync()).Token;
        await using var browser = await OpenAsync(lab, "new-password#" + token);
        (await browser.RunAsync($"{Helpers} type({{ password: '{Good}', again: 'another' }}); await send(); return said('again') + end();")).ShouldBe("The two passwords are not the same.");
        (await browser.RunAsync($"{Helpers} type({{ password: 'short', again: 'short' }}); await send(); return said('again') + said('password') + end();")).ShouldBe("A password has at least 12 characters.");
        (await browser.RunAsync("return document.getElementById('password').getAttribute('aria-invalid') + ' ' + document.activeElement.id;")).ShouldBe("true password");
        (await browser.RunAsync($"{Helpers} type({{ password: '{Good}', again: '{Good}' }}); await send(); return end() + said('password') + document.activeElement.id + location.hash;"))
            .ShouldBe("countersign login --server http://localhostdone-title");
        (await lab.SignInAsync("tom", Good)).Status.ShouldBe(HttpStatusCode.OK);
        (await browser.RunAsync("return document.getElementById('password').value;")).ShouldBeEmpty();

        await browser.OpenAsync("http://localhost/new-password#" + token);
        (await browser.RunAsync($"{Helpers} type({{ password: '{Good}', again: '{Good}' }}); await send(); return document.getElementById('problem').textContent;")).ShouldStartWith("This link is not good any more");
        await browser.OpenAsync("http://localhost/new-password");
        (await browser.RunAsync("return document.getElementById('problem').textContent + document.getElementById('form').hidden;")).ShouldBe("This address lacks its token: open the whole link of the mail.true");
    }

    [Fact]
    public async Task Whoever_was_invited_joins_on_the_page()
    {
        await using var post = await MailServer.StartAsync();
        await using var lab = await IdentityLab.StartAsync(mail: post.Clear, address: "http://localhost/");
        await lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, await lab.TokenOfAsync("ann"));
        await using var browser = await OpenAsync(lab, "join#" + (await post.NextAsync()).Token);
        (await browser.RunAsync("while (document.getElementById('form').hidden) await new Promise(resolve => setTimeout(resolve, 5)); return document.getElementById('title').textContent;")).ShouldBe("Join Acme");
        (await browser.RunAsync($"{Helpers} type({{ name: 'Eve', login: 'tom', password: '{Good}', again: '{Good}' }}); await send(); return said('login') + end();")).ShouldBe("That login is taken.");
        (await browser.RunAsync($"{Helpers} type({{ login: 'eve' }}); await send(); return said('login') + end();")).ShouldBe("countersign login --server http://localhost eve");
        (await lab.SignInAsync("eve", Good)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_organization_is_registered_on_the_page_from_asking_to_owning_it()
    {
        await using var post = await MailServer.StartAsync();
        await using var lab = await IdentityLab.StartAsync(mail: post.Clear, address: "http://localhost/", with: options => options with { SelfRegistration = true });
        await using var browser = await OpenAsync(lab, "register");
        const string Filled = "organization: 'New', name: 'Rita', mail: 'rita@new.example'";
        (await browser.RunAsync($"{Helpers} type({{ {Filled}, wish: 'RITA', password: '{Good}', again: '{Good}' }}); await send(); return said('wish') + document.activeElement.id;")).ShouldEndWith("wish");
        (await browser.RunAsync($"{Helpers} type({{ wish: 'rita', again: 'x' }}); await send(); return said('wish') + said('again');")).ShouldBe("The two passwords are not the same.");
        (await browser.RunAsync($"{Helpers} type({{ again: '{Good}' }}); await send(); const problem = document.getElementById('problem'); return problem.className + ' ' + problem.textContent;"))
            .ShouldBe("note A link is on its way to that address.");
        await browser.OpenAsync("http://localhost/register#" + (await post.NextAsync()).Token);
        (await browser.RunAsync($"{Helpers} type({{ login: 'tom' }}); await send(); return said('login') + end();")).ShouldBe("This login is taken: choose another one.");
        (await browser.RunAsync($"{Helpers} type({{ login: '' }}); await send(); return end();")).ShouldBe("countersign login --server http://localhost rita");
    }

    [Fact]
    public async Task The_server_is_set_up_on_the_page()
    {
        await using var lab = await IdentityLab.StartEmptyAsync(address: "http://localhost/");
        await using var browser = await OpenAsync(lab, "setup#" + lab.Get<OrganizationSetup>().IssueToken());
        const string Filled = "organization: 'Acme', name: 'Ann', mail: 'nowhere', login: 'ann'";
        (await browser.RunAsync($"{Helpers} type({{ {Filled}, password: '{Good}', again: '{Good}' }}); await send(); return said('mail') + end();")).ShouldNotBeEmpty();
        (await browser.RunAsync($"{Helpers} type({{ mail: '' }}); await send(); return said('mail') + end() + location.hash;")).ShouldBe("countersign login --server http://localhost ann");
    }

    [Fact]
    public async Task A_contact_signs_in_on_the_page_also_where_what_they_may_ask_for_can_not_be_listed()
    {
        await using var with = await MailLab.StartAsync("http://localhost/");
        await with.AddContactAsync("carl@customer.example");

        // The browser has a clock of its own, by which cookies end.
        with.Lab.Clock.Advance(TimeProvider.System.GetUtcNow() - with.Lab.Clock.GetUtcNow());
        await using var browser = await OpenAsync(with.Lab, "contact");
        (await browser.RunAsync($"{Helpers} type({{ mail: 'carl@customer.example' }}); await send(); return document.getElementById('problem').textContent;"))
            .ShouldBe("If you are a contact here, a link is on its way.");
        await browser.OpenAsync("http://localhost/contact#" + (await with.Post.NextAsync()).Token);
        const string Broken = "const real = window.fetch; window.fetch = (path, ...more) => path === '/api/v1/devices' ? Promise.reject(new TypeError()) : real(path, ...more);";
        (await browser.RunAsync($"{Broken} {Helpers} await send(); return end() + document.getElementById('problem').textContent + document.getElementById('devices').textContent + location.hash;"))
            .ShouldBe("endThe list can't be shown now.");
        (await browser.RunAsync("return (await (await window.fetch('/api/v1/me')).json()).person.name;")).ShouldBe("Carl");
    }

    [Fact]
    public async Task A_contact_who_tries_codes_too_fast_goes_on_where_they_were()
    {
        await using var with = await MailLab.StartAsync("http://localhost/");
        await with.AddContactAsync("carl@customer.example");
        var token = await with.ContactTokenAsync("carl@customer.example");
        var uri = (await with.Lab.SendAsync(HttpMethod.Post, "me/two-factor/enrol", new JsonObject { ["password"] = "" }, token)).Json["uri"]!.GetValue<string>();
        var app = new TestAuthenticator(uri, with.Lab.Clock);
        (await with.Lab.SendAsync(HttpMethod.Post, "me/two-factor/confirm", new JsonObject { ["code"] = app.Next() }, token)).Status.ShouldBe(HttpStatusCode.OK);
        await with.Post.NextAsync();
        await using var browser = await OpenAsync(with.Lab, "contact#" + (await with.LinkAsync("carl@customer.example")).Token);
        (await browser.RunAsync($"{Helpers} await send(); return document.activeElement.id;")).ShouldBe("code");
        const string Wrong = "while (!document.getElementById('second').hidden && !document.getElementById('problem').textContent) { type({ code: '000000' }); await send(); }";
        (await browser.RunAsync($"{Helpers} {Wrong} return form.id + form.hidden + ' ' + document.getElementById('problem').textContent;")).ShouldBe("secondfalse Too many attempts");
        with.Lab.Clock.Advance(TimeSpan.FromMinutes(1));
        (await browser.RunAsync($"{Helpers} type({{ code: '{app.Next()}' }}); await send(); return end() + document.getElementById('devices').textContent;")).ShouldBe("endNothing yet.");
    }

    private static async Task<Chromium> OpenAsync(IdentityLab lab, string page)
    {
        var browser = await Chromium.StartAsync(lab.Server.HttpAddress);
        await browser.OpenAsync("http://localhost/" + page);
        return browser;
    }
}
