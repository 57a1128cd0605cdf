"""Users and passwords on the ground that cannot seal them: runtime/transfer and the pinned libcurl alone, real servers.

Here Digest is libcurl's own, and Negotiate GSSAPI's; what Windows makes of both is whole.passwords', or nobody's yet.
"""
import atexit
import os
import shutil
import subprocess
import tempfile

from rig import PASSWORDS, ApacheOrigin, Kdc, NginxTls, NtlmServer
from ground import GROUND, program, run, skip

if GROUND != "linux":
    skip("Wine has no Digest (shown by Linux; the product with passwords by whole.passwords under Wine)")

folder = tempfile.mkdtemp(prefix="ferry-logins-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
kdc = Kdc(os.path.join(folder, "kdc"))
apache = ApacheOrigin(os.path.join(folder, "apache"), kdc)
apache.file("a.bin", 100000)
NO_TICKET = {"KRB5_CONFIG": kdc.config, "KRB5CCNAME": "FILE:" + os.path.join(folder, "none")}
WRONG = "sesame-wrong-M4rk3d"


def fetch(schemes, url, password=PASSWORDS["alice"], user="alice", environment=NO_TICKET, served=apache, proxy=()):
    """The result's name and what is said of it; and if it is OK, the bytes are right."""
    path = os.path.join(folder, "landed")
    if os.path.exists(path):
        os.remove(path)
    done = subprocess.run([*program("tests/fetch_login"), schemes, user, url, path, *proxy], input=password + "\n",
                          env=dict(os.environ, **environment), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.stdout, done.stderr)
    result, _, said = done.stdout.strip().partition(" ")
    assert password not in done.stdout and "sesame" not in done.stdout, done.stdout
    if result == "OK":
        with open(path, "rb") as landed, open(os.path.join(served.www, "a.bin"), "rb") as wanted:
            assert landed.read() == wanted.read(), url
    return result, said


def users(server, way=""):
    return [(seen.status, seen.user) for seen in server.requests() if f"/{way}" in seen.url]


def digest__lets_in_whose_password_is_right():
    assert fetch("digest", apache.url("a.bin", "digest")) == ("OK", "")
    assert users(apache, "digest/")[-2:] == [(401, None), (200, "alice")], users(apache)
    result, said = fetch("digest", apache.url("a.bin", "digest"), WRONG)
    assert result == "UNAUTHORIZED" and "refused Digest as the job's user" in said, (result, said)
    assert {status for status, _ in users(apache, "digest/")[2:]} == {401}, users(apache)
    result, said = fetch("digest", apache.url("a.bin", "basic"))
    assert result == "AUTH_SCHEME" and "offers Basic" in said, (result, said)


def basic__lets_in_whose_password_is_right():
    assert fetch("basic", apache.url("a.bin", "basic"))[0] == "OK"
    assert fetch("basic", apache.url("a.bin", "basic"), WRONG)[0] == "UNAUTHORIZED"


def negotiate__that_cannot_begin_leaves_ntlm():
    origin = NtlmServer(os.path.join(folder, "offers"), schemes=("Negotiate", "NTLM"))
    proxy = NtlmServer(os.path.join(folder, "proxy"), proxy=True, schemes=("Negotiate", "NTLM"))
    through = [f"http://localhost:{proxy.port}"]
    origin.file("a.bin", 100000)
    assert fetch("negotiate,ntlm", origin.url("a.bin"), user="FERRY\\alice", served=origin) == ("OK", "")
    assert fetch("negotiate,ntlm", apache.url("a.bin", "open"), user="FERRY\\alice", proxy=through) == ("OK", "")
    for server in (origin, proxy):
        assert [scheme for _, scheme, _ in server.tokens] == ["NTLM", "NTLM"], server.tokens
    result, said = fetch("negotiate", origin.url("a.bin"), served=origin)
    assert result == "NO_TICKET" and "No credentials" in said, (result, said)
    result, said = fetch("negotiate,ntlm", origin.url("a.bin"), WRONG, served=origin)
    assert result == "UNAUTHORIZED" and "refused NTLM" in said, (result, said)


def negotiate__in_the_way_to_a_tunnel():
    secure = NginxTls(os.path.join(folder, "tls"))
    proxy = NtlmServer(os.path.join(folder, "tunnel"), proxy=True, schemes=("Negotiate", "NTLM"))
    secure.file("a.bin", 100000)
    result, said = fetch("negotiate,ntlm", secure.url("a.bin"), user="FERRY\\alice",
                         proxy=[f"http://localhost:{proxy.port}"])
    assert result == "CERTIFICATE", (result, said)  # it went through the proxy, to a server of nobody's authority
    assert [scheme for _, scheme, _ in proxy.tokens] == ["NTLM", "NTLM"], proxy.tokens


def negotiate__that_was_refused_is_not_tried_by_ntlm():
    origin = NtlmServer(os.path.join(folder, "refuses"), schemes=("Negotiate", "NTLM"))
    origin.file("a.bin", 100000)
    ticket = kdc.kinit("alice", os.path.join(folder, "ticket"))
    result, said = fetch("negotiate,ntlm", origin.url("a.bin"), environment=ticket, served=origin)
    assert result == "UNAUTHORIZED" and "refused Negotiate" in said, (result, said)
    assert {(scheme, kind) for _, scheme, kind in origin.tokens} == {("Negotiate", None)}, origin.tokens


run(digest__lets_in_whose_password_is_right,
    basic__lets_in_whose_password_is_right,
    negotiate__that_cannot_begin_leaves_ntlm,
    negotiate__in_the_way_to_a_tunnel,
    negotiate__that_was_refused_is_not_tried_by_ntlm)
