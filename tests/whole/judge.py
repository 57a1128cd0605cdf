"""Who asked?  A relay before nginx that has the kernel say, of each request, which uid's connection it came over."""
import collections
import itertools
import os
import socket
import socketserver
import threading

from ground import Bridge, Identity, sha256, wait_until

JOBS = 8
FILES = 3
Seen = collections.namedtuple("Seen", "connection uid path")


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        number = next(self.server.numbers)  # a port may come again
        with socket.create_connection(("127.0.0.1", self.server.nginx.port)) as upstream:
            back = threading.Thread(target=self.answer, args=(upstream,))
            back.start()
            head = b""
            while block := self.receive():
                head += block
                while b"\r\n\r\n" in head:
                    request, head = head.split(b"\r\n\r\n", 1)
                    path = request.split(b" ")[1].decode()
                    self.server.seen.append(Seen(number, self.uid(), path))
                    upstream.sendall(request + b"\r\n\r\n")
            upstream.shutdown(socket.SHUT_WR)
            back.join()

    def receive(self):
        try:
            return self.request.recv(65536)
        except ConnectionResetError:
            return b""

    def answer(self, upstream):
        try:
            while block := upstream.recv(65536):
                self.request.sendall(block)
        except OSError:
            pass  # the daemon wants no more of it

    def uid(self):
        """Whose socket the other end is, as the kernel lists it.  None: nobody's any more.  A job that lost its slot has closed
        it behind its request, and what no process has open the kernel lists as root's, without an inode."""
        local, remote = (f"0100007F:{port:04X}" for port in (self.client_address[1], self.server.port))
        with open("/proc/net/tcp") as file:
            for line in file:
                fields = line.split()
                if fields[1:3] == [local, remote] and fields[9] != "0":
                    return int(fields[7])
        return None


class Judge(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, nginx):
        super().__init__(("127.0.0.1", 0), Connection)
        self.nginx = nginx
        self.port = self.server_address[1]
        self.numbers = itertools.count()
        self.seen = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def close(self):
        self.shutdown()
        self.server_close()


def play_round(ferry, nginx, judge, count=4):
    """Jobs of several identities at one origin, begun in turn; then what the kernel and the disk say of it."""
    identities = [Identity() for _ in range(count)]
    bridges = [Bridge(ferry, **identity.options) for identity in identities]
    before = len(judge.seen)
    for identity, bridge in zip(identities, bridges):
        identity.folder(os.path.join(ferry.landed, str(identity.uid)))
        os.mkdir(os.path.join(nginx.www, str(identity.uid)))
        bridge.hello()
    for job in range(JOBS):
        for identity, bridge in zip(identities, bridges):
            names = [f"{identity.uid}/{job}-{number}.bin" for number in range(FILES)]
            for name in names:
                nginx.file(name, 20000)
            made = bridge.ok("job.create", name=f"job {job}", priority=("foreground", "normal")[job % 2],
                             auto_complete=True,
                             files=[{"url": judge.url(name), "path": ferry.destination(name)} for name in names])
            bridge.ok("job.resume", handle=made["handle"])
    for bridge in bridges:
        wait_until(lambda: [job["state"] for job in bridge.ok("job.list", all=True)["jobs"]] == ["ACKNOWLEDGED"] * JOBS,
                   120, "every job is done")
        bridge.close()
    seen = judge.seen[before:]
    for identity in identities:
        asked = collections.Counter(one.path for one in seen if one.uid == identity.uid)
        served = [f"/{identity.uid}/{name}" for name in os.listdir(os.path.join(nginx.www, str(identity.uid)))]
        assert sorted(asked) == sorted(served) and len(served) == JOBS * FILES, (identity.uid, asked)
        folder = os.path.join(ferry.landed, str(identity.uid))
        for name in os.listdir(folder):
            landed = os.stat(os.path.join(folder, name))
            assert (landed.st_uid, landed.st_gid) == (identity.uid, identity.gid), name
            assert sha256(os.path.join(folder, name)) == sha256(os.path.join(nginx.www, str(identity.uid), name))
        assert len(os.listdir(folder)) == JOBS * FILES, os.listdir(folder)
    assert all(one.path.startswith(f"/{one.uid}/") for one in seen if one.uid is not None), seen
    owners = collections.defaultdict(set)
    for one in judge.seen:
        owners[one.connection].add(one.uid)
    assert all(len(uids - {None}) <= 1 for uids in owners.values()), owners
    assert sum(one.uid is None for one in seen) < len(seen) // 4, seen  # else little was shown
    # Else nothing was shown of connections that are used again.
    assert len(seen) > len({one.connection for one in seen}), "no connection served two requests"
