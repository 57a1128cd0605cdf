"""Servers and proxies that ask who one is, and how https servers are recognised: one user, real servers, either ground.

Under Wine it is the Windows program, by SSPI and Schannel.  Whose ticket is used there is shown by whole.kerberos.
"""
import atexit
import os
import shutil
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import Ferry, native, run, sha256, wait_until
from rig import ApacheOrigin, Kdc, NginxTls, Redirector, SquidProxy

folder = tempfile.mkdtemp(prefix="ferry-auth-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
kdc = Kdc(os.path.join(folder, "kdc"))
origin = ApacheOrigin(os.path.join(folder, "apache"), kdc)
squid = SquidProxy(os.path.join(folder, "squid"), kdc)
tls = NginxTls(os.path.join(folder, "tls"))
SIZE = 300000
origin.file("a.bin", SIZE)
tls.file("t.bin", SIZE)
TICKET = os.path.join(folder, "ticket")
ALICE = "alice@FERRY.TEST"


class Scene(Ferry):
    """A daemon with alice's ticket, or none."""

    def __init__(self, ticket=TICKET, authentication=(), proxy=(), tls=()):
        super().__init__({"authentication": dict(authentication), "proxy": dict(proxy), "tls": dict(tls)})
        self.environment.update(kdc.client(ticket))
        self.start()
        self.logs = {server: len(server.requests()) for server in (origin, squid)}
        self.number = 0

    def fetch(self, url, *options):
        """The error of a job that fetches this; None if the file landed."""
        self.number += 1
        path = os.path.join(self.landed, f"{self.number}.bin")
        name = f"Job {self.number}"
        done = self.run("submit", "--name", name, *options, url, native(path), check=False)
        if done.returncode == 0:
            served = origin if "a.bin" in url else tls
            assert sha256(path) == sha256(os.path.join(served.www, os.path.basename(url))), url
            return None
        self.run("cancel", name, check=False)
        job = [job for job in self.jobs() if job["name"] == name][0]
        return job["error"]["result"], job["error"]["message"]

    def refused(self, url, result, *words, options=()):
        error = self.fetch(url, *options)
        assert error is not None and error[0] == result, (url, error)
        for word in words:
            assert word in error[1], error
        for secret in ("YII", "TlRM", "sesame"):
            assert secret not in error[1] + self.log_text(), error

    def log_text(self):
        with open(os.path.join(self.data, "ferry.jsonl"), encoding="utf-8") as file:
            return file.read()

    def users(self, server):
        """Whom it served, since the scene began."""
        return {seen.user for seen in server.requests()[self.logs[server]:] if seen.status in (200, 206)}


TO_SERVERS = {"implicit_servers": ["localhost", "*.localhost"]}
TO_PROXIES = {"implicit_proxies": ["proxy.localhost"]}
THROUGH = {"table": [f"* {squid.url}"]}
TRUSTED = {"ca_files": [f"localhost {native(tls.ca)}"], "revocation": 0}
if not os.path.exists(TICKET):
    kdc.kinit("alice", TICKET)


def kerberos__origin_proxy_and_both():
    scene = Scene(authentication=TO_SERVERS)
    assert scene.fetch(origin.url("a.bin")) is None
    assert scene.users(origin) == {ALICE}, scene.users(origin)
    scene.close()
    scene = Scene(authentication=TO_PROXIES, proxy=THROUGH)
    assert scene.fetch(origin.url("a.bin", "open")) is None
    assert (scene.users(squid), scene.users(origin)) == ({ALICE}, {None}), scene.users(squid)
    scene.refused(origin.url("a.bin"), "UNAUTHORIZED", "the server asks for Negotiate")
    scene.close()
    scene = Scene(authentication=TO_PROXIES | TO_SERVERS, proxy=THROUGH)
    assert scene.fetch(origin.url("a.bin")) is None
    assert scene.users(squid) == scene.users(origin) == {ALICE}
    scene.close()


def kerberos__connect_through_the_proxy_to_https():
    scene = Scene(authentication=TO_PROXIES, proxy=THROUGH, tls=TRUSTED)
    assert scene.fetch(tls.url("t.bin")) is None
    scene.close()
    wait_until(lambda: scene.users(squid) == {ALICE}, 10, "Squid tells of the tunnel when it has ended")
    scene = Scene(proxy=THROUGH, tls=TRUSTED)
    scene.refused(tls.url("t.bin"), "PROXY_UNAUTHORIZED", "the proxy asks for Negotiate")
    scene.close()


def kerberos__what_is_wrong_is_told():
    missing, short = os.path.join(folder, "missing"), os.path.join(folder, "short")
    scene = Scene(missing, TO_SERVERS)
    scene.refused(origin.url("a.bin"), "NO_TICKET", "Negotiate", "network identity")
    scene.close()
    kdc.kinit("alice", short, "2s")
    wait_until(lambda: not kdc.takes(short), 20, "the ticket has expired")
    scene = Scene(short, TO_SERVERS)
    scene.refused(origin.url("a.bin"), "NO_TICKET", "Negotiate")
    scene.close()
    scene = Scene(authentication=TO_SERVERS)
    scene.refused(origin.url("a.bin", host="nobody.localhost"), "NO_TICKET", "Negotiate")
    scene.refused(origin.url("a.bin", host="stranger.localhost"), "UNAUTHORIZED", "refused Negotiate")
    scene.refused(origin.url("a.bin", "basic"), "AUTH_SCHEME", "offers Basic", "Negotiate only")
    scene.refused(origin.url("a.bin", "digest"), "AUTH_SCHEME", "offers Digest")
    scene.close()


def proxy__that_begins_to_ask_in_the_middle():
    asking = SquidProxy(os.path.join(folder, "asking"), kdc, None)
    scene = Scene(proxy={"table": [f"* {asking.url}"]})
    assert scene.fetch(origin.url("a.bin", "open")) is None
    asking.ask("negotiate")
    scene.refused(origin.url("a.bin", "open"), "PROXY_UNAUTHORIZED", "the proxy asks for Negotiate")
    scene.close()
    asking.close()


def proxy__by_host_and_directly_where_the_table_says_so():
    scene = Scene(authentication=TO_PROXIES, proxy={"table": [f"* {squid.url}", "*.localhost direct"]})
    assert scene.fetch(origin.url("a.bin", "open")) is None
    assert scene.fetch(origin.url("a.bin", "open", host="stranger.localhost")) is None
    assert len(squid.requests()) - scene.logs[squid] in (1, 2), squid.requests()
    scene.close()
    gone = Scene(proxy={"table": ["* http://127.0.0.1:9"]})
    gone.refused(origin.url("a.bin", "open"), "NO_PROGRESS", "127.0.0.1 port 9",
                 options=["--no-progress-timeout", "0"])
    gone.close()


def https__is_recognised_or_not_fetched():
    scene = Scene(tls=TRUSTED)
    assert scene.fetch(tls.url("t.bin")) is None
    for kind in ("wrong_host", "expired"):
        scene.refused(tls.url("t.bin", kind), "CERTIFICATE")
    scene.close()
    scene = Scene(tls=TRUSTED | {"ca_files": [f"localhost {native(tls.other_ca)}"]})
    scene.refused(tls.url("t.bin"), "CERTIFICATE")
    scene.close()
    for pins, lands in ((tls.pin, True), ("sha256//" + "A" * 43 + "=", False), ("sha256//" + "A" * 43 + "=;" + tls.pin, True)):
        scene = Scene(tls=TRUSTED | {"pins": [f"localhost {pins}"]})
        if lands:
            assert scene.fetch(tls.url("t.bin")) is None
        else:
            scene.refused(tls.url("t.bin"), "CERTIFICATE")
        scene.close()
    missing = os.path.join(folder, "no-such-authority.pem")
    scene = Scene(tls=TRUSTED | {"ca_files": [f"localhost {native(missing)}"]})
    scene.refused(tls.url("t.bin"), "CERTIFICATE", "could not be read")
    assert [event["id"] for event in scene.events() if event["level"] == "error"][:1] == [1032], scene.events()
    scene.close()
    if os.environ.get("FERRY_GROUND", "linux") != "wine":  # windows/test_folder.c has who may write to what
        lax = os.path.join(folder, "lax.pem")
        shutil.copy(tls.ca, lax)
        os.chmod(lax, 0o666)
        scene = Scene(tls=TRUSTED | {"ca_files": [f"localhost {native(lax)}"]})
        scene.refused(tls.url("t.bin"), "CERTIFICATE", "could not be read")
        assert [event["id"] for event in scene.events() if event["level"] == "error"][:1] == [1032], scene.events()
        scene.close()
    scene = Scene(tls=TRUSTED)
    error = scene.fetch(tls.url("t.bin", "old"), "--no-progress-timeout", "0")
    assert error is not None and error[0] == "NO_PROGRESS", error
    scene.close()


def redirects__go_by_what_is_said_of_the_host_that_they_lead_to():
    """However its name is written: the wrong key is not taken for the right one."""
    away = Redirector()
    port = tls.ports["right"]
    spelled = [f"https://localhost:{port}/t.bin", f"https://localhost:{port}/t.bin#x", f"https://localhost.:{port}/t.bin",
               f"https://%6cocalhost:{port}/t.bin", f"https:///localhost:{port}/t.bin", f"https://LOCALHOST:{port}/t.bin"]
    scene = Scene(tls=TRUSTED | {"pins": [f"localhost sha256//{'A' * 43}="]})
    before = len(tls.requests())
    for away.location in spelled:
        error = scene.fetch(away.url("t.bin"), "--no-progress-timeout", "0")
        assert error is not None and error[0] in ("CERTIFICATE", "REDIRECT_REFUSED", "NO_PROGRESS"), (away.location, error)
    assert len(tls.requests()) == before, tls.requests()[before:]
    scene.close()
    scene = Scene(tls=TRUSTED)
    for away.location in (spelled[0], spelled[1]):
        assert scene.fetch(away.url("t.bin")) is None
    scene.close()
    away.close()


def redirects__take_no_ticket_along():
    """To another origin nobody is answered, though the policy names it: a server must not choose who sees the identity."""
    away = Redirector(origin.url("a.bin"))
    scene = Scene(authentication={"implicit_servers": ["*"]})
    scene.refused(away.url("a.bin"), "UNAUTHORIZED", "the server asks for Negotiate")
    assert {seen.user for seen in origin.requests()[scene.logs[origin]:]} == {None}
    away.location = origin.url("a.bin", "open")
    assert scene.fetch(away.url("a.bin")) is None
    away.location = away.url("a.bin")
    scene.refused(away.url("a.bin"), "REDIRECT_REFUSED")
    scene.close()
    away.close()


run(kerberos__origin_proxy_and_both,
    kerberos__connect_through_the_proxy_to_https,
    kerberos__what_is_wrong_is_told,
    proxy__that_begins_to_ask_in_the_middle,
    proxy__by_host_and_directly_where_the_table_says_so,
    https__is_recognised_or_not_fetched,
    redirects__go_by_what_is_said_of_the_host_that_they_lead_to,
    redirects__take_no_ticket_along)
