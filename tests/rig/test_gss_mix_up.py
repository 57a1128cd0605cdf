"""No mix-up, ever: the engine with its real workers fetches as four uids at once, each with tickets of its own, from
Apache and through Squid, which ask by Kerberos, with redirects, lines that break, mirrors and parts.  Their logs tell."""
import atexit
import collections
import itertools
import os
import shutil
import socket
import socketserver
import tempfile
import threading
import time

from rig import PASSWORDS, ApacheOrigin, Kdc, SquidProxy
from rig.mixing import TRANSFERS, Files, check_landed, check_log, check_workers, content, interleaved, small_jobs, start
from ground import GROUND, MIB, OLD, Identity, run, skip, wait_until

if GROUND != "linux":
    skip("Wine's Kerberos speaks for the one Unix user: rig.mix_up shows whom Ferry speaks for there")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")
ROUNDS = int(os.environ.get("FERRY_ROUNDS", 1))
THIRD, CUT_BYTES = 3, 12000
SLOW, FAR_S = 6 * MIB, 0.03  # so large and far away that Ferry asks for parts at once (core/segments.h)

folder = tempfile.mkdtemp(prefix="ferry-gss-mix-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
kdc = Kdc(os.path.join(folder, "kdc"))
origin = ApacheOrigin(os.path.join(folder, "apache"), kdc)
squid = SquidProxy(os.path.join(folder, "squid"), kdc)


class Line(socketserver.BaseRequestHandler):
    """A line to Apache: a long one, or every third one breaks in the middle of its first answer."""
    numbers = itertools.count(1)

    def handle(self):
        left = CUT_BYTES if self.server.delay_s == 0 and next(self.numbers) % THIRD == 0 else 1 << 40
        with socket.create_connection(("127.0.0.1", origin.port)) as upstream:
            asking = threading.Thread(target=self.ask, args=(upstream,), daemon=True)
            asking.start()
            try:
                while left > 0 and (block := upstream.recv(min(left, 65536))):
                    time.sleep(self.server.delay_s)
                    self.request.sendall(block)
                    left -= len(block)
                self.request.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client wants no more
            asking.join()  # before its sockets' numbers are somebody else's

    def ask(self, upstream):
        try:
            while block := self.request.recv(65536):
                upstream.sendall(block)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it broke


class Lines(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, delay_s):
        super().__init__(("127.0.0.1", 0), Line)
        self.delay_s = delay_s
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, kind):
        return f"http://localhost:{self.server_address[1]}/krb/{kind}"


breaking, far = Lines(0), Lines(FAR_S)


def direct(kind):
    return origin.url(kind)


def through_squid(kind):
    return origin.url(kind, "open", "stranger.localhost")


SETTINGS = {"authentication": {"implicit_servers": ["localhost"], "implicit_proxies": ["proxy.localhost"]},
            "proxy": {"table": [f"stranger.localhost {squid.url}"]}}


def jobs_of(place, who):
    files = Files(place, who)
    special = [[files.one(breaking.url, "cut", 20000) for _ in range(6)],
               [files.one(breaking.url, "cut", 20000, (breaking.url, "cut"), (direct, "cut")) for _ in range(6)],
               [files.one(far.url, "slow", SLOW)]]
    half = TRANSFERS // 2
    return special + small_jobs(files, direct, half - 13) + small_jobs(files, through_squid, half)


def serve(jobs):
    for kind in ("plain", "cut", "slow"):
        shutil.rmtree(os.path.join(origin.www, kind), ignore_errors=True)
        os.mkdir(os.path.join(origin.www, kind))
    for _, files in jobs:
        for file in files:
            kind, name = file["url"].partition("?")[0].split("/")[-2:]
            path = os.path.join(origin.www, kind.replace("moved", "plain"), name)
            with open(path, "wb") as served:
                served.write(content(name))
            os.utime(path, (OLD, OLD))  # the tag of what is new is a weak one


def four_uids__no_request_is_answered_as_another_one():
    for _ in range(ROUNDS):
        identities = [Identity() for _ in PASSWORDS]
        place = tempfile.mkdtemp(dir=folder)
        users = {one.uid: f"{user}@{kdc.realm}" for user, one in zip(PASSWORDS, identities)}
        for user, one in zip(PASSWORDS, identities):
            kdc.give(user, one)
        jobs = interleaved({uid: jobs_of(place, uid) for uid in users})
        serve(jobs)
        before = len(origin.requests()), len(squid.requests())
        done = start(place, 0, jobs, SETTINGS, {"KRB5_CONFIG": kdc.config})
        check_workers(done, len(users))
        half = len(users) * TRANSFERS // 2
        wait_until(lambda: len(squid.requests()) - before[1] >= half, 10, "Squid's log tells of all")
        by_apache = [seen for seen in origin.requests()[before[0]:] if "/krb/" in seen.url]
        by_squid = squid.requests()[before[1]:]
        for log in (by_apache, by_squid):
            answered = check_log(log, users)
            assert set(answered) == set(users), answered
            assert "moved" in {seen.url.split("/")[-2] for seen in log if seen.status == 302}
        kinds = collections.Counter((seen.url.split("/")[-2], seen.status) for seen in by_apache)
        assert kinds["cut", 206] and kinds["slow", 206], kinds
        check_landed(place, jobs, done)
        shutil.rmtree(place)


run(four_uids__no_request_is_answered_as_another_one)
