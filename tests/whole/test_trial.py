"""What asking meets, told: 'ferry auth test' without a job, 'ferry history' of one; real servers, either ground."""
import atexit
import json
import os
import shutil
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import Ferry, native, run
from rig import ApacheOrigin, Kdc, NginxTls, Redirector, SquidProxy

folder = tempfile.mkdtemp(prefix="ferry-trial-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
kdc = Kdc(os.path.join(folder, "kdc"))
origin = ApacheOrigin(os.path.join(folder, "apache"), kdc)
squid = SquidProxy(os.path.join(folder, "squid"), kdc)
tls = NginxTls(os.path.join(folder, "tls"))
origin.file("a.bin", 300000)
tls.file("t.bin", 300000)
TICKET = os.path.join(folder, "ticket")
kdc.kinit("alice", TICKET)
EVERYWHERE = {"implicit_servers": ["localhost", "*.localhost"], "implicit_proxies": ["proxy.localhost"]}
TRUSTED = {"ca_files": [f"localhost {native(tls.ca)}"], "revocation": 0}


class Scene(Ferry):
    def __init__(self, ticket=TICKET, authentication=(), proxy=(), tls=()):
        super().__init__({"authentication": dict(authentication), "proxy": dict(proxy), "tls": dict(tls)})
        self.environment.update(kdc.client(ticket))
        self.start()

    def ask(self, url, *options, code=0):
        """What 'ferry auth test' tells of it."""
        done = self.run("auth", "test", "--json", *options, url, check=False)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        told = json.loads(done.stdout)
        words = self.run("auth", "test", *options, url, check=False)
        assert words.returncode == code, words.stdout
        for secret in ("YII", "TlRM", "sesame"):
            assert secret not in done.stdout + words.stdout + words.stderr, (done.stdout, words.stdout)
        return told["attempt"], told["policy"], words.stdout

    def history(self, name):
        lines = self.run("history", "--json", name).stdout.splitlines()
        return [json.loads(line)["attempt"] for line in lines]


def trial__tells_the_whole_way_and_downloads_nothing():
    scene = Scene(authentication=EVERYWHERE, proxy={"table": [f"* {squid.url}"]}, tls=TRUSTED)
    seen = len(origin.requests())
    attempt, policy, words = scene.ask(origin.url("a.bin"))
    assert (attempt["proxy"], attempt["proxy_source"]) == (squid.url, "table"), attempt
    assert attempt["auth"] == {"server": {"offers": ["negotiate"], "answered_with": ["negotiate"]},
                               "proxy": {"offers": ["negotiate"], "answered_with": ["negotiate"]}}, attempt
    assert (attempt["http_status"], attempt["tls"], attempt["error"]) == (200, None, None), attempt
    assert attempt["identity_sid"], attempt
    assert policy["server"] == policy["proxy"] == {"allowed": ["negotiate"], "forbidden": ["ntlm"]}, policy
    assert "offers Negotiate; was answered with Negotiate" in words, words
    asked = origin.requests()[seen:]
    assert asked and all(one.method == "HEAD" for one in asked), asked
    assert "alice@FERRY.TEST" in {one.user for one in asked}, asked
    attempt, _, words = scene.ask(tls.url("t.bin"))
    assert attempt["tls"] in ("TLSv1.2", "TLSv1.3") and attempt["tls"] in words, attempt
    assert attempt["auth"]["proxy"] == {"offers": ["negotiate"], "answered_with": ["negotiate"]}, attempt
    assert "does not ask who you are" in words, words
    scene.close()


def trial__what_is_wrong_is_told():
    scene = Scene(authentication=EVERYWHERE, proxy={"table": ["*.localhost direct"]}, tls=TRUSTED)
    attempt, _, _ = scene.ask(origin.url("a.bin", "basic"), code=2)
    assert attempt["error"]["result"] == "AUTH_SCHEME" and attempt["auth"]["server"]["offers"] == ["basic"], attempt
    attempt, _, words = scene.ask(origin.url("no-such-file", "open") + "?token=sesame", code=2)
    assert attempt["error"]["result"] == "HTTP_STATUS" and attempt["http_status"] == 404, attempt
    assert attempt["url"].endswith("/open/no-such-file?...") and attempt["url"] in words, attempt
    attempt, _, _ = scene.ask(tls.url("t.bin", "expired"), code=2)
    assert attempt["error"]["result"] == "CERTIFICATE" and attempt["http_status"] == 0, attempt
    attempt, _, _ = scene.ask("http://127.0.0.1:9/a", code=2)
    assert attempt["error"]["result"] == "CONNECT_FAILED" and attempt["http_status"] == 0, attempt
    attempt, _, _ = scene.ask(origin.url("a.bin", "open"), "--proxy", "127.0.0.1:9", code=2)
    assert attempt["error"]["result"] == "CONNECT_FAILED" and attempt["proxy"] == "http://127.0.0.1:9", attempt
    away = Redirector(origin.url("a.bin", "open"))
    attempt, _, _ = scene.ask(away.url("x"))
    assert attempt["url"] == origin.url("a.bin", "open"), attempt
    away.location = origin.url("a.bin")
    attempt, _, _ = scene.ask(away.url("x"), code=2)
    assert attempt["error"]["result"] == "UNAUTHORIZED" and not attempt["auth"]["server"]["answered_with"], attempt
    away.close()
    for wrong in ("ftp://a/b", "http://user:sesame@h/", "C:\\a"):
        done = scene.run("auth", "test", wrong, check=False)
        assert done.returncode == 4 and "sesame" not in done.stderr, done
    done = scene.run("auth", "test", "--proxy", "socks5://p:1", origin.url("a.bin"), check=False)
    assert done.returncode == 4 and "params.by_proxy" in done.stderr, done
    scene.close()
    scene = Scene(os.path.join(folder, "missing"), EVERYWHERE)
    attempt, _, words = scene.ask(origin.url("a.bin"), code=2)
    assert attempt["error"]["result"] == "NO_TICKET" and attempt["words"], attempt
    assert attempt["words"] in words, words
    scene.close()
    scene = Scene()
    attempt, policy, _ = scene.ask(origin.url("a.bin"))
    assert attempt["auth"]["server"]["answered_with"] == ["negotiate"], "he asks for himself, whatever jobs may"
    scene.close()


def history__tells_each_kind_of_attempt_once():
    scene = Scene(authentication={}, proxy={"table": ["*.localhost direct"]})
    paths = [native(os.path.join(scene.landed, f"{i}.bin")) for i in range(4)]
    pairs = [word for path in paths for word in (origin.url("a.bin", "open"), path)]
    scene.run("submit", "--name", "Many", *pairs)
    told = scene.history("Many")
    assert len(told) == 1 and told[0]["count"] == 4 and told[0]["http_status"] == 200, told
    assert told[0]["auth"]["server"] == {"offers": [], "answered_with": []} and told[0]["error"] is None, told
    failed = scene.run("submit", "--name", "Asked", origin.url("a.bin"), native(os.path.join(scene.landed, "b.bin")), check=False)
    assert failed.returncode == 2, failed
    scene.run("credentials", "set", "--target", "server", "--scheme", "negotiate", "Asked")
    scene.run("resume", "Asked")
    scene.run("wait", "--timeout", "60", "Asked")
    told = scene.history("Asked")
    assert [one["error"] and one["error"]["result"] for one in told] == ["UNAUTHORIZED", None], told
    assert told[0]["auth"]["server"] == {"offers": ["negotiate"], "answered_with": []}, told
    assert told[1]["auth"]["server"]["answered_with"] == ["negotiate"], told
    before = scene.history("Asked")
    scene.kill()
    scene.start()
    assert scene.history("Asked") == before
    words = scene.run("history", "Many", "Asked").stdout
    assert "4 times until" in words and "UNAUTHORIZED" in words, words
    scene.close()


run(trial__tells_the_whole_way_and_downloads_nothing,
    trial__what_is_wrong_is_told,
    history__tells_each_kind_of_attempt_once)
