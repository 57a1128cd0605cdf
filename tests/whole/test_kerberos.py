"""As whom Ferry is seen by servers that ask: Apache's own log judges, by Kerberos, on the Linux ground.

The tickets are the identities' own, in files that nobody else can read; the daemon has none.
"""
import atexit
import os
import shutil
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import GROUND, run, skip, wait_until
from play import Play
from rig import ApacheOrigin, Kdc, SquidProxy

if GROUND != "linux":
    skip("Wine's Kerberos has one user: the Linux ground shows whose ticket is used")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")

folder = tempfile.mkdtemp(prefix="ferry-kerberos-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
kdc = Kdc(os.path.join(folder, "kdc"))
origin = ApacheOrigin(os.path.join(folder, "apache"), kdc)
squid = SquidProxy(os.path.join(folder, "squid"), kdc)
os.environ["KRB5_CONFIG"] = kdc.config  # the daemon's, too
origin.file("a.bin", 300000)


class Scene(Play):
    """Alice is the owner, bob the helper."""

    def __init__(self, authentication=(), tickets=True, **settings):
        super().__init__({"authentication": dict(authentication), **settings})
        if tickets:
            kdc.give("alice", self.owner)
            kdc.give("bob", self.helper)
        self.before, self.before_proxy = len(origin.requests()), len(squid.requests())

    def job(self, path, url, *flags, credentials=()):
        handle = self.wire.ok("job.create", name="k", auto_complete=True, retry_delay_s=5,
                              files=[{"url": url, "path": path}])["handle"]
        for target, scheme in credentials:
            self.wire.ok("job.setCredentials", handle=handle, target=target, scheme=scheme, user=None, password=None)
        if flags:
            self.flags(handle, *flags)
            self.wire.lend(self.helper, handle)
        self.wire.ok("job.resume", handle=handle)
        return handle

    def served(self):
        """Who got the file, by Apache's word."""
        return {seen.user for seen in origin.requests()[self.before:] if seen.status in (200, 206)}

    def let_through(self):
        """By Squid's word."""
        return {seen.user for seen in squid.requests()[self.before_proxy:] if seen.status in (200, 206)}

    def fails(self, handle, result, *words):
        error = self.wait(handle, "ERROR")["error"]
        assert error["result"] == result, error
        for word in words:
            assert word in error["what"], error
        self.wire.ok("job.cancel", handle=handle)
        return error


def owner_and_helper__each_is_served_as_its_own_principal():
    scene = Scene({"implicit_servers": ["localhost"]})
    url = origin.url("a.bin")
    plain, lent = os.path.join(scene.owners, "a.bin"), os.path.join(scene.owners, "b.bin")
    scene.wait(scene.job(plain, url), "ACKNOWLEDGED")
    assert scene.served() == {"alice@FERRY.TEST"}, scene.served()
    scene.before = len(origin.requests())
    scene.wait(scene.job(lent, url, "network"), "ACKNOWLEDGED")
    assert scene.served() == {"bob@FERRY.TEST"}, scene.served()
    scene.end()


def helpers_file__fetched_as_the_owners_principal():
    """Half of the mission's sentence: written where only the helper may, asked for as the owner."""
    scene = Scene({"implicit_servers": ["*"]})
    path = os.path.join(scene.helpers, "a.bin")
    scene.wait(scene.job(path, origin.url("a.bin"), "local-file"), "ACKNOWLEDGED")
    assert os.stat(path).st_uid == scene.helper.uid
    assert scene.served() == {"alice@FERRY.TEST"}, scene.served()
    scene.end()


THROUGH = {"table": [f"* http://proxy.localhost:{squid.port}"]}


def mission__written_as_the_helper_and_asked_for_as_the_owner_through_a_proxy_that_asks_for_kerberos():
    scene = Scene({"implicit_proxies": ["proxy.localhost"]}, proxy=THROUGH)
    path = os.path.join(scene.helpers, "a.bin")
    scene.wait(scene.job(path, origin.url("a.bin", "open"), "local-file"), "ACKNOWLEDGED")
    status = os.stat(path)
    assert (status.st_uid, status.st_mode & 0o7777) == (scene.helper.uid, 0o600), status
    assert scene.let_through() == {"alice@FERRY.TEST"} and scene.served() == {None}, scene.served()
    scene.end()


def proxy_and_server__each_only_where_it_is_said():
    scene = Scene({"implicit_proxies": ["proxy.localhost"]}, proxy=THROUGH)
    handle = scene.job(os.path.join(scene.owners, "a.bin"), origin.url("a.bin"))
    scene.fails(handle, "UNAUTHORIZED", "the server asks for Negotiate")
    scene.end()
    scene = Scene({"implicit_servers": ["localhost"]}, proxy=THROUGH)
    handle = scene.job(os.path.join(scene.owners, "a.bin"), origin.url("a.bin"))
    scene.fails(handle, "PROXY_UNAUTHORIZED", "the proxy asks for Negotiate")
    scene.end()
    scene = Scene({"implicit_servers": ["localhost"], "implicit_proxies": ["proxy.localhost"]}, proxy=THROUGH)
    scene.wait(scene.job(os.path.join(scene.owners, "b.bin"), origin.url("a.bin"), "network"), "ACKNOWLEDGED")
    assert scene.served() == scene.let_through() == {"bob@FERRY.TEST"}, (scene.served(), scene.let_through())
    scene.end()


def nobody_said_so__nothing_is_sent():
    scene = Scene({"implicit_servers": ["other.example"], "implicit_proxies": ["*"]})
    handle = scene.job(os.path.join(scene.owners, "a.bin"), origin.url("a.bin"))
    scene.fails(handle, "UNAUTHORIZED", "asks for Negotiate", "no credentials")
    seen = wait_until(lambda: origin.requests()[scene.before:], 10, "Apache's log tells")
    assert [(one.status, one.user) for one in seen] == [(401, None)], seen
    scene.end()


def no_ticket__is_told_from_being_refused():
    scene = Scene({"implicit_servers": ["localhost", "*.localhost"]}, tickets=False)
    path = os.path.join(scene.owners, "a.bin")
    scene.fails(scene.job(path, origin.url("a.bin")), "NO_TICKET", "Negotiate")
    kdc.give("alice", scene.owner)
    scene.fails(scene.job(path, origin.url("a.bin", host="nobody.localhost")), "NO_TICKET", "Negotiate")
    scene.wait(scene.job(path, origin.url("a.bin")), "ACKNOWLEDGED")
    scene.end()


def only_ways_that_are_not_allowed__are_named():
    scene = Scene({"implicit_servers": ["*"]})
    scene.fails(scene.job(os.path.join(scene.owners, "a.bin"), origin.url("a.bin", "basic")), "AUTH_SCHEME", "Basic", "Negotiate")
    scene.end()


run(owner_and_helper__each_is_served_as_its_own_principal,
    helpers_file__fetched_as_the_owners_principal,
    mission__written_as_the_helper_and_asked_for_as_the_owner_through_a_proxy_that_asks_for_kerberos,
    proxy_and_server__each_only_where_it_is_said,
    nobody_said_so__nothing_is_sent,
    no_ticket__is_told_from_being_refused,
    only_ways_that_are_not_allowed__are_named)
