"""Credentials from the command line to a server that asks who it is: what it sees, what is said, and what nobody is told.

That somebody is let in is shown by tests/rig's servers.
"""
import http.server
import os
import subprocess
import threading

from ground import GROUND, Bridge, Ferry, run

SECRET = "Tr0ub4dor&3"


class Guard(http.server.ThreadingHTTPServer):
    """Lets nobody in, and remembers what it was told."""

    def __init__(self, scheme):
        self.told = told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                told.append(self.headers.get("Authorization"))
                self.send_response(401)
                self.send_header("WWW-Authenticate", scheme)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def close(self):
        self.shutdown()
        self.server_close()


def start(scheme):
    ferry, guard = Ferry(), Guard(scheme)
    ferry.start()
    return ferry, guard


def end(ferry, guard):
    guard.close()
    ferry.close()


def without_credentials__nobody_is_answered():
    ferry, guard = start('Basic realm="acme"')
    done = ferry.run("submit", "--name", "A", guard.url("a.bin"), ferry.destination("a.bin"), check=False)
    assert done.returncode == 2, done
    assert "(UNAUTHORIZED 0x80190191; http 401)" in done.stderr, done.stderr
    assert "the server asks for Basic, and the job has no credentials for it" in done.stderr, done.stderr
    assert set(guard.told) == {None}, guard.told
    assert "a.bin" not in os.listdir(ferry.landed)
    end(ferry, guard)


def implicit_ones__are_set_shown_and_removed_and_answer_their_scheme_only():
    ferry, guard = start('Basic realm="acme"')
    done = ferry.run("submit", "--name", "A", "--auth", "server:negotiate", guard.url("a.bin"), ferry.destination("a.bin"),
                     check=False)
    assert done.returncode == 2 and "AUTH_SCHEME" in done.stderr, done
    assert "the server offers Basic, and may be answered with Negotiate only" in done.stderr, done.stderr
    said = ferry.run("credentials", "set", "A", "--target", "proxy", "--scheme", "ntlm").stdout
    assert said.endswith(": credentials: server by negotiate, as the one who fetches; proxy by ntlm, as the one who fetches\n"), said
    assert "  credentials  server by negotiate, as the one who fetches; proxy by ntlm" in ferry.run("show", "A").stdout
    job = ferry.json("show", "A")[0]["job"]
    assert job["credentials"] == [{"target": "server", "scheme": "negotiate", "implicit": True},
                                  {"target": "proxy", "scheme": "ntlm", "implicit": True}], job
    ferry.run("credentials", "remove", "A", "--target", "server", "--scheme", "negotiate")
    ferry.run("credentials", "remove", "A", "--target", "server", "--scheme", "negotiate")  # none there is fine
    assert ferry.run("credentials", "remove", "A", "--target", "proxy", "--scheme", "ntlm").stdout.endswith(": credentials: none\n")
    ferry.run("resume", "A")
    done = ferry.run("wait", "A", check=False)
    assert done.returncode == 2 and "(UNAUTHORIZED" in done.stderr, done
    assert set(guard.told) == {None}, guard.told
    told = [(event["id"], event["message"]) for event in ferry.events() if event["id"] in (1022, 1023)]
    assert [number for number, _ in told] == [1022, 1022, 1023, 1023], told
    assert "answers the server by negotiate" in told[0][1] and "as the one who fetches" in told[0][1], told
    end(ferry, guard)


def what_cannot_be__is_refused_in_words():
    ferry, guard = start("Negotiate")
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="A", files=[{"url": guard.url("a.bin"), "path": ferry.destination("a.bin")}])["handle"]
    for scheme, user, password, result, what in (
            ("basic", None, None, "INVALID_ARGUMENT", "params.user: is missing"),
            ("digest", None, None, "INVALID_ARGUMENT", "params.user: is missing"),
            ("ntlm", "", SECRET, "INVALID_ARGUMENT", "params.user: must not be empty"),
            ("basic", "an:na", SECRET, "INVALID_ARGUMENT", "params.user: must not contain ':'"),
            ("basic", "anna", SECRET + "\n", "INVALID_ARGUMENT", "params.password: must not contain control characters")):
        error = bridge.call("job.setCredentials", handle=handle, target="server", scheme=scheme, user=user,
                            password=password)["error"]
        assert error["data"]["result"] == result and what in error["data"]["what"], error
        assert "anna" not in str(error) and SECRET not in str(error), error
    if GROUND == "linux":
        done = subprocess.run(ferry.arguments(["credentials", "set", "A", "--target", "server", "--scheme", "basic", "--user",
                                               "anna"]), env=ferry.environment, input=SECRET + "\n", capture_output=True, text=True)
        assert done.returncode == 4 and "on this ground (NOT_SUPPORTED" in done.stderr, done
        assert bridge.ok("job.get", handle=handle, limit=0)["job"]["credentials"] == []
    bridge.ok("job.cancel", handle=handle)
    error = bridge.call("job.setCredentials", handle=handle, target="server", scheme="ntlm", user=None, password=None)["error"]
    assert error["data"]["result"] == "INVALID_STATE", error
    bridge.close()
    for name in os.listdir(ferry.data):
        with open(os.path.join(ferry.data, name), "rb") as file:
            text = file.read()
        assert SECRET.encode() not in text and b"anna" not in text, name
    assert SECRET not in ferry.said()
    end(ferry, guard)


run(without_credentials__nobody_is_answered, implicit_ones__are_set_shown_and_removed_and_answer_their_scheme_only,
    what_cannot_be__is_refused_in_words)
