"""What the servers of the rig share: a folder, a port, a log that all of them write in one form, and an end."""
import atexit
import collections
import http.server
import itertools
import os
import pwd
import shutil
import socket
import socketserver
import subprocess
import threading

from ground import skip, wait_until

PASSWORDS = {user: f"sesame-of-{user}" for user in ("alice", "bob", "carol", "dave")}  # whatever asks for them
Seen = collections.namedtuple("Seen", "method url status connection user")  # user: None if nobody was authenticated


def tool(*names):
    """The first of these programs or files that is there."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/lib/squid:/usr/lib/apache2/modules"
    for name in names:
        found = shutil.which(name, os.F_OK, path)
        if found:
            return found
    return skip(f"{names[0]} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port):
    """Asked of the kernel: a connection made to find out would stand in the log."""
    with open("/proc/net/tcp") as table:
        return any(fields[1] == f"0100007F:{port:04X}" and fields[3] == "0A" for fields in map(str.split, table))


def own(path, user):
    """As root a server works as a user of its package; else as ourselves."""
    if os.getuid() == 0:
        os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)


class Server:
    """A folder that all may enter, a port, and `log`: a line `method url status connection user` for each request."""

    def __init__(self, folder):
        self.folder = folder
        self.log = os.path.join(folder, "access.log")
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        atexit.register(self.close)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        """A file for the server to read; lines may be indented here, which not all of them would take."""
        with open(self.path(name), "w") as file:
            file.writelines(line.strip() + "\n" for line in text.splitlines())
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def passwords(self):
        """A file with the hashed passwords of all users, as Apache and Squid read it."""
        hashed = {user: subprocess.run([tool("openssl"), "passwd", "-apr1", word], check=True, capture_output=True,
                                       text=True).stdout.strip() for user, word in PASSWORDS.items()}
        return self.write("users", "".join(f"{user}:{word}\n" for user, word in hashed.items()))

    def requests(self):
        """What has been answered so far, in that order."""
        if not os.path.exists(self.log):
            return []
        with open(self.log) as file:
            whole = [line.rstrip("\n").split(" ", 4) for line in file if line.endswith("\n")]
        return [Seen(method, url, int(status), connection, None if user == "-" else user)
                for method, url, status, connection, user in whole]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Process(Server):
    """A program that stays in the foreground."""
    process = None

    def __init__(self, folder):
        super().__init__(folder)
        self.port = free_port()

    def start(self, command, environment=(), ports=()):
        with open(self.path("said"), "ab") as said:
            self.process = subprocess.Popen(command, env=dict(os.environ, **dict(environment)), cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        ports = ports or [self.port]
        wait_until(lambda: self.process.poll() is not None or all(map(listening, ports)), 20, f"{command[0]} listens")
        assert self.process.poll() is None, self.said()

    def said(self, name="said"):
        with open(self.path(name), errors="replace") as file:
            return file.read()

    def close(self):
        if self.process is not None:
            self.process.terminate()  # nothing, if it has ended
            self.process.wait(10)


class Threads(Server):
    """A server of our own, a thread for each connection; `handler` answers, by http.server's rules."""
    handler = server = None

    def __init__(self, folder):
        super().__init__(folder)
        self.numbers = itertools.count(1)
        self.lines = open(self.log, "a", buffering=1)
        self.server = Listener(("127.0.0.1", 0), self.handler)
        self.server.rig, self.port = self, self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; the server that it belongs to is `rig`."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    user = None

    def setup(self):
        super().setup()
        self.rig = self.server.rig
        self.number = next(self.rig.numbers)

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # the client wants no more

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        self.rig.lines.write(f"{self.command} {self.path} {int(code)} {self.number} {self.user or '-'}\n")

    def log_message(self, *_):
        pass
