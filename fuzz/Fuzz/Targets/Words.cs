using System.Text;

namespace Countersign.Fuzz.Targets;

/// <summary>What messages are made of, by protocol.</summary>
internal static class Words
{
    public static readonly byte[][] Hostile = From(
        "\0", "\n", "\r\n", "\u001b[2J", "\u202e", "..", "../..", "/", "//", "~", "~/", "~root", "*", "?", "[a]", "$HOME", "$(id)", "`id`", ";", "|", "&", "'", "\"", "\\", "'\\''", "-", "--", "%n%s", ",", ",,", " ", "é", "\u2019", "\u201c",
        "\ufffd", "a\0b", new string('x', 257), new string('/', 300));

    public static readonly byte[][] Ssh = [.. Hostile, .. From(
        "ssh-userauth", "ssh-connection", "none", "password", "publickey", "keyboard-interactive", "hostbased", "alice", "bob", "session", "direct-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "forwarded-tcpip",
        "exec", "shell", "subsystem", "sftp", "pty-req", "env", "window-change", "signal", "break", "exit-status", "exit-signal", "eow@openssh.com", "xon-xoff", "x11-req", "auth-agent-req@openssh.com", "TERM", "xterm",
        "tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com", "keepalive@openssh.com", "no-more-sessions@openssh.com", "hostkeys-00@openssh.com", "hostkeys-prove-00@openssh.com", "ping@openssh.com",
        "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", "ecdsa-sha2-nistp256", "nistp256", "ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2-nistp256-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com",
        "server-sig-algs", "ext-info-c", "ext-info-s", "kex-strict-c-v00@openssh.com", "kex-strict-s-v00@openssh.com", "ext-info-in-auth@openssh.com", "curve25519-sha256", "diffie-hellman-group14-sha256", "diffie-hellman-group16-sha512", "ecdh-sha2-nistp256", "mlkem768x25519-sha256",
        "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr", "chacha20-poly1305@openssh.com", "hmac-sha2-256", "hmac-sha2-256-etm@openssh.com", "none", "SSH-2.0-x", "SSH-1.99-x", "SSH-1.5-x",
        "source-address", "force-command", "permit-pty", "verify-required", "127.0.0.1/8", "::/0", "10.0.0.1/8,")];

    public static readonly byte[][] Sftp = [.. Hostile, .. From(
        "posix-rename@openssh.com", "hardlink@openssh.com", "fsync@openssh.com", "statvfs@openssh.com", "fstatvfs@openssh.com", "limits@openssh.com", "lsetstat@openssh.com", "expand-path@openssh.com", "copy-data", "home-directory", "users-groups-by-id@openssh.com",
        "a", "b", "dir", "dir/a", "link", "a.filepart", ".", "h", "h1", "1")];

    public static readonly byte[][] Scp = [.. Hostile, .. From(
        "scp", "rsync", "-t", "-f", "-r", "-p", "-d", "-q", "-v", "-rpt", "--server", "--sender", "-e.LsfxCIvu", "-logDtpre.iLsfxCIvu", "--delete", "--max-delete=1", "--rsh=sh", "--files-from=-", ".", "C0644 5 f\n", "D0755 0 d\n", "E\n", "T1 0 1 0\n", "C4755 1 f\n", "\u0001no\n", "\u0002no\n", "hello", "0644", "$'a'", "{a,b}", "#", "!", "^", "%", "(", ")", "<", ">")];

    private static byte[][] From(params string[] words) => [.. words.Select(word => Encoding.UTF8.GetBytes(word))];
}
