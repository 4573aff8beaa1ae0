"""A mail server for tests: one port that wants STARTTLS and a password, one that has neither.

Arguments: certificate, key, user, password. It says the ports on its first line of output, then each mail that it took, as JSON.
On its input it is told what to answer to the messages that come next ("451 later"; "hang" for none; "take" to take it), each line once; it says "told" to each.
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

certificate, key, user, password = sys.argv[1:5]
answers = []


def say(what):
    print(json.dumps(what), flush=True)


class Taking:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if answers:
            answer = answers.pop(0)
            if answer == "hang":
                say({"hanging": True, "id": message["Message-ID"]})
                await asyncio.sleep(3600)
            elif answer != "take":
                return answer
        say({
            "to": envelope.rcpt_tos,
            "from": message["From"],
            "headerTo": message["To"],
            "subject": message["Subject"],
            "id": message["Message-ID"],
            "automatic": message["Auto-Submitted"],
            "headers": message.keys(),
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "text": message.get_body(("plain",)).get_content(),
            "html": message.get_body(("html",)).get_content(),
        })
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == user.encode() and data.password == password.encode()
    return AuthResult(success=right, auth_data=data)


async def listen(loop, **options):
    server = await loop.create_server(lambda: SMTP(Taking(), hostname="mail.test", loop=loop, **options), "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


async def main():
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    say({
        "startTls": await listen(loop, tls_context=context, require_starttls=True, auth_required=True, auth_require_tls=True, authenticator=authenticate),
        "clear": await listen(loop),
    })
    told = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    while line := await told.readline():
        answers.append(line.decode().strip())
        say("told")


asyncio.run(main())
