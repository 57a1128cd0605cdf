"""Header lines of a job's own: what its servers see of them, and nobody else; who is given them back.

On the Linux ground nothing can be sealed: there it is shown who is refused.
"""
import http.server
import os
import subprocess
import threading

from ground import GROUND, Bridge, Ferry, Identity, not_shown, run, wait_until

TOKEN = "Bearer M4rk3d-t0ken"
LINES = [f"Authorization: {TOKEN}", "X-Acme: 1"]
BODY = os.urandom(70000)


class Origin(http.server.ThreadingHTTPServer):
    """Lets in who has the token; /away/PORT/NAME sends to another port."""

    def __init__(self, guarded=True):
        self.seen = seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                seen.append((self.path, self.headers.get("Authorization"), self.headers.get("X-Acme")))
                if self.path.startswith("/away/"):
                    _, _, port, name = self.path.split("/")
                    self.answer(302, Location=f"http://127.0.0.1:{port}/{name}")
                elif guarded and self.headers.get("Authorization") != TOKEN:
                    self.answer(401, WWW_Authenticate="Bearer")
                else:
                    self.answer(200, BODY)

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def close(self):
        self.shutdown()
        self.server_close()


def start():
    ferry = Ferry()
    ferry.start()
    bridge = Bridge(ferry)
    bridge.hello()
    return ferry, bridge


def refused(bridge, result, what, **params):
    error = bridge.call("job.setHeaders", **{"write_only": False, **params})["error"]
    assert error["data"]["result"] == result and what in error["data"]["what"], error
    assert "M4rk3d" not in str(error), error


def what_cannot_be__is_refused_in_words():
    ferry, bridge = start()
    handle = bridge.ok("job.create", name="A", files=[{"url": "http://127.0.0.1:9/a", "path": ferry.destination("a.bin")}])["handle"]
    for line, what in (("Host: M4rk3d", "params.headers[1]: Host is for Ferry to say"),
                       ("if-none-match: M4rk3d", "if-none-match is for Ferry to say"),
                       ("X: M4rk3d\r\nHost: evil", "line breaks"), ("M4rk3d", "must be \"Name: value\""),
                       ("Authorization: NTLM M4rk3d", "NTLM and Negotiate")):
        refused(bridge, "INVALID_ARGUMENT", what, handle=handle, headers=["X-Fine: 1", line])
    refused(bridge, "TOO_LONG", "16384 bytes", handle=handle, headers=["X: " + "M4rk3d" * 1400, "Y: " + "M4rk3d" * 1400])
    if GROUND == "linux":
        refused(bridge, "NOT_SUPPORTED", "on this ground", handle=handle, headers=LINES)
        assert bridge.ok("job.getHeaders", handle=handle) == {"headers": []}
        done = subprocess.run(ferry.arguments(["headers", "set", "A"]), env=ferry.environment, input=LINES[0] + "\n",
                              capture_output=True, text=True)
        assert done.returncode == 4 and "(NOT_SUPPORTED" in done.stderr and "M4rk3d" not in done.stderr, done
    assert bridge.ok("job.get", handle=handle)["job"]["headers"] == {"names": [], "write_only": False}
    bridge.close()
    ferry.close()


def others__are_given_nothing():
    if GROUND != "linux" or os.getuid() != 0:
        not_shown("an administrator and a helper who ask for headers", "the Linux ground as root")
        return
    owner, daemon = Identity(), Ferry()
    daemon.start()
    os.chmod(daemon.address, 0o777)
    mine = Bridge(daemon, **owner.options)
    mine.hello()
    made = mine.ok("job.create", name="A", files=[{"url": "http://127.0.0.1:9/a", "path": "/tmp/a.bin"}])
    admin = Bridge(daemon)
    admin.hello()
    handle = admin.ok("job.open", job=made["job"]["id"])["handle"]
    for method, params in (("job.getHeaders", {}), ("job.setHeaders", {"headers": [], "write_only": False})):
        error = admin.call(method, handle=handle, **params)["error"]
        assert error["data"]["result"] == "ACCESS_REFUSED" and "the right edit" in error["data"]["what"], error
    assert mine.ok("job.getHeaders", handle=made["handle"]) == {"headers": []}
    admin.close()
    mine.close()
    daemon.close()


def servers__see_them_and_those_that_they_redirect_to_do_not():
    if GROUND == "linux":
        not_shown("headers that are kept and sent", "Wine, and runtime/test_transfer_headers.c")
        return
    ferry, bridge = start()
    origin, other = Origin(), Origin(guarded=False)
    secret = os.path.join(ferry.folder, "lines.txt")
    with open(secret, "w") as file:
        file.write("\r\n".join(LINES) + "\r\n")
    ferry.run("submit", "--headers-from", "Z:" + secret.replace("/", "\\"), "--name", "A", origin.url("a.bin"), ferry.destination("a.bin"))
    assert origin.seen == [("/a.bin", TOKEN, "1")], origin.seen
    with open(os.path.join(ferry.landed, "a.bin"), "rb") as file:
        assert file.read() == BODY

    handle = bridge.ok("job.create", name="B", files=[{"url": origin.url(f"away/{other.server_port}/b.bin"),
                                                        "path": ferry.destination("b.bin"), "mirrors": [other.url("mirror")]}])["handle"]
    bridge.ok("job.setHeaders", handle=handle, headers=LINES, write_only=False)
    assert bridge.ok("job.getHeaders", handle=handle) == {"headers": LINES}
    bridge.ok("job.resume", handle=handle)
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["state"] == "TRANSFERRED", 30, "it came")
    assert origin.seen[1:] == [(f"/away/{other.server_port}/b.bin", TOKEN, "1")], origin.seen
    assert other.seen == [("/b.bin", None, None)], other.seen
    bridge.ok("job.cancel", handle=handle)
    assert bridge.ok("job.get", handle=handle)["job"]["headers"]["names"] == []

    handle = bridge.ok("job.create", name="C", files=[{"url": origin.url("c.bin"), "path": ferry.destination("c.bin")}])["handle"]
    longest = ["X: " + "a" * 16379]
    bridge.ok("job.setHeaders", handle=handle, headers=longest, write_only=False)
    assert bridge.ok("job.getHeaders", handle=handle) == {"headers": longest}
    bridge.ok("job.setHeaders", handle=handle, headers=["Authorization: Bearer wrong-M4rk3d"], write_only=True)
    error = bridge.call("job.getHeaders", handle=handle)["error"]
    assert error["data"]["result"] == "ACCESS_REFUSED" and "write-only" in error["data"]["what"], error
    bridge.ok("job.resume", handle=handle)
    job = wait_until(lambda: (bridge.ok("job.get", handle=handle)["job"]["state"] == "ERROR" and
                              bridge.ok("job.get", handle=handle)["job"]), 30, "it is refused")
    assert job["error"]["result"] == "UNAUTHORIZED" and "Authorization header" in job["error"]["what"], job
    assert "M4rk3d" not in str(job), job
    assert ferry.run("headers", "remove", "C").stdout.endswith("headers: none\n")
    told = [event["message"] for event in ferry.events() if event["id"] in (1024, 1025)]
    assert len(told) == 5 and "Authorization X-Acme" in told[0] and "M4rk3d" not in str(told), told
    bridge.close()
    ferry.close()
    origin.close()
    other.close()


run(what_cannot_be__is_refused_in_words, others__are_given_nothing, servers__see_them_and_those_that_they_redirect_to_do_not)
