"""A client without libferry, on the Linux ground: it may be one user now and another one then, also on one connection.

A message's author is the real uid of the thread that writes it; the effective one stays root's, so that there is a way back.
"""
import contextlib
import glob
import json
import os
import socket
import subprocess
import traceback

from ground import MIB, Ferry, Identity, Nginx, ProtocolValidators, wait_until

ROOT = Identity(uid=0, gid=0)
LARGE = 6 * MIB


def become(identity, act, session=False):
    """What `act` answers in a process of this identity, in a session of its own if that is wanted."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if session:
                os.setsid()
            os.setgroups(identity.options["extra_groups"])
            os.setresgid(identity.gid, identity.gid, identity.gid)
            os.setresuid(identity.uid, identity.uid, identity.uid)
            os.write(write, json.dumps(act()).encode())
            os._exit(0)
        except BaseException:  # it must not go on as a second test
            traceback.print_exc()
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "see above"
    return json.loads(answer)


def door():
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def request(method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def send(wire, text, last=True):
    return wire.send((b"\1" if last else b"\0") + text)


def receive(wire):
    """The next message's text; nothing if the connection has ended."""
    message = b""
    wire.settimeout(20)
    while True:
        try:
            packet = wire.recv(1 << 16)
        except ConnectionResetError:
            packet = b""
        if not packet:
            return None
        message += packet[1:]
        if packet[0] == 1:
            return message.decode()


def call(wire, method, **params):
    send(wire, request(method, **params))
    return receive(wire)


def hello(wire, address=None):
    if address:
        wire.connect(address)
    return call(wire, "hello", protocol=1, client="tests/whole")


def result(text):
    reply = json.loads(text)
    assert "result" in reply, text
    return reply["result"]


@contextlib.contextmanager
def speaking_as(identity):
    os.setresgid(identity.gid, -1, -1)
    os.setresuid(identity.uid, -1, -1)
    try:
        yield
    finally:
        os.setresuid(0, -1, -1)
        os.setresgid(0, -1, -1)


class Wire:
    """A connection of `identity`, whose every message is held against the schema; single messages may be others'."""

    def __init__(self, ferry, identity, validate=True):
        os.setgroups([])  # or the kernel would tell root's of everybody
        self.identity = identity
        self.validators = ProtocolValidators() if validate else None
        self.notifications = []
        self.socket = door()
        with speaking_as(identity):
            self.socket.connect(ferry.address)
        self.ok("hello", protocol=1, client="tests/whole")

    def call(self, method, /, by=None, **params):
        """The whole reply to a message of this connection's identity, or of another one."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        if self.validators:
            self.validators.request(message)
        with speaking_as(by or self.identity):
            send(self.socket, json.dumps(message).encode())
        while True:
            text = receive(self.socket)
            assert text is not None, f"the connection ended at {method}"
            reply = json.loads(text)
            if self.validators:
                self.validators.sent_by_service(reply)
            if "method" not in reply:
                return reply
            self.notifications.append(reply)

    def ok(self, method, /, by=None, **params):
        reply = self.call(method, by, **params)
        assert "result" in reply, (method, params, reply)
        return reply["result"]

    def refused(self, outcome, method, /, by=None, what="", **params):
        """Refused with this outcome, and with these words in it."""
        reply = self.call(method, by, **params)
        assert "error" in reply, (method, params, reply)
        data = reply["error"]["data"]
        assert data["result"] == outcome and what in data["what"], (method, data)
        return data

    def lend(self, helper, handle, **params):
        """As BITS's clients do it: the job is open, the thread impersonates the helper for this one message."""
        return self.ok("job.setHelperToken", by=helper, **claim(helper), handle=handle, **params)

    def job(self, handle):
        return self.ok("job.get", handle=handle, limit=0)["job"]

    def close(self):
        self.socket.close()


def claim(identity):
    return {"sid": f"uid:{identity.uid}", "logon_id": "0x0"}


class Scene:
    """The daemon under a uid of its own, and a server."""

    def __init__(self, settings=(), rate=0, capabilities="+setuid,+setgid"):
        self.daemon = Identity()
        self.ferry = Ferry(settings, run_as=self.daemon, capabilities=capabilities)
        self.nginx = Nginx(os.path.join(self.ferry.folder, "nginx"), rate)
        self.ferry.start()

    def folder(self, identity, name, **more):
        return identity.folder(os.path.join(self.ferry.landed, name), **more)

    def submit(self, identity, names, *options, check=True):
        """The exit code and words of `ferry submit` as this identity."""
        done = self.ferry.submit(self.nginx, names, *options, check=check, **identity.options)
        return done.returncode, done.stdout + done.stderr

    def begin(self, identity, name):
        """A job of this identity that is in the middle of its only file."""
        self.nginx.file(name, LARGE)
        _, words = self.submit(identity, [name], "--no-wait")
        wait_until(lambda: self.ferry.bytes_written(**identity.options) > MIB, 60, f"some of {name} is written")
        return words.split()[0]

    def end(self):
        _, code = self.ferry.terminate()
        assert code == 0, self.ferry.said()
        self.ferry.close()


# --- what the kernel says ---
def threads(pid):
    """Name and credentials of each thread."""
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        try:
            with open(path) as file:
                lines = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        found.append({"name": lines["Name"], "groups": lines["Groups"].split(),
                      "task": os.path.dirname(path),
                      "uids": set(lines["Uid"].split()), "gids": set(lines["Gid"].split()),
                      "caps": [int(lines["Cap" + name], 16) for name in ("Inh", "Prm", "Eff", "Amb", "Bnd")]})
    return found


def can_read(identity, path):
    done = subprocess.run(["cat", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=20, **identity.options)
    assert done.returncode == 0 or "Permission denied" in done.stderr, done.stderr
    return done.returncode == 0
