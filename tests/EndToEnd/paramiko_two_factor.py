"""Driven by TwoFactorTests: signs in at 127.0.0.1 as another client does it, and says how far it got."""
import socket
import sys

import paramiko

port, method, user, secret, code = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
transport = paramiko.Transport(socket.create_connection(("127.0.0.1", port)))
transport.start_client(timeout=30)
asked = []


def answer(title, instructions, prompts):
    asked.extend(text for text, _ in prompts)
    return [secret if text == "Password: " else code for text, _ in prompts]


try:
    if method == "key":
        left = transport.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(secret))
    elif method == "password":
        left = transport.auth_password(user, secret, fallback=False)
    else:
        left = ["keyboard-interactive"]
    if left == ["keyboard-interactive"]:
        left = transport.auth_interactive(user, answer)
    print("in" if transport.is_authenticated() else "left " + ",".join(left), *asked, sep="|")
except paramiko.AuthenticationException:
    print("out", *asked, sep="|")
transport.close()
