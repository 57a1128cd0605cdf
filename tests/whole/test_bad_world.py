"""What the world does to a job that runs: servers that fail, destinations that cannot be written or are in use, disks
that are full.  The job says which outcome, and the destination keeps what it had.
"""
import faulthandler
import json
import os
import re
import socket
import struct
import subprocess
import threading

from ground import GROUND, Bridge, Ferry, Nginx, native, not_shown, run, sha256, wait_until
from outcomes import (NOBODY, ORDINARY, OUTCOMES, SECRET, WINDOWS, as_nobody, check_no_secret, contents, judge,
                      judge_reply)

BODY = bytes(range(256)) * 40
TAG = b'ETag: "v1"'


def head(status, *lines):
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Connection: close", *lines, b"", b""])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# (name, what is answered: bytes, or what is done to the connection; result, native source, code, bytes that are kept).
# No result: the file is whole, since what a server sends behind the length it announced is no part of it.
SERVERS = [
    ("refused", reset, "CONNECTION_CLOSED", "curl", None, 0),
    ("nothing-and-closed", b"", "CONNECTION_CLOSED", "curl", 52, 0),
    ("nothing", None, "STALLED", None, None, 0),
    ("status-400", head(b"400 Bad", b"Content-Length: 3") + b"bad", "HTTP_STATUS", "http", 400, 0),
    ("status-403", head(b"403 No", b"Content-Length: 2") + b"no", "HTTP_STATUS", "http", 403, 0),
    ("status-410", head(b"410 Gone", b"Content-Length: 0"), "HTTP_STATUS", "http", 410, 0),
    ("status-500", head(b"500 Oops", b"Content-Length: 4") + b"oops", "HTTP_TRANSIENT", "http", 500, 0),
    ("status-503", head(b"503 Busy", b"Content-Length: 0"), "HTTP_TRANSIENT", "http", 503, 0),
    ("status-999", head(b"999 What", b"Content-Length: 0"), "HTTP_TRANSIENT", "http", 999, 0),
    ("no-http", b"220 ftp.example.com ready\r\n", "BAD_RESPONSE", "curl", 1, 0),
    ("empty-204", head(b"204 Nothing"), "INSUFFICIENT_HTTP", "http", 204, 0),
    ("unasked-range", head(b"206 Part", b"Content-Range: bytes 5-9/10", b"Content-Length: 5") + b"56789",
     "INSUFFICIENT_HTTP", "http", 206, 0),
    ("packed", head(b"200 OK", b"Content-Encoding: gzip", b"Content-Length: 3") + b"abc",
     "INSUFFICIENT_HTTP", None, None, 0),
    ("two-lengths", head(b"200 OK", b"Content-Length: 3", b"Content-Length: 4") + b"abcd",
     "INSUFFICIENT_HTTP", None, None, 0),
    ("length-no-number", head(b"200 OK", b"Content-Length: many") + b"abcd", "BAD_RESPONSE", "curl", 8, 0),
    ("cut", head(b"200 OK", b"Content-Length: %d" % (len(BODY) + 9), TAG) + BODY, "CONNECTION_CLOSED", "curl", 18,
     len(BODY)),
    ("chunks-cut", head(b"200 OK", b"Transfer-Encoding: chunked", TAG) + b"2800\r\n" + BODY, "CONNECTION_CLOSED",
     "curl", 18, len(BODY)),
    ("chunks-wrong", head(b"200 OK", b"Transfer-Encoding: chunked") + b"xyz\r\n" + BODY, "CONNECTION_CLOSED",
     "curl", 56, 0),
    ("over-long", head(b"200 OK", b"Content-Length: 10") + BODY, None, None, None, 10),
    ("to-a-file", head(b"302 There", b"Location: file:///etc/passwd", b"Content-Length: 0"),
     "REDIRECT_REFUSED", None, None, 0),
    ("to-userinfo", head(b"302 There", b"Location: http://u:%s@127.0.0.1/" % SECRET.encode(), b"Content-Length: 0"),
     "REDIRECT_REFUSED", None, None, 0),
    ("to-itself", head(b"302 Here", b"Location: /to-itself?%s" % SECRET.encode(), b"Content-Length: 0"),
     "REDIRECT_REFUSED", None, None, 0),
]


class Server:
    """Answers each name of SERVERS as its row says."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.stalled = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(65536) or b"\r\n\r\n"
        name = re.split(r"[/? ]", asked.decode())[2]
        answer = next((row[1] for row in SERVERS if row[0] == name), b"")
        if b"range: bytes=%d-" % len(BODY) in asked.lower():  # tried again, from what was kept: the rest does not come
            answer = head(b"206 Part", b"Content-Range: bytes %d-%d/%d" % (len(BODY), len(BODY) + 8, len(BODY) + 9),
                          b"Content-Length: 9", TAG)
        if answer is None:
            self.stalled.append(connection)
            return
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65536)
        connection.close()


class World:
    """A daemon, a client that is no administrator where the ground has one, and a job with a folder for each row."""

    def __init__(self):
        self.ferry = Ferry({"transfer": {"stall_timeout_s": 1, "files_active_max": 64, "connections_per_host_max": 64},
                            "queue": {"background_jobs_max": 64}}).start()
        self.bridge = Bridge(self.ferry, **as_nobody())
        self.bridge.hello()
        self.handles = {}

    def folder(self, row):
        path = os.path.join(self.ferry.landed, row)
        os.mkdir(path)
        if ORDINARY:
            os.chown(path, NOBODY, NOBODY)
        return path

    def create(self, row, url, path, **more):
        files = [{"url": url, "path": native(path)}]
        if "size_bytes" in more:
            files[0]["size_bytes"] = more.pop("size_bytes")
        if more.pop("two", False):
            files.insert(0, {"url": url, "path": native(os.path.join(self.ferry.landed, row, "first.bin"))})
        made = self.bridge.ok("job.create", name=row, files=files, **more)
        self.handles[row] = made["handle"]
        return made["handle"]

    def look(self, row, limit=0):
        return self.bridge.ok("job.get", handle=self.handles[row], **({} if limit else {"limit": 0}))

    def ended(self, row):
        """Job and files of one moment: what is transient is tried again within a second."""
        def state():
            seen = self.look(row, 1)
            return seen if seen["job"]["state"] in ("ERROR", "TRANSIENT_ERROR", "TRANSFERRED") else None
        return wait_until(state, 30, row)


def old_file(folder, name="file.bin"):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(b"what was there before")
    if ORDINARY:
        os.chown(path, NOBODY, NOBODY)
    return path

def partials(folder):
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".part")]


def judge_job(row, job, result, what, source=None, number=None):
    judge(row, job["error"], result, what, source, number)
    transient = OUTCOMES[result][0] == "transient"
    assert job["state"] == ("TRANSIENT_ERROR" if transient else "ERROR"), (row, job)
    assert job["error_count"] >= 1 and SECRET not in json.dumps(job), (row, job)
    if transient:
        assert job["wait"]["next_try_ms"] > job["created_ms"], (row, job)
    else:
        assert job["wait"] is None, (row, job)


def servers_that_fail__leave_the_old_file_and_say_why():
    world = World()
    nginx = Nginx(os.path.join(world.ferry.folder, "nginx"))
    os.makedirs(os.path.join(nginx.www, "secret"), 0o000)
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # and does not listen
    # Each a host of its own: one that fails again and again is left alone by all who would ask it.
    rows = [(*row, f"http://127.0.0.1:{Server().port}/{row[0]}") for row in SERVERS]
    rows.append(("down", None, "CONNECT_FAILED", "curl", 7, 0, f"http://127.0.0.1:{closed.getsockname()[1]}/down"))
    rows.append(("missing", None, "HTTP_STATUS", "http", 404, 0, nginx.url("missing")))
    for row, _, _, _, _, _, url in rows:
        path = old_file(world.folder(row))
        world.bridge.ok("job.resume", handle=world.create(row, f"{url}?{SECRET}", path))
    for row, _, result, source, number, kept, url in rows:
        seen = world.ended(row)
        folder = os.path.join(world.ferry.landed, row)
        if result is None:
            assert seen["job"]["state"] == "TRANSFERRED" and not seen["job"]["error"], (row, seen)
        else:
            judge_job(row, seen["job"], result, f"fetching {url}", source, number)
        assert seen["files"][0]["transferred_bytes"] == kept, (row, seen)
        assert len(partials(folder)) == 1, (row, os.listdir(folder))
        if kept:
            wait_until(lambda: contents(partials(folder)[0]) == BODY[:kept], 20, f"{row}: the partial file holds it")
    check_no_secret(world.ferry)
    for row, *_ in rows:
        world.bridge.ok("job.cancel", handle=world.handles[row])
        folder = os.path.join(world.ferry.landed, row)
        wait_until(lambda: os.listdir(folder) == ["file.bin"], 20, f"{row}: the partial file is gone")
        assert contents(os.path.join(folder, "file.bin")) == b"what was there before", row
    world.bridge.close()


def job_larger_than_it_may_be__is_told_and_goes_on_when_it_may():
    ferry = Ferry().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("large.bin", 3000000)
    failed = ferry.run("submit", "--name", "Large", "--max-size", "2MB", nginx.url("large.bin"), ferry.destination("large.bin"),
                       check=False)
    assert failed.returncode != 0 and "MAX_SIZE" in failed.stderr and "3000000 bytes instead of 2000000" in failed.stderr, failed
    job = ferry.json("show", "Large")[0]["job"]
    assert (job["state"], job["error"]["hresult"], job["max_bytes"]) == ("ERROR", "0x80200064", 2000000), job
    assert "at most      1.9 MiB" in ferry.run("show", "Large").stdout
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.open", job=job["id"])["handle"]
    bridge.ok("job.setProperties", handle=handle, max_bytes=3000000)
    bridge.close()
    ferry.run("resume", "Large")
    ferry.run("wait", "Large")
    ferry.check_landed(nginx, ["large.bin"])
    nginx.close()
    ferry.close()


def file_of_another_size_than_was_stated__is_told_with_both_and_nothing_of_it_stays():
    world = World()
    nginx = Nginx(os.path.join(world.ferry.folder, "nginx"))
    url = nginx.file("sized.bin", 5000)
    for row, size in (("smaller", 4999), ("larger", 5001), ("none", 0)):
        path = old_file(world.folder(row))
        handle = world.create(row, url, path, size_bytes=size)
        world.bridge.ok("job.resume", handle=handle)
        job = world.ended(row)["job"]
        assert (job["state"], job["error"]["result"], job["error"]["hresult"]) == ("ERROR", "SIZE_MISMATCH", "0x80200053")
        assert f"5000 bytes instead of {size}" in job["error"]["what"] and url in job["error"]["what"], job["error"]
        assert os.listdir(os.path.join(world.ferry.landed, row)) == ["file.bin"], row
        with open(os.path.join(world.ferry.landed, row, "file.bin"), "rb") as file:
            assert file.read() == b"what was there before"
        world.bridge.ok("job.resume", handle=handle)  # and again, as if it could be otherwise now
        assert world.ended(row)["job"]["error"]["result"] == "SIZE_MISMATCH"
    path = old_file(world.folder("right"))
    world.bridge.ok("job.resume", handle=world.create("right", url, path, size_bytes=5000))
    assert world.ended("right")["job"]["state"] == "TRANSFERRED"
    world.bridge.close()


def resume_rows(folder):
    """(row, path, result); what job.resume finds wrong at a destination before anything is fetched."""
    def make(name, mode=0o755, file=False):
        path = os.path.join(folder, name)
        if file:
            old_file(folder, name)
        else:
            os.mkdir(path)
        os.chmod(path, mode)
        return path
    yield "folder missing", os.path.join(folder, "missing", "x"), "PATH_NOT_FOUND"
    yield "a file where the folder should be", os.path.join(make("plain", file=True), "x"), "PATH_NOT_FOUND"
    yield "destination is a folder", make("taken"), "IS_FOLDER"
    if WINDOWS:
        yield "destination is read-only", make("readonly", 0o444, file=True), "DENIED"
        not_shown("folders that may not be written, links", "Linux; windows/test_folder.c, unrun")
        return
    if ORDINARY or os.getuid() != 0:
        yield "folder may not be written", os.path.join(make("closed", 0o555), "x"), "DENIED"
        yield "folder may not be entered", os.path.join(make("shut", 0o000), "x"), "DENIED"
        yield "destination is read-only", make("readonly", 0o444, file=True), "DENIED"
    os.symlink("/tmp", os.path.join(folder, "link"))
    yield "folder is a link", os.path.join(folder, "link", "x"), "REPARSE_POINT"


def destinations_that_cannot_be_written__are_told_at_resume():
    world = World()
    folder = world.folder("rows")
    for row, path, result in resume_rows(folder):
        world.folder(row)
        kept = sha256(path) if os.path.isfile(path) and os.access(path, os.R_OK) else None
        handle = world.create(row, f"http://127.0.0.1:9/x?{SECRET}", path, two=True)
        before = world.look(row, 1)
        reply = world.bridge.call("job.resume", handle=handle)
        judge_reply(row, reply, result, "files[1].path")
        assert world.look(row, 1) == before, row
        world.bridge.ok("job.cancel", handle=handle)
        assert kept is None or sha256(path) == kept, row
    check_no_secret(world.ferry)
    world.bridge.close()


def destination_in_use__is_tried_again():
    """A second daemon, since it holds its lock file open and shares it with nobody."""
    if not WINDOWS:
        not_shown("a destination in use: open files can be replaced here", "Wine")
        return
    world = World()
    nginx = Nginx(os.path.join(world.ferry.folder, "nginx"))
    nginx.file("new.bin", 5000)
    holder = Ferry()
    holder.start()
    held = [name for name in os.listdir(holder.data) if "lock" in name]
    path = os.path.join(holder.data, held[0])
    world.create("in use", f"{nginx.url('new.bin')}?{SECRET}", path, auto_complete=True)
    world.bridge.ok("job.resume", handle=world.handles["in use"])
    judge_job("in use", world.ended("in use")["job"], "LOCKED", held[0])
    holder.kill()
    world.bridge.ok("job.resume", handle=world.handles["in use"])
    wait_until(lambda: world.look("in use")["job"]["state"] == "ACKNOWLEDGED", 20, "it lands when it is released")
    assert sha256(path) == sha256(os.path.join(nginx.www, "new.bin"))
    world.bridge.close()


class OnSmallDisk(Ferry):
    """Its folder `landed` is a file system of 1 MiB that only it sees, and we through /proc."""

    def __init__(self):
        super().__init__()
        self.serve = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"', self.landed,
                      *self.serve]

    def seen(self, name):
        return f"/proc/{self.process.pid}/root{self.landed}/{name}"


def drive_that_is_gone__is_waited_for():
    if GROUND != "wine":
        not_shown("a drive that is gone and comes back", "Wine")
        return
    ferry = Ferry({"queue": {"background_jobs_max": 1}}).start()
    nginx, slow = Nginx(os.path.join(ferry.folder, "nginx")), Nginx(os.path.join(ferry.folder, "slow"), rate=2000)
    nginx.file("a.bin", 50000)
    slow.file("b.bin", 500000)
    drive = os.path.join(ferry.folder, "drive")
    os.mkdir(drive)
    steady, link = (os.path.join(os.environ["WINEPREFIX"], "dosdevices", letter) for letter in ("p:", "q:"))
    # Wine takes a file's volume, and so Ferry its tag, from the first drive that leads to it, by what the drives were up to a
    # second ago: P: is that drive all the time.
    os.symlink(drive, steady)
    try:
        refused = ferry.run("submit", nginx.url("a.bin"), "Q:\\a.bin", check=False)
        assert refused.returncode != 0 and "VOLUME_GONE" in refused.stderr, refused  # a slip, perhaps, and somebody is there
        ferry.submit(slow, ["b.bin"], "--name", "first", "--no-wait")  # which has the one slot
        os.symlink(drive, link)
        ferry.run("submit", "--name", "second", "--retry-delay", "5", "--no-wait", nginx.url("a.bin"), "Q:\\a.bin")
        os.unlink(link)
        ferry.run("cancel", "first")
        wait_until(lambda: (ferry.json("show", "second")[0]["job"]["wait"] or {}).get("reason") == "volume-gone", 30,
                   "it waits for it")
        os.symlink(drive, link)
        ferry.run("wait", "--timeout", "60", "second")
        wait_until(lambda: ferry.partials() == [], 20, "what was there of the first is removed")
        assert os.listdir(drive) == ["a.bin"], os.listdir(drive)
        assert sha256(os.path.join(drive, "a.bin")) == sha256(os.path.join(nginx.www, "a.bin"))
    finally:
        os.unlink(steady)
        if os.path.lexists(link):
            os.unlink(link)
    slow.close()
    nginx.close()
    ferry.close()


def full_disk__is_told_and_goes_on_when_there_is_room():
    if WINDOWS or subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        not_shown("a full disk", "Linux, with the right to mount one")
        return
    ferry = OnSmallDisk().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("known.bin", 700 * 1024)
    with open(os.path.join(nginx.www, "unknown.bin"), "wb") as file:
        file.write(os.urandom(700 * 1024))
    for name in ("filler", "known.bin"):
        with open(ferry.seen(name), "wb") as file:
            file.write(b"x" * (600 * 1024 if name == "filler" else 100))
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="full", files=[
        {"url": f"{nginx.url('known.bin')}?{SECRET}", "path": ferry.destination("known.bin")}])["handle"]
    bridge.ok("job.resume", handle=handle)
    look = lambda: bridge.ok("job.get", handle=handle)["job"]
    job = wait_until(lambda: look() if look()["error"] else None, 20, "it is full")
    judge_job("full", job, "DISK_FULL", "", "errno", 28)
    assert job["wait"]["reason"] == "disk-full", job
    with open(ferry.seen("known.bin"), "rb") as file:
        assert file.read() == b"x" * 100
    os.remove(ferry.seen("filler"))
    bridge.ok("job.resume", handle=handle)
    wait_until(lambda: look()["state"] == "TRANSFERRED", 20, "it goes on")
    bridge.ok("job.complete", handle=handle)
    wait_until(lambda: look()["state"] == "ACKNOWLEDGED", 20, "it lands")
    assert sha256(ferry.seen("known.bin")) == sha256(os.path.join(nginx.www, "known.bin"))
    bridge.close()


faulthandler.dump_traceback_later(150, exit=True)  # what is not answered hangs
run(servers_that_fail__leave_the_old_file_and_say_why, job_larger_than_it_may_be__is_told_and_goes_on_when_it_may,
    file_of_another_size_than_was_stated__is_told_with_both_and_nothing_of_it_stays, destinations_that_cannot_be_written__are_told_at_resume,
    destination_in_use__is_tried_again, drive_that_is_gone__is_waited_for, full_disk__is_told_and_goes_on_when_there_is_room)
