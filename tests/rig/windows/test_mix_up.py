"""No mix-up, ever: the engine with its real workers fetches as four identities at once, from an origin and through a
proxy that ask who it is, with redirects, lines that break, mirrors and parts; each request is answered as its job's
identity.  And who asks for ever is not answered for ever."""
import atexit
import collections
import concurrent.futures
import os
import re
import shutil
import tempfile

from rig.mixing import Files, MixedServer, check_landed, check_log, check_workers, interleaved, jobs_of, start
from rig.whoami import MADE_UP, package
from ground import GROUND, run, skip

if GROUND != "wine":
    skip("only Wine loads a package of ours into the process that asks")
USERS = {number: f"{MADE_UP}{number}" for number in (1001, 1002, 1003, 1004)}
ROUNDS = int(os.environ.get("FERRY_ROUNDS", 1))
ENDLESS = 1000        # messages of a package that is never satisfied
REQUESTS_MAX = 10 + 1  # TRANSFER_REDIRECTS_MAX: curl counts answers to a 401 and a 407 as well

folder = tempfile.mkdtemp(prefix="ferry-mix-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)


class Scene:
    """An origin and its mirror that ask by this scheme; a proxy that does, and behind it one that asks nobody, and one
    that does again.  `host` names what is behind."""
    host = "behind.localhost"

    def __init__(self, scheme, legs, bound, ntlm=()):
        self.place = tempfile.mkdtemp(dir=folder)
        self.package = package(scheme, legs)
        asking = ("origin", "mirror", "asking")
        self.origin, self.mirror, self.asking = (self.server(name, scheme, bound) for name in asking)
        self.free, self.proxy = self.server("free", None), self.server("proxy", scheme, bound, proxy=True)
        self.settings = {
            "authentication": {"implicit_servers": ["*"], "implicit_proxies": ["*"], "ntlm": list(ntlm)},
            "proxy": {"table": [f"{self.host} http://127.0.0.1:{self.proxy.port}"]},
        }

    def server(self, name, *options, **more):
        return MixedServer(f"{self.place}/{name}", *options, **more)

    @staticmethod
    def at(server, host="localhost", scheme="http"):
        return lambda kind: server.url(kind, host).replace("http", scheme)

    def play(self):
        near = self.at(self.origin), self.at(self.mirror)
        far = self.at(self.free, self.host), self.at(self.asking, self.host)
        jobs = interleaved({who: jobs_of(self.place, who, *near) + jobs_of(self.place, who, *far) for who in USERS})
        done = start(self.place, 0, jobs, self.settings, self.package)
        check_workers(done, len(USERS))
        for server in (self.origin, self.mirror, self.asking, self.free, self.proxy):
            answered = check_log(server.requests(), USERS if server.scheme else None)
            assert set(answered) == set(USERS), (server.folder, answered)
        check_landed(self.place, jobs, done)
        for server in (self.origin, self.proxy):
            self.check_kinds(server.requests())
        self.close()

    @staticmethod
    def check_kinds(requests):
        """Else less was shown than this says.  Whether a file comes in parts is a matter of time, too."""
        seen = {(int(one.url.rpartition("?")[2]), one.status, one.url.split("/")[-2]) for one in requests}
        for what in ((302, "moved"), (206, "cut"), (200, "broken")):
            for who in USERS:
                assert (who, *what) in seen, (who, what, seen)
        assert any((who, 206, "slow") in seen for who in USERS), seen

    def play_for_ever(self):
        """The package is never satisfied, and neither are origin and proxy."""
        ways = (self.at(self.origin), self.at(self.free, self.host), self.at(self.free, self.host, "https"))
        jobs = [(who, [Files(self.place, who).one(at, "plain", 1000)]) for who, at in zip(USERS, ways)]
        settings = self.settings | {"transfer": {"connect_timeout_ms": 1000}}
        done = start(self.place, 0, jobs, settings, self.package, no_progress_timeout_s=0)
        assert "3 failed" in done.stdout, (done.stdout, done.stderr)
        for number, who in enumerate(("server", "proxy")):
            assert re.search(f"job {number}: the {who} refused {self.origin.scheme} ", done.stderr), done.stderr
        assert re.search("job 2: (the proxy refused|Proxy CONNECT aborted)", done.stderr), done.stderr
        asked = collections.Counter(seen.url for server in (self.origin, self.proxy) for seen in server.requests())
        for url, times in asked.items():
            # A tunnel is part of connecting, which ends after a while.
            assert 1 < times <= (REQUESTS_MAX if "plain" in url else ENDLESS), asked
        self.close()

    def close(self):
        for server in (self.origin, self.mirror, self.asking, self.free, self.proxy):
            server.close()
        shutil.rmtree(self.place)


def at_once(scenes, act):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(act, scene) for scene in scenes]:
            done.result()


def four_identities__no_request_is_answered_as_another_one():
    for number in range(ROUNDS):
        ntlm = ["*"] * (number % 2)  # with two schemes to choose from curl waits to be asked, with one it need not
        scenes = Scene("NTLM", 2, True, ["*"]), Scene("Negotiate", 1, False, ntlm), Scene("Negotiate", 2, True, ntlm)
        at_once(scenes, Scene.play)


def who_asks_for_ever__is_given_up():
    at_once((Scene("Negotiate", ENDLESS, True), Scene("NTLM", ENDLESS, True, ["*"])), Scene.play_for_ever)


run(four_identities__no_request_is_answered_as_another_one, who_asks_for_ever__is_given_up)
