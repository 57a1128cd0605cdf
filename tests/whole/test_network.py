"""The machine's network goes and comes back: in a network of the test's own, whose one link it takes down and up."""
import atexit
import functools
import http.server
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from ground import GROUND, Ferry, run, sha256, skip, wait_until

HERE, THERE, PORT = "10.99.0.1", "10.99.0.2", 8080


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True, timeout=60)


class Server:
    """On all addresses on this side of the link, and beyond it."""

    def __init__(self, folder):
        self.www = os.path.join(folder, "www")
        os.mkdir(self.www)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), functools.partial(Handler, directory=self.www))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.beyond = subprocess.Popen(["unshare", "--net", sys.executable, "-m", "http.server", str(PORT), "--directory",
                                        self.www], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.beyond.kill)
        lay_cable(self.beyond.pid)
        wait_until(self.is_reached, 60, "the server beyond the link answers")

    @staticmethod
    def is_reached():
        try:
            socket.create_connection((THERE, PORT), 1).close()
            return True
        except OSError:
            return False

    def file(self, name, address=None):
        with open(os.path.join(self.www, name), "wb") as file:
            file.write(os.urandom(5000))
        return f"http://{address}:{self.server.server_port}/{name}" if address else f"http://{THERE}:{PORT}/{name}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.beyond.kill()
        self.beyond.wait(10)
        ip("link", "del", "outside", check=False)  # the kernel takes it away with its other end, in time
        wait_until(lambda: ip("link", "show", "outside", check=False).returncode != 0, 60, "the cable is gone")


def lay_cable(pid):
    """To the network of that process."""
    wait_until(lambda: os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"), 60, "it has one")
    ip("link", "add", "outside", "type", "veth", "peer", "name", "inside", "netns", str(pid))
    ip("addr", "add", f"{HERE}/24", "dev", "outside")
    ip("link", "set", "outside", "addrgenmode", "none")  # an address that comes by itself would be news, too
    ip("link", "set", "outside", "up")
    for words in (f"addr add {THERE}/24 dev inside", "link set inside up"):
        subprocess.run(["nsenter", "--target", str(pid), "--net", "ip", *words.split()], check=True, timeout=60)


def link(state):
    ip("link", "set", "outside", state)


def job_of(ferry, name):
    return next(job for job in ferry.jobs() if job["name"] == name)


def whole(ferry, server, name):
    landed = os.path.join(ferry.landed, name)
    return os.path.exists(landed) and sha256(landed) == sha256(os.path.join(server.www, name))


def wait_for_minutes(ferry):
    """As if they had been tried for hours."""
    with sqlite3.connect(os.path.join(ferry.data, "queue.sqlite3")) as connection:
        connection.execute("UPDATE job SET attempts = 12, next_try_ms = ?", (int(time.time() * 1000) + 590000,))
    connection.close()


def network_is_lost_and_comes_back__what_waited_goes_on_by_itself():
    ferry = Ferry()
    server = Server(ferry.folder)
    link("down")
    ferry.start()
    url = server.file("far.bin")
    ferry.run("submit", url, ferry.destination("far.bin"), "--name", "Far", "--no-wait")
    wait_until(lambda: job_of(ferry, "Far")["state"] == "TRANSIENT_ERROR", 60, "it fails")
    job = job_of(ferry, "Far")
    assert job["error"]["result"] == "CONNECT_FAILED", job
    # What the machine does not need a network for is fetched all the same.
    near = server.file("near.bin", "127.0.0.1")
    ferry.run("submit", near, ferry.destination("near.bin"), "--name", "Near")
    assert whole(ferry, server, "near.bin")
    ferry.kill()
    wait_for_minutes(ferry)
    ferry.start()
    job = wait_until(lambda: (job := job_of(ferry, "Far"))["wait"] and job["wait"]["reason"] == "no-network" and job, 30,
                     "it says what it waits for")
    until = job["wait"]["next_try_ms"]
    assert until > time.time() * 1000 + 300000, job
    assert "no network, retry in" in ferry.run("list").stdout
    link("up")
    wait_until(lambda: whole(ferry, server, "far.bin"), 120, "it goes on by itself")
    assert time.time() * 1000 < until
    server.close()
    ferry.close()


def address_comes__what_failed_for_want_of_it_goes_on():
    """Another way out while there is one already, such as a tunnel's."""
    ferry = Ferry()
    server = Server(ferry.folder)
    ferry.start()
    url = server.file("tunnel.bin", "10.98.0.1")
    ip("route", "add", "unreachable", "10.98.0.1")  # as long as no tunnel has it
    ferry.run("submit", url, ferry.destination("tunnel.bin"), "--name", "Tunnel", "--no-wait")
    wait_until(lambda: job_of(ferry, "Tunnel")["state"] == "TRANSIENT_ERROR", 60, "it fails")
    ferry.kill()
    wait_for_minutes(ferry)
    ferry.start()
    job = wait_until(lambda: (job := job_of(ferry, "Tunnel"))["wait"] and job, 30, "it waits")
    assert job["wait"]["reason"] == "retry-at", job  # there is a network, and nobody is to blame it
    until = job["wait"]["next_try_ms"]
    assert until > time.time() * 1000 + 300000, job
    ip("addr", "add", "10.98.0.1/32", "dev", "outside")
    wait_until(lambda: whole(ferry, server, "tunnel.bin"), 120, "it goes on by itself")
    assert time.time() * 1000 < until
    server.close()
    ferry.close()


if GROUND != "linux":
    skip("a network of the test's own is the Linux kernel's; by tests/windows/test_network.c on Windows")
if "FERRY_NETWORK_OF_ITS_OWN" not in os.environ:
    if not all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip")):
        skip("unshare and nsenter (util-linux) or ip (iproute2) are not installed")
    alone = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--net"]
    tried = subprocess.run([*alone, "ip", "link", "add", "outside", "type", "veth"], capture_output=True, text=True)
    if tried.returncode != 0:
        skip(f"no network of the test's own can be made here: {tried.stderr.strip()}")
    os.environ["FERRY_NETWORK_OF_ITS_OWN"] = "1"
    os.execvp(alone[0], [*alone, sys.executable, os.path.abspath(__file__)])
ip("link", "set", "lo", "up")
run(network_is_lost_and_comes_back__what_waited_goes_on_by_itself, address_comes__what_failed_for_want_of_it_goes_on)
