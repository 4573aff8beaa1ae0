"""Driven by ParamikoTests: logs in at 127.0.0.1 and converses; says "ok" or fails."""
import hashlib
import os
import socket
import sys

import paramiko

port, method, key_path, renewals = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
sock = socket.create_connection(("127.0.0.1", port))
transport = paramiko.Transport(sock)
transport.start_client(timeout=30)
if method == "password":
    transport.auth_password("alice", "right")
elif method == "interactive":
    transport.auth_interactive("alice", lambda title, instructions, prompts: ["right" for _ in prompts])
else:
    transport.auth_publickey("alice", getattr(paramiko, method).from_private_key_file(key_path))

channel = transport.open_session()
channel.exec_command("both")
assert channel.makefile("rb").read() == b"to output"
assert channel.makefile_stderr("rb").read() == b"to error"
assert channel.recv_exit_status() == 0

channel = transport.open_session()
channel.exec_command("sha256")
data = os.urandom(3_000_000)
for part in range(3):
    channel.sendall(data[part * 1_000_000 : (part + 1) * 1_000_000])

    # Asked for here, and not by a limit of bytes: this version of paramiko locks up if a channel closes while it renews the keys.
    for _ in range(renewals):
        transport.renegotiate_keys()
channel.shutdown_write()
assert channel.makefile("rb").read().decode() == hashlib.sha256(data).hexdigest()
assert channel.recv_exit_status() == 0

channel = transport.open_session()
channel.exec_command("exit 9")
assert channel.recv_exit_status() == 9

try:
    transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1))
    raise AssertionError("the channel was opened")
except paramiko.ChannelException:
    pass
transport.close()
print("ok")
