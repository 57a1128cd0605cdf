"""The real programs on the ground that this test runs on: the daemon, the command line, a real nginx.

FERRY_GROUND says which: "linux" (the test ground) or "wine" (the Windows binaries).  Everything lies in a folder of the
test's own, listens on a free loopback port, and is gone afterwards.
"""
import atexit
import ctypes
import functools
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

GROUND = os.environ.get("FERRY_GROUND", "linux")
BIN = os.environ["FERRY_BIN"]
SOURCE = os.environ["FERRY_SOURCE"]
WINE = os.environ.get("FERRY_WINE", "")
MIB = 1024 * 1024
SKIP = 77
MAY_CHANGE_IDS = "+setuid,+setgid"  # the capabilities of a daemon that serves several uids


def skip(why):
    print(f"SKIPPED on {GROUND}: {why}")
    sys.exit(SKIP)


def not_shown(what, where):
    """A part of a test that cannot be shown here, and where it is: the summary of ./check lists it (tests/summary.py)."""
    print(f"SKIPPED on this ground: {what} (shown by {where})", flush=True)


def wait_until(condition, seconds, what):
    """The condition's first true value; fails the test when it does not come."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(MIB):
            digest.update(block)
    return digest.hexdigest()


def native(path):
    """A path of this machine as the programs under test spell it."""
    return path if GROUND == "linux" else "Z:" + path.replace("/", "\\")


@functools.lru_cache(None)
def programs():
    """Where the programs are.  Root's tests run them as other users too, to whom the build's own folder may be closed."""
    if GROUND != "linux" or os.getuid() != 0:
        return BIN
    folder = tempfile.mkdtemp(prefix="ferry-programs-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.mkdir(os.path.join(folder, "tests"))
    for name in ("ferryd-linux", "ferry", "tests/crowd", "tests/fetch_as", "tests/fetch_jobs", "tests/fetch_login", "tests/fetch_checked"):
        if os.path.exists(os.path.join(BIN, name)):
            shutil.copy(os.path.join(BIN, name), os.path.join(folder, name))
    for path, _, files in os.walk(folder):
        for name in [path] + [os.path.join(path, name) for name in files]:
            os.chmod(name, 0o755)
    return folder


def program(name):
    """ferryd, ferry, tests/crowd, or one of tests/fetch_*."""
    if GROUND == "linux":
        return [os.path.join(programs(), {"ferryd": "ferryd-linux"}.get(name, name))]
    return [WINE, os.path.join(BIN, name + ".exe")]


class Identity:
    """A user of the Linux ground: a uid and a gid that no account has, drawn so that tests in parallel do not meet."""

    def __init__(self, groups=(), uid=None, gid=None):
        self.uid = self.draw("/proc/self/uid_map") if uid is None else uid
        self.gid = self.draw("/proc/self/gid_map") if gid is None else gid
        self.options = {"user": self.uid, "group": self.gid, "extra_groups": list(groups)}  # subprocess's

    @staticmethod
    def draw(known):
        """From the upper half of the ids that exist: in a container they may be few."""
        with open(known) as file:
            end = min(max(int(first) + int(count) for first, _, count in map(str.split, file)), 2 ** 31)
        return end // 2 + secrets.randbelow(end // 2)

    def folder(self, path, mode=0o700, gid=None):
        os.mkdir(path)
        os.chown(path, self.uid, self.gid if gid is None else gid)
        os.chmod(path, mode)
        return path


def as_identity(identity, capabilities, environment):
    """What a command begins with that runs as this identity, with these capabilities and no others."""
    setpriv = shutil.which("setpriv") or skip("setpriv (util-linux) is not installed")
    sets = [f"--{name}=-all{',' * bool(capabilities)}{capabilities}"
            for name in ("inh-caps", "ambient-caps", "bounding-set")]
    # It cannot be traced, and unlike root's it has no right to: so leaks are looked for where root runs it.
    leaks = f"ASAN_OPTIONS={environment['ASAN_OPTIONS']}:detect_leaks=0"
    return [setpriv, f"--reuid={identity.uid}", f"--regid={identity.gid}", "--clear-groups", *sets, "env", leaks]


OLD = 1000000000  # when the servers' files were made: landed ones get that time


class Files:
    """What a server serves: the folder `www`."""

    def file(self, name, size):
        path = os.path.join(self.www, name)
        with open(path, "wb") as file:
            for begin in range(0, size, MIB):
                file.write(os.urandom(min(MIB, size - begin)))
        os.utime(path, (OLD, OLD))
        return self.url(name)

    def digest(self, name, algorithm="sha256"):
        with open(os.path.join(self.www, name), "rb") as file:
            return f"{algorithm}:{hashlib.new(algorithm, file.read()).hexdigest()}"


class Nginx(Files):
    """A real nginx that serves the folder `www`, at most `rate` bytes a second a connection (0: as fast as it can)."""

    def __init__(self, folder, rate=0, address="127.0.0.1"):
        self.folder, self.address = folder, address
        self.www = os.path.join(folder, "www")
        self.log = os.path.join(folder, "access.log")
        os.makedirs(self.www)
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.path.exists(nginx):
            skip("nginx is not installed")
        with socket.socket() as probe:
            probe.bind((address, 0))
            self.port = probe.getsockname()[1]
        config = os.path.join(folder, "nginx.conf")
        user = "user root;" if os.getuid() == 0 else ""
        temp = "".join(f"{kind}_temp_path {folder}/{kind};"
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(config, "w") as file:
            file.write(f"""{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
                events {{ }}
                http {{
                  log_format bytes '$uri $status $body_bytes_sent $sent_http_content_range';
                  access_log {self.log} bytes; {temp}
                  server {{ listen {address}:{self.port}; root {self.www}; limit_rate {rate};
                    location /busy/ {{ add_header Retry-After 4 always; return 503; }}
                    location /bare/ {{ alias {self.www}/; etag off; add_header Last-Modified ""; }} }}
                }}""")
        self.command = [nginx, "-p", folder, "-c", config, "-e", folder + "/error.log"]
        self.start()
        atexit.register(self.close)

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(self.listening, 10, "nginx listens")

    def listening(self):
        try:
            socket.create_connection((self.address, self.port), 1).close()
            return True
        except OSError:
            return False

    def url(self, name):
        return f"http://{self.address}:{self.port}/{name}"

    def requests(self):
        """(name, status, body bytes, first byte of the range or 0) of each request that has ended."""
        answers = []
        with open(self.log) as file:
            for line in file:
                uri, status, sent, *content_range = line.split()
                first = content_range[1].split("-")[0] if len(content_range) > 1 else "0"
                answers.append((uri[1:], int(status), int(sent), int(first)))
        return answers

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


@functools.lru_cache(None)
def event_validator(name):
    """Of the lines of that event: the schema's own choice among all of them would be slow."""
    import jsonschema
    with open(os.path.join(SOURCE, "schema", "events.schema.json")) as file:
        schema = json.load(file)
    of_event = schema["$defs"].get(name, False) and {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(of_event)


class Ferry:
    """A daemon with data of its own, and its command line.

    On the Linux ground it may run as somebody else, with the right to change identities or without any.
    """
    all = []

    def __init__(self, settings=(), run_as=None, capabilities=MAY_CHANGE_IDS):
        self.folder = tempfile.mkdtemp(prefix="ferry-whole-")
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, "data")
        self.landed = os.path.join(self.folder, "landed")
        os.makedirs(self.data, 0o700)
        os.makedirs(self.landed)
        # A server that is slow for each connection is to be slow, for tests that look at what goes on meanwhile: no parts.
        if settings is not None:
            settings = dict(settings)
            settings["transfer"] = {"segments_per_file_max": 1, **settings.get("transfer", {})}
            with open(os.path.join(self.data, "ferry.jsonc"), "w") as file:
                json.dump(settings, file)
        self.environment = dict(os.environ, FERRY_TEST_ROOT=self.folder)
        self.process = None
        self.log_seen, self.wrong_events = 0, []
        self.ended = []  # complaints of daemons that are no more
        self.watch_sanitizers()
        self.errors = open(os.path.join(self.folder, "ferryd.err"), "ab")
        if GROUND == "linux":
            self.address = os.path.join(self.folder, "ferry.sock")
            self.serve = program("ferryd") + ["console"]
            self.client = program("ferry")
        else:
            self.address = "\\\\.\\pipe\\" + os.path.basename(self.folder)
            self.serve = program("ferryd") + ["console", "--data", native(self.data), "--address", self.address]
            self.client = program("ferry")
        if run_as is not None:
            self.hand_over(run_as, capabilities)
        Ferry.all.append(self)
        atexit.register(self.close)

    def watch_sanitizers(self):
        """Whoever finds something, daemon or client and under whatever uid, says it in a file of this folder."""
        self.reports = os.path.join(self.folder, "reports")
        os.mkdir(self.reports)
        os.chmod(self.reports, 0o1777)
        for tool in ("ASAN", "UBSAN", "TSAN"):
            options = self.environment.get(tool + "_OPTIONS", "").split(":") + [f"log_path={self.reports}/{tool}"]
            self.environment[tool + "_OPTIONS"] = ":".join(filter(None, options))

    def complaints(self):
        """What sanitizers reported, and daemons that are no more although nobody ended them."""
        found = list(self.ended) + self.wrong_lines()
        if self.process is not None and self.process.poll() is not None:
            found.append(f"the daemon ended by itself, exit code {self.process.returncode}:\n{self.said()}")
        for name in sorted(os.listdir(self.reports)) if os.path.isdir(self.reports) else []:
            with open(os.path.join(self.reports, name), errors="replace") as file:
                found.append(file.read())
        return found

    def wrong_lines(self):
        """Lines of the log that schema/events.schema.json does not know; each is looked at once.  What a test tore is no line."""
        path = os.path.join(self.data, "ferry.jsonl")
        if not os.path.isfile(path) or not os.access(path, os.R_OK):
            return []
        with open(path, "rb") as file:
            file.seek(self.log_seen if os.path.getsize(path) >= self.log_seen else 0)
            lines = file.read()
            self.log_seen = file.tell()
        for line in lines.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if not event_validator(event.get("event")).is_valid(event):
                self.wrong_events.append(f"schema/events.schema.json does not know this line: {line}")
        return self.wrong_events

    def hand_over(self, identity, capabilities):
        """Make the daemon this identity's, with these capabilities and no others."""
        os.chmod(self.landed, 0o755)
        for path in (self.folder, self.data, *(os.path.join(self.data, name) for name in os.listdir(self.data))):
            os.chown(path, identity.uid, identity.gid)
        self.serve = as_identity(identity, capabilities, self.environment) + self.serve

    def arguments(self, arguments):
        """ferry VERB --address ... --console: the daemon under test is no installed service."""
        if GROUND == "linux":
            return self.client + list(arguments)
        words = 2 if arguments[0] in ("helper", "credentials", "headers", "config") else 1
        return self.client + [*arguments[:words], "--address", self.address, "--console", *arguments[words:]]

    # --- the daemon ---
    def start(self):
        assert self.process is None
        said = self.said()
        self.launch()
        # As in run(): `ferryd` never ends with 1 without a word either.
        if GROUND == "wine" and self.process.poll() == 1 and self.said() == said:
            print("NOTE: Wine lost the start of ferryd; it is started again", flush=True)
            self.launch()
        assert self.process.poll() is None, self.said()
        return self

    def launch(self):
        self.process = subprocess.Popen(self.serve, env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.errors, stderr=self.errors)
        wait_until(lambda: self.process.poll() is not None or self.run("status", check=False).returncode == 0,
                   30, "the daemon answers")

    def said(self):
        with open(os.path.join(self.folder, "ferryd.err")) as file:
            return file.read()

    def kill(self):
        if self.process.poll() is not None:
            self.ended.append(f"the daemon had ended by itself, exit code {self.process.returncode}:\n{self.said()}")
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def terminate(self):
        """Ask it to stop; how long that took and its exit code.  On the Linux ground only."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self.process = None
        return time.monotonic() - begun, code

    def session(self, number, ended=True):
        """On the Linux ground: tell the daemon, as a service manager would, that a session ended or its number began anew."""
        libc = ctypes.CDLL(None, use_errno=True)
        done = libc.sigqueue(self.process.pid, signal.SIGRTMIN + (0 if ended else 1), ctypes.c_void_p(number))
        assert done == 0, os.strerror(ctypes.get_errno())

    def events(self):
        with open(os.path.join(self.data, "ferry.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def close(self):
        if self.process is not None:
            self.kill()
        self.ended = self.complaints()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- its clients ---
    def run(self, *arguments, check=True, **options):
        def once():
            return subprocess.run(self.arguments(arguments), env=self.environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, encoding="utf-8", timeout=120, **options)

        done = once()
        # Once in some thousand starts Wine gives a program neither its command line nor its output (docs/testing.md).
        # `ferry` itself never ends with 1 without a word.
        if GROUND == "wine" and done.returncode == 1 and done.stdout == done.stderr == "":
            print(f"NOTE: Wine lost the start of ferry {' '.join(arguments)}; it is started again", flush=True)
            done = once()
        if check:
            assert done.returncode == 0, f"ferry {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments, **options):
        return [json.loads(line) for line in self.run(*arguments, "--json", **options).stdout.split("\n") if line]

    def spawn(self, *arguments, **options):
        return subprocess.Popen(self.arguments(arguments), env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def destination(self, name):
        return native(os.path.join(self.landed, name))

    def listing(self, lines):
        """A file for `submit --from`."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as file:
            file.writelines("\t".join(line) + "\n" for line in lines)
        os.chmod(file.name, 0o644)
        return native(file.name)

    def submit(self, nginx, names, *options, spawn=False, **more):
        """Submit one job for the named files of nginx."""
        start = self.spawn if spawn else self.run
        return start("submit", "--from", self.listing((nginx.url(name), self.destination(name)) for name in names),
                     *options, **more)

    # --- what is on disk ---
    def partials(self):
        return [name for name in os.listdir(self.landed) if name.endswith(".part")]

    def jobs(self, **options):
        return [line["job"] for line in self.json("list", "--all", **options)]

    def bytes_written(self, **options):
        """Of all jobs, as the daemon tells them: the length of a partial file says nothing, it is reserved in advance."""
        return sum(job["bytes"]["transferred"] for job in self.jobs(**options))

    def check_landed(self, nginx, names):
        assert self.partials() == [], self.partials()
        for name in names:
            landed, served = os.path.join(self.landed, name), os.path.join(nginx.www, name)
            assert sha256(landed) == sha256(served), name
            assert int(os.stat(landed).st_mtime) == int(os.stat(served).st_mtime), name


class Bridge:
    """A raw client: `ferry pipe`, whose every message is held against schema/protocol.schema.json."""

    def __init__(self, ferry, validate=True, **options):
        self.process = subprocess.Popen(ferry.arguments(["pipe"]), env=ferry.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.number = 0
        self.notifications = []
        self.validators = ProtocolValidators() if validate else None

    def send(self, line):
        self.process.stdin.write(line if isinstance(line, bytes) else line.encode())
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            return None
        message = json.loads(line)
        if self.validators:
            self.validators.sent_by_service(message)
        return message

    def call(self, method, **params):
        """The whole reply."""
        self.number += 1
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        if self.validators:
            self.validators.request(request)
        return self.raw(json.dumps(request), self.number)

    def raw(self, line, number=None):
        self.send(line)
        while True:
            message = self.receive()
            if message is None or "method" not in message:
                assert message is None or number is None or message["id"] == number, message
                return message
            self.notifications.append(message)

    def ok(self, method, **params):
        reply = self.call(method, **params)
        assert "result" in reply, reply
        return reply["result"]

    def hello(self):
        return self.ok("hello", protocol=1, client="tests/whole")

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()


class ProtocolValidators:
    """The protocol's schema through python3-jsonschema."""

    def __init__(self):
        sys.path.append("/usr/lib/python3/dist-packages")  # where Debian puts it, whichever python3 comes first
        try:
            import jsonschema
        except ImportError:
            skip("python3-jsonschema is not installed")
        with open(os.path.join(SOURCE, "schema", "protocol.schema.json")) as file:
            schema = json.load(file)
        self.validators = {name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})
                           for name in schema["$defs"]}
        self.methods = {}

    def request(self, message):
        self.methods[message["id"]] = message["method"]
        self.validators["request"].validate(message)

    def sent_by_service(self, message):
        if "method" in message:
            self.validators["notification"].validate(message)
        elif "error" in message:
            self.validators["error"].validate(message)
        else:
            self.validators["reply"].validate(message)
            if message["id"] in self.methods:
                self.validators[self.methods[message["id"]] + ".result"].validate(message["result"])


def check_complaints(known):
    """A sanitizer's report or a daemon's own end fails the test that it happened in, whatever else the test saw."""
    new = [complaint for ferry in Ferry.all for complaint in ferry.complaints() if complaint not in known]
    known += new
    assert not new, "\n".join(new)


def run(*tests):
    """Run the functions; name what fails."""
    known = []
    failed = 0
    for test in tests:
        begun = time.monotonic()
        try:
            try:
                test()
            finally:
                check_complaints(known)
            print(f"ok     {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception:  # each failure is told, and the others still run
            import traceback
            traceback.print_exc()
            print(f"FAILED {test.__name__}", flush=True)
            failed += 1
    sys.exit(1 if failed else 0)
