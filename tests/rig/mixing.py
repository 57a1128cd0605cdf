"""fetch_jobs.c: one engine fetches as several identities at once; the servers' logs and the landed files judge."""
import collections
import functools
import hashlib
import json
import os
import random
import re
import subprocess
import time

from ground import MIB, native, program

from .whoami import Connection as Whoami, WhoamiServer

TRANSFERS = 200  # of each identity, half of them through a proxy
SLOW = 4 * MIB + 1000  # large enough and far enough away that Ferry asks for parts at once (core/segments.h)
AGAIN = 20  # answers after which some connection must have served twice
FAR_S, BLOCK, BLOCK_S = 0.03, 65536, 0.03
SETTINGS = {
    # So many that none waits for a connection: parts of a file are fetched over those that nobody waits for.
    "transfer": {"files_active_max": 64, "connections_per_host_max": 32},
    "queue": {"background_jobs_max": 64, "jobs_per_owner_max": 1000, "jobs_per_machine_max": 1000},
}


@functools.lru_cache(100)
def content(name):
    """Of a file that is called "NUMBER-SIZE": no two are alike."""
    return random.Random(name).randbytes(int(name.rpartition("-")[2]))


@functools.lru_cache(None)
def digest(name):
    return hashlib.sha256(content(name)).hexdigest()


class Connection(Whoami):
    """/KIND/FILE?WHO; WHO is whom the job's requests must be made as, for the log to tell."""

    def serve_file(self):
        _, kind, name = self.path.partition("?")[0].split("/")
        if kind == "moved":
            self.answer(302, [("Location", self.path.replace("/moved/", "/plain/"))])
            return
        body, status = content(name), 200
        tag = f'"{digest(name)[:16]}"'
        headers = [("ETag", tag), ("Accept-Ranges", "bytes")]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted and self.headers.get("If-Range", tag) == tag:
            first, last = int(wanted[1]), min(int(wanted[2] or len(body)), len(body) - 1)
            headers.append(("Content-Range", f"bytes {first}-{last}/{len(body)}"))
            body, status = body[first:last + 1], 206
        if kind == "slow":
            self.answer_slowly(status, headers, body)
        elif kind == "broken" or kind == "cut" and self.rig.is_new(self.path):
            self.answer_half(status, headers, body)
        else:
            self.answer(status, headers, body)

    def begin(self, status, headers, body):
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()

    def answer_half(self, status, headers, body):
        self.begin(status, headers, body)
        self.wfile.write(body[:len(body) // 2])
        self.close_connection = True

    def answer_slowly(self, status, headers, body):
        time.sleep(FAR_S)
        self.begin(status, headers, body)
        for begin in range(0, len(body), BLOCK):
            self.wfile.write(body[begin:begin + BLOCK])
            time.sleep(BLOCK_S)


class MixedServer(WhoamiServer):
    """An origin with as many files as one likes, or a proxy before it."""
    handler = Connection

    def __init__(self, *arguments, **options):
        self.cut = set()
        super().__init__(*arguments, **options)

    def is_new(self, path):
        known = path in self.cut
        self.cut.add(path)
        return not known


# --- the jobs ---

class Files:
    """Names files, of which none comes twice, for one identity at one server."""
    numbers = iter(range(1000000))

    def __init__(self, folder, who):
        self.folder, self.who = folder, who

    def one(self, url, kind, size, *mirrors):
        name = f"{next(self.numbers)}-{size}"
        told = {"url": f"{url(kind)}/{name}?{self.who}", "path": native(os.path.join(self.folder, name))}
        if mirrors:
            told["mirrors"] = [f"{mirror(kind)}/{name}?{self.who}" for mirror, kind in mirrors]
            told["digest"] = f"sha256:{digest(name)}"
        return told


def jobs_of(folder, who, at, also_at):
    """Lists of files, TRANSFERS // 2 in all; `at` and `also_at` make a URL's beginning of a kind.  What breaks off is
    gone on with after a while, or has two mirrors, of which the first one breaks off too."""
    files = Files(folder, who)
    special = [[files.one(at, "cut", 40000) for _ in range(2)] for _ in range(2)]
    special += [[files.one(at, "broken", 30000, (also_at, "cut"), (at, "plain")) for _ in range(6)]]
    special += [[files.one(at, "slow", SLOW)]]
    return special + small_jobs(files, at, TRANSFERS // 2 - sum(map(len, special)))


def small_jobs(files, at, count):
    small = [files.one(at, "moved" if n % 4 == 0 else "plain", 1000 + n) for n in range(count)]
    return [small[n::4] for n in range(4)]


def interleaved(jobs_by_identity):
    return [(who, files) for jobs in zip(*jobs_by_identity.values()) for who, files in zip(jobs_by_identity, jobs)]


def start(folder, owner, jobs, settings, environment, **more):
    """Run the program over jobs: pairs of an identity's number and files; `more` is said of each."""
    with open(os.path.join(folder, "ferry.jsonc"), "w") as file:
        json.dump(SETTINGS | settings, file)
    with open(os.path.join(folder, "jobs"), "w") as file:
        for number, (who, files) in enumerate(jobs):
            params = {"name": f"job {number}", "auto_complete": True, "retry_delay_s": 5, "files": files} | more
            file.write(f"{who}\t{json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'job.create', 'params': params})}\n")
    return subprocess.run([*program("tests/fetch_jobs"), native(folder), str(owner)],
                          env=dict(os.environ, **environment), capture_output=True, text=True, timeout=240)


# --- the judgement ---

def check_workers(done, count):
    """Each identity had one of its own for the network, all at once, from the beginning to the end."""
    assert f"network workers: {count} started, {count} at once" in done.stdout, (done.stdout, done.stderr)


def check_landed(folder, jobs, done):
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    for _, files in jobs:
        for file in files:
            name = file["url"].rpartition("/")[2].partition("?")[0]
            with open(os.path.join(folder, name), "rb") as landed:
                assert landed.read() == content(name), name


def check_log(requests, users):
    """Every request that was answered was its job's identity's, and each connection one identity's, who used his own
    again.  `users`: by identity, or None where the server asks nobody.  How many answers each got."""
    owners, answered = collections.defaultdict(set), collections.Counter()
    for seen in requests:
        who = int(seen.url.rpartition("?")[2])
        owners[seen.connection].add(who)
        asks = users is not None and seen.user is None and seen.status in (401, 407)
        assert asks or seen.user == (users and users[who]), f"MIXED UP: {who} was answered as {seen.user}: {seen}"
        answered[who] += not asks
    mixed = [seen for seen in requests if len(owners[seen.connection]) > 1]
    assert not mixed, f"MIXED UP: one connection, several identities: {mixed}"
    connections = collections.Counter(who for whose in owners.values() for who in whose)
    for who, count in connections.items():
        assert count < answered[who] or answered[who] < AGAIN, f"{who}: {answered[who]} answers, {count} connections"
    return answered
