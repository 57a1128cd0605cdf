"""Marked secrets through every method of the protocol and every verb of the command line, while what can fail does; then each
mark is looked for in all that is left of it: files, the queue and its log, what was told and said, arguments, core files.

A new method or verb fails this test until it is driven here.  On the Linux ground nothing can be sealed, and queries lie in
the queue in the clear: there it is looked for all but these.
"""
import base64
import http.server
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from ground import GROUND, SOURCE, Bridge, Ferry, native, not_shown, run, wait_until

NAMES = ("password", "proxy-password", "user", "header", "query", "mirror-query", "userinfo", "proxy-userinfo", "location",
         "location-userinfo", "malformed", "prefix", "cookie", "answer")
MARKS = {name: f"M4rk{secrets.token_hex(6)}z{name.replace('-', '')}" for name in NAMES}
IN_CLEAR = {"query", "mirror-query", "prefix"}  # in the queue, where nothing can be sealed
SEALS = GROUND != "linux"


# --- looking for them ---

def spellings(mark):
    """The mark as it may be written: plain, UTF-16, base64 at each alignment, hexadecimal, percent-encoded."""
    plain = mark.encode()
    found = {plain, mark.encode("utf-16le"), plain.hex().encode(), plain.hex().upper().encode(),
             "".join(f"%{byte:02x}" for byte in plain).encode(), "".join(f"%{byte:02X}" for byte in plain).encode()}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + plain)
        first = 0 if before == 0 else 4  # of characters that depend on the mark alone
        last = (before + len(plain)) // 3 * 4
        found.add(text[first:last])
    return found


SPELLINGS = {name: spellings(mark) for name, mark in MARKS.items()}


def look(where, content, but=()):
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    for name, texts in SPELLINGS.items():
        for text in texts:
            assert name in but or text not in content, f"{name} is in {where}: ...{content[max(0, content.find(text) - 200):][:300]!r}"


def the_search_finds_every_spelling():
    for name, mark in MARKS.items():
        plain = mark.encode()
        for before in range(3):
            for content in (base64.b64encode(b"x" * before + plain + b"yz"), b"?" + plain, mark.encode("utf-16le"), plain.hex().encode()):
                try:
                    look("a try", b"..." + content + b"...")
                except AssertionError:
                    continue
                raise AssertionError((name, content))


# --- servers that fail in many ways ---

class Bad(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind = re.sub(r"^.*/", "", self.path.split("?")[0])
        query = self.path.partition("?")[2]
        locations = {"away": f"http://localhost:{self.server.server_port}/good?{MARKS['location']}",
                     "near": f"/good?{MARKS['location']}",
                     "ftp": f"ftp://127.0.0.1/?{MARKS['location']}", "odd": f"http://[{MARKS['location']}/",
                     "login": f"http://me:{MARKS['location-userinfo']}@127.0.0.1/", "loop": f"/loop?{MARKS['location']}"}
        if kind in locations:
            self.answer(302, Location=locations[kind])
        elif kind in ("401", "407"):
            name = "WWW-Authenticate" if kind == "401" else "Proxy-Authenticate"
            self.answer(int(kind), **{name: f'Basic realm="{MARKS["answer"]}"'})
        elif kind.isdigit():
            self.answer(int(kind), f"echo {query} {self.headers}".encode())
        elif kind == "coded":
            self.answer(200, b"x" * 100, Content_Encoding=MARKS["answer"])
        elif kind == "broken":
            self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nX: {query}\r\n\r\nshort".encode())
            self.close_connection = True
        elif kind == "garbage":
            self.wfile.write(f"{query} {MARKS['answer']}\r\n\r\n".encode())
            self.close_connection = True
        else:
            self.answer(200, b"good" * 5000)

    do_HEAD = do_GET

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Set-Cookie": f"id={MARKS['cookie']}", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- clients, all of whose words are kept ---

class Scene(Ferry):
    def __init__(self):
        super().__init__({"transfer": {"connect_timeout_ms": 2000}, "identity": {"service_file_roots": [native("/tmp")]}, "authentication": {"basic_in_clear": ["127.0.0.1"], "ntlm": ["*"]}})
        self.said_by, self.methods, self.verbs, self.number = [], set(), set(), 0
        self.bad = Bad()
        self.start()
        self.bridge = Bridge(self, validate=False)
        self.ask("hello", protocol=1, client="marked")

    def keep(self, where, text):
        self.said_by.append((where, text))

    def ask(self, method, shown=True, **params):
        """The reply, whatever it is; what it says is kept, unless it is the owner's to see."""
        self.methods.add(method)
        self.number += 1
        reply = self.bridge.raw(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}), self.number)
        if shown:
            self.keep(method, json.dumps(reply))
        return reply

    def ok(self, method, **params):
        reply = self.ask(method, **params)
        assert "result" in reply, reply
        return reply["result"]

    def ferry(self, *words, text="", shown=True):
        """A verb, in words and as JSON; what both say is kept."""
        verb = " ".join(words[:2]) if words[0] in ("helper", "credentials", "headers", "proxy", "auth", "config") else words[0]
        self.verbs.add(verb)
        for more in ((), ("--json",)):
            done = subprocess.run(self.arguments([*words, *more]), env=self.environment, input=text.encode(), capture_output=True, timeout=60)
            if shown:
                self.keep(verb, done.stdout + done.stderr)
        return done.returncode

    def job(self, kind, **properties):
        """A job with every secret that it can have, and its handle."""
        name = f"J{self.number}"
        made = self.ok("job.create", name=name, auto_complete=True, retry_delay_s=5, no_progress_timeout_s=0,
                       files=[{"url": self.bad.url(f"{kind}?{MARKS['query']}") if "://" not in kind else kind,
                               "path": self.destination(name + ".bin"),
                               "mirrors": [self.bad.url(f"404?{MARKS['mirror-query']}")]}], **properties)
        handle = made["handle"]
        for target, password in (("server", "password"), ("proxy", "proxy-password")):
            for scheme in ("basic", "digest", "ntlm", "negotiate"):
                reply = self.ask("job.setCredentials", handle=handle, target=target, scheme=scheme, user=MARKS["user"], password=MARKS[password])
                assert ("result" in reply) == SEALS, reply
        reply = self.ask("job.setHeaders", handle=handle, headers=[f"X-Acme: {MARKS['header']}"], write_only=False)
        assert ("result" in reply) == SEALS, reply
        return handle

    def settle(self, handle):
        def state():
            return self.ok("job.get", handle=handle)["job"]["state"] in ("ERROR", "ACKNOWLEDGED", "CANCELLED", "TRANSIENT_ERROR")
        wait_until(state, 40, "the job has ended in some way")

    # --- the end: everything that is left ---
    def search(self):
        for where, text in self.said_by:
            look(f"what {where} said", text)
        look("notifications", json.dumps(self.bridge.notifications))
        for folder, _, files in os.walk(self.folder):
            for name in files:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                look(path, name, but=())
                look(path, content, but=IN_CLEAR if not SEALS and "queue." in name else ())
        for what in ("cmdline", "environ"):
            with open(f"/proc/{self.process.pid}/{what}", "rb") as file:
                look(what, file.read())

    def end(self):
        self.bridge.process.stdin.close()
        self.bridge.process.wait(20)
        look("the bridge's errors", self.bridge.process.stderr.read())
        self.bad.shutdown()
        self.bad.server_close()
        self.close()


# --- what is driven ---

def fail_in_every_way(scene):
    nowhere = f"http://127.0.0.1:{closed_port()}"
    tls = f"https://127.0.0.1:{scene.bad.server_port}/x?{MARKS['query']}"
    kinds = ["401", "407", "403", "404", "410", "416", "500", "503", "away", "near", "ftp", "odd", "login", "loop", "coded", "broken", "garbage", "good", tls,
             f"{nowhere}/x?{MARKS['query']}", f"http://no-such-host.invalid/x?{MARKS['query']}"]
    handles = [scene.job(kind) for kind in kinds]
    explicit = {"mode": "explicit"}
    handles.append(scene.job("good", proxy={**explicit, "list": nowhere.split("//")[1]}))
    handles.append(scene.job("407", proxy={**explicit, "list": f"127.0.0.1:{scene.bad.server_port}"}))
    for handle in handles:
        scene.ask("events.subscribe", handle=handle)
        scene.ask("job.resume", handle=handle)
    for handle in handles:
        scene.settle(handle)
        scene.ask("job.get", handle=handle)
    return handles


def drive_declared(scene):
    """Declared jobs whose URLs have secrets, good and bad; the files themselves are their author's, and are gone before the search."""
    folder = os.path.join(scene.data, "jobs.d")
    os.mkdir(folder)

    def declare(name, url, more=""):
        with open(os.path.join(folder, name), "w") as file:
            file.write(json.dumps({"name": "app", "destination": native(scene.landed), "files": [{"url": url, "path": "declared.bin"}]}) + more)
    for kind in ("good", "404", "broken"):
        declare("app.jsonc", scene.bad.url(f"{kind}?{MARKS['query']}"))
        scene.ask("declared.plan")
        scene.ask("declared.apply")
        scene.ask("declared.find", name="app")
        scene.ferry("show", "declared:app")
    declare("bad.jsonc", f"http://me:{MARKS['userinfo']}@127.0.0.1/", more=MARKS["malformed"])
    scene.ask("declared.apply")
    declare("bad.jsonc", f"http://me:{MARKS['userinfo']}@127.0.0.1/")
    scene.ask("declared.apply")
    # A URL in the wrong place, in what is told of it and in the event.
    slip, good = f"https://127.0.0.1/x?sig={MARKS['query']}", {"name": "app", "destination": native(scene.landed), "files": [{"url": "http://127.0.0.1/x"}]}
    for wrong in ({"files": [slip]}, {"files": slip}, {"name": slip}, {"destination": slip}, {"priority": slip}, {"when": {"every": slip}}, {slip: 1},
                  {"files": [{"url": "http://127.0.0.1/x", "digest": slip}]}, {"files": [{"url": "http://127.0.0.1/x", "path": "/" + slip}]}):
        with open(os.path.join(folder, "bad.jsonc"), "w") as file:
            json.dump({**good, **wrong}, file)
        said = scene.ask("declared.apply")
        assert said["result"]["errors"], (wrong, said)
    for verb in ("plan", "apply"):
        scene.ferry(verb)
    shutil.rmtree(folder)


def drive_every_method(scene, handle, handles):
    url = scene.bad.url(f"good?{MARKS['query']}")
    path = scene.destination("more.bin")
    scene.ask("events.subscribe")
    scene.ask("service.status")
    scene.ask("service.metrics")
    scene.ask("service.doctor")
    scene.ask("config.show")
    scene.ask("config.reload")
    drive_declared(scene)
    scene.ask("job.list", all=True)
    scene.ask("job.list", everyone=True)
    identity = scene.ok("job.get", handle=handle)["job"]["id"]
    scene.ask("job.open", job=identity)
    scene.ask("job.addFiles", handle=handle, files=[{"url": url, "path": path, "mirrors": [url]}])
    scene.ask("job.addFiles", handle=handle, files=[{"url": url, "path": path}])  # twice the same destination
    scene.ask("job.setProperties", handle=handle, priority="low")
    base = scene.bad.url("")
    scene.ask("job.replaceRemotePrefix", handle=handle, old_prefix=f"{base}good?{MARKS['query']}", new_prefix=f"{base}good?{MARKS['prefix']}")
    scene.ask("job.replaceRemotePrefix", handle=handle, old_prefix=base, new_prefix=f"http://me:{MARKS['userinfo']}@127.0.0.1/")
    scene.ask("job.replaceRemotePrefix", handle=handle, old_prefix=f"http://x/?{MARKS['prefix']}", new_prefix=base)
    scene.ask("job.getHeaders", handle=handle, shown=False)
    scene.ask("job.setHeaders", handle=handle, headers=[f"Authorization: Bearer {MARKS['header']}"], write_only=True)
    scene.ask("job.getHeaders", handle=handle)
    scene.ask("job.removeCredentials", handle=handle, target="server", scheme="basic")
    scene.ask("proxy.show", url=url)
    scene.ask("proxy.show", url=url, handle=handle)
    for kind in ("good", "401", "407", "404", "away", "broken"):
        scene.ask("auth.test", url=scene.bad.url(f"{kind}?{MARKS['query']}"))
        scene.ask("auth.test", url=scene.bad.url(f"{kind}?{MARKS['query']}"), by_proxy=f"127.0.0.1:{scene.bad.server_port}")
    for job in handles:
        scene.ask("job.history", handle=job)
    scene.ask("job.preflight", handle=handle)
    for method in ("job.getHelperTokenFlags", "job.getHelperTokenSid", "job.helperTicket"):
        ticket = scene.ask(method, handle=handle).get("result", {}).get("ticket", "0" * 32)
    scene.ask("job.setHelperTokenFlags", handle=handle, flags=["network"])
    scene.ask("job.setHelperToken", handle=handle, sid="S-1-5-21-1", logon_id="0x1")
    scene.ask("helper.present", ticket=ticket)
    scene.ask("job.clearHelperToken", handle=handle)
    scene.ask("job.setHelperTokenFlags", handle=handle, flags=[])
    scene.ask("job.takeOwnership", handle=handle)
    for method in ("job.suspend", "job.resume", "job.suspend", "job.complete", "job.cancel"):
        scene.ask(method, handle=handle)


def refuse_in_every_way(scene, handle):
    """Requests that are wrong, and have secrets in them."""
    mark = MARKS["malformed"]
    user = f"http://me:{MARKS['userinfo']}@127.0.0.1/x?{MARKS['query']}"
    proxy = f"http://me:{MARKS['proxy-userinfo']}@127.0.0.1:3128"
    files = [[{"url": user, "path": "/x"}], [{"url": f"nonsense?{mark}", "path": "/x"}], [{"url": f"http://h/?{mark}\n", "path": "/x"}],
             [{"url": f"http://h/?{mark}", "path": ["/x"]}], [{"url": [mark], "path": "/x"}], f"{mark}", [mark], [{"url": f"http://h:{mark}/", "path": "/x"}],
             [{"url": f"http://h/?{mark}", "path": "/x", "mirrors": [user]}], [{"url": f"http://h/?{mark}" + "x" * 2200, "path": "/x"}],
             [{"url": f"http://h/?{mark}", "path": "relative"}], [{"url": f"http://h/?{mark}", "path": "/x", "digest": mark}]]
    for wrong in files:
        scene.ask("job.create", name="wrong", files=wrong)
        scene.ask("job.addFiles", handle=handle, files=wrong)
    for wrong in (proxy, f"socks://{mark}", [mark], f"http={proxy}"):
        scene.ask("job.create", name="wrong", proxy={"mode": "explicit", "list": wrong})
        scene.ask("job.setProperties", handle=handle, proxy={"mode": "explicit", "list": wrong})
    for wrong in (user, f"nonsense:{mark}", [mark]):
        scene.ask("proxy.show", url=wrong)
        scene.ask("auth.test", url=wrong)
        scene.ask("auth.test", url="http://127.0.0.1:9/", by_proxy=wrong)
        scene.ask("job.replaceRemotePrefix", handle=handle, old_prefix=wrong, new_prefix=wrong)
    for line in (f"Host: {mark}", f"X Y: {mark}", f"X: {mark}\r\n", mark, [mark], f"Authorization: NTLM {mark}", f"X: {mark * 900}"):
        scene.ask("job.setHeaders", handle=handle, headers=[line], write_only=False)
    for more in ({"user": "a:b", "password": mark}, {"user": [mark], "password": mark}, {"user": mark, "password": None}, {"user": "u", "password": mark * 200},
                 {"user": "u", "password": f"{mark}\n"}):
        scene.ask("job.setCredentials", handle=handle, target="server", scheme="basic", **more)
    for method in sorted(methods()):  # a secret in every member, each of them of the wrong kind, and one too many
        for value in (mark, [mark], {"x": mark}):
            scene.ask(method, **{member: value for member in ("handle", "url", "files", "headers", "user", "password", "ticket", "old_prefix", "flags")})
            scene.ask(method, handle=handle, surplus=value)
    for line in (f'{{"jsonrpc":"2.0","id":1,"method":"job.create","params":{{"password":"{mark}"', f'{{"{mark[:4]}": "{mark}"}}', f"[\"{mark}\"]", f'"{mark}',
                 f'{{"jsonrpc":"2.0","id":1,"method":"hello","params":"{mark}"}}', f'{{"jsonrpc":"2.0","id":1,"method":["{mark}"]}}',
                 '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"client":"' + mark + '\xff"}}'):
        scene.keep("a damaged message", json.dumps(scene.bridge.raw(line.encode("latin-1"))))


def drive_every_verb(scene):
    url, user = scene.bad.url(f"good?{MARKS['query']}"), f"http://me:{MARKS['userinfo']}@127.0.0.1/x"
    here = scene.destination("cli.bin")
    for words in (("submit", "--suspended", "--name", "CLI", "--mirror", scene.bad.url(f"404?{MARKS['mirror-query']}"), url, here),
                  ("submit", url), ("submit", "--no-wait", user, here), ("submit", "--no-wait", "--mirror", user, url, here),
                  ("submit", "--no-wait", "--no-such", url, here), ("submit", "--timeout", "20", "--name", "CLI4", scene.bad.url(f"404?{MARKS['query']}"), scene.destination("c4.bin")),
                  ("submit", "--no-wait", "--proxy", f"http://me:{MARKS['proxy-userinfo']}@127.0.0.1:1", url, here),
                  ("submit", "--no-wait", url, scene.destination("no/such/folder/x.bin"))):
        scene.ferry(*words)
    scene.ferry("submit", "--no-wait", "--headers-from", "-", url, here, text=f"X-Acme: {MARKS['header']}\nHost: {MARKS['header']}\n")
    scene.ferry("submit", "--no-wait", "--from", "-", text=f"{url}\n{user}\t{here}\nhttp://h/?{MARKS['query']}\t\t\t\n")
    job = scene.json("list", "--all")[-1]["job"]["id"]
    for scheme in ("basic", "negotiate"):
        scene.ferry("credentials", "set", job, "--target", "server", "--scheme", scheme, "--user", MARKS["user"], text=MARKS["password"] + "\n")
    scene.ferry("credentials", "remove", job, "--target", "server", "--scheme", "basic")
    for text in (f"X-Acme: {MARKS['header']}\n", f"Host: {MARKS['header']}\n", f"{MARKS['header']}\n"):
        scene.ferry("headers", "set", job, text=text)
    scene.ferry("headers", "show", job, shown=False)
    scene.ferry("headers", "remove", job)
    scene.ferry("headers", "set", "--write-only", job, text=f"X-Acme: {MARKS['header']}\n")
    scene.ferry("headers", "show", job)
    scene.ferry("proxy", "show", url)
    scene.ferry("proxy", "show", "--job", job, user)
    scene.ferry("auth", "test", url)
    scene.ferry("auth", "test", user)
    scene.ferry("auth", "test", "--proxy", f"me:{MARKS['proxy-userinfo']}@127.0.0.1:1", url)
    scene.ferry("history", *[one["job"]["id"] for one in scene.json("list", "--all")])
    scene.ferry("replace-prefix", job, url, scene.bad.url(f"good?{MARKS['prefix']}"))
    scene.ferry("replace-prefix", job, scene.bad.url(""), user)
    scene.ferry("helper", "set", job, "--user", "nobody", text=MARKS["password"] + "\n")
    scene.ferry("helper", "flags", job, "none")
    scene.ferry("helper", "show", job)
    scene.ferry("helper", "clear", job)
    for words in (("config", "show", "--origin"), ("config", "reload"), ("status",), ("metrics",), ("list", "--all"), ("list", "--all", "--everyone"), ("show", "--files", job), ("attach",), ("preflight", job), ("suspend", job),
                  ("watch", "--timeout", "1"), ("resume", job), ("wait", "--timeout", "5", job), ("renew", job), ("complete", job), ("cancel", job),
                  ("take-ownership", job), ("purge", "--older-than", "3650d")):
        scene.ferry(*words)
    archive = os.path.join(scene.folder, "ticket.tar")
    scene.ferry("doctor", "--bundle", native(archive))  # the second time it is there already
    unpacked = os.path.join(scene.folder, "ticket")
    os.mkdir(unpacked)
    subprocess.run(["tar", "-xf", archive, "-C", unpacked], check=True)  # the search looks at what lies there, too
    assert {"jobs.jsonl", "history.jsonl", "ferry.jsonl"} <= set(os.listdir(unpacked)), os.listdir(unpacked)
    scene.ferry("pipe", text=f'{{"jsonrpc":"2.0","id":1,"method":"hello","params":{{"password":"{MARKS["malformed"]}"}}}}\n{MARKS["malformed"]}\n')


def methods():
    with open(os.path.join(SOURCE, "daemon", "core", "protocol.h")) as file:
        return set(re.findall(r'X\(\w+, "([a-zA-Z.]+)"\)', file.read()))


def verbs():
    with open(os.path.join(SOURCE, "client", "cli", "arguments.c")) as file:
        return set(re.findall(r'\[VERB_\w+\] = \{ "([a-z -]+)"', file.read()))


def no_mark__is_anywhere():
    scene = Scene()
    handles = fail_in_every_way(scene)
    refuse_in_every_way(scene, handles[0])
    drive_every_method(scene, scene.job("good"), handles)
    drive_every_verb(scene)
    assert scene.methods == methods(), scene.methods ^ methods()
    assert scene.verbs == verbs(), scene.verbs ^ verbs()
    time.sleep(0.5)
    assert len(scene.said_by) > 500
    scene.search()
    if not SEALS:
        not_shown("queries that are sealed in the queue", "Wine, and sim/test_queries.c")
    scene.end()


# --- what a crash leaves ---

def cores(folder):
    return [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names if name.startswith("core")]


def a_crash__leaves_no_memory_behind():
    if GROUND != "linux":
        not_shown("a crash that leaves no memory behind", "the Linux ground; **W** windows/test_dumps.c")
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    folder = tempfile.mkdtemp(prefix="ferry-cores-")
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        subprocess.run(["sh", "-c", "kill -SEGV $$"], cwd=folder, check=False)
        if not cores(folder):
            not_shown("a core file that the system would write", "a machine that writes them beside the program")
            return
        for path in cores(folder):
            os.remove(path)
        scene = Ferry()
        scene.environment["ASAN_OPTIONS"] = scene.environment.get("ASAN_OPTIONS", "") + ":handle_segv=0:disable_coredump=0"
        scene.serve = ["sh", "-c", 'cd "$0" && exec "$@"', folder, *scene.serve]
        scene.start()
        scene.run("submit", "--suspended", f"http://127.0.0.1:9/x?{MARKS['query']}", scene.destination("x.bin"))
        scene.process.send_signal(signal.SIGSEGV)
        code = scene.process.wait(20)
        scene.process = None
        assert code == -signal.SIGSEGV, code
        assert cores(folder) == [] and cores(scene.folder) == [], cores(folder)
        scene.close()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
        shutil.rmtree(folder, ignore_errors=True)


run(the_search_finds_every_spelling, no_mark__is_anywhere, a_crash__leaves_no_memory_behind)
