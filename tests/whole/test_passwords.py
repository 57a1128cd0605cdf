"""Users and passwords of a job's own: NTLM, Basic and Negotiate to servers and proxies that verify them; and nobody finds one.

The Windows program under Wine, by SSPI: on the Linux ground nothing can be sealed.
"""
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import GROUND, Bridge, Ferry, native, not_shown, program, run, sha256, skip, wait_until
from rig import PASSWORDS, ApacheOrigin, Kdc, NginxTls, NtlmServer, Redirector

if GROUND == "linux":
    skip("passwords cannot be sealed on this ground: Wine shows them")

folder = tempfile.mkdtemp(prefix="ferry-passwords-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
SIZE = 300000
ntlm = NtlmServer(os.path.join(folder, "ntlm"))
proxy = NtlmServer(os.path.join(folder, "proxy"), proxy=True)
ntlm.file("a.bin", SIZE)
THROUGH = {"table": [f"* http://proxy.localhost:{proxy.port}"]}
NTLM = {"ntlm": ["*"]}
ALONE = "alone.localhost"  # the account is kept for this host, and other tests have the same account
MARKED = "sesame-wrong-M4rk3d"


class Scene(Ferry):
    def __init__(self, authentication=(), proxy=(), environment=(), tls=()):
        super().__init__({"authentication": dict(authentication), "proxy": dict(proxy), "tls": dict(tls)})
        self.environment.update(environment)
        self.number = 0
        self.begin()

    def begin(self):
        self.start()
        self.bridge = Bridge(self)
        self.bridge.ok("hello", protocol=1, client="test")

    def again(self):
        self.kill()
        self.bridge.process.stdin.close()
        self.bridge.process.wait(20)
        self.begin()

    def job(self, url, *credentials):
        """A job with these (target, scheme, user, password), under way; its handle and where it lands."""
        self.number += 1
        path = os.path.join(self.landed, f"{self.number}.bin")
        handle = self.bridge.ok("job.create", name=f"J{self.number}", auto_complete=True, retry_delay_s=5,
                                files=[{"url": url, "path": self.destination(f"{self.number}.bin")}])["handle"]
        for target, scheme, user, password in credentials:
            self.bridge.ok("job.setCredentials", handle=handle, target=target, scheme=scheme, user=user, password=password)
        self.bridge.ok("job.resume", handle=handle)
        return handle, path

    def status(self, handle):
        return self.bridge.ok("job.get", handle=handle)["job"]

    def lands(self, url, *credentials, served=ntlm):
        handle, path = self.job(url, *credentials)
        job = wait_until(lambda: self.over(handle), 30, "the job has ended")
        assert job["state"] == "ACKNOWLEDGED", job
        assert sha256(path) == sha256(os.path.join(served.www, "a.bin"))
        assert job["credentials"] == [], job

    def over(self, handle):
        job = self.status(handle)
        return job if job["state"] in ("ACKNOWLEDGED", "ERROR") else None

    def fails(self, url, result, *words, credentials=()):
        handle, _ = self.job(url, *credentials)
        job = wait_until(lambda: self.over(handle), 30, "the job has ended")
        assert (job["state"], (job["error"] or {}).get("result")) == ("ERROR", result), job
        for word in words:
            assert word in job["error"]["what"], job["error"]
        self.bridge.ok("job.cancel", handle=handle)

    def close(self):
        if hasattr(self, "bridge"):
            self.bridge.process.stdin.close()
            self.bridge.process.wait(20)
        super().close()


def alice(target, scheme, password=PASSWORDS["alice"], user="FERRY\\alice"):
    return target, scheme, user, password


def ntlm__origin_proxy_and_both():
    scene = Scene(NTLM)
    scene.lands(ntlm.url("a.bin"), alice("server", "ntlm"))
    assert {seen.user for seen in ntlm.requests() if seen.status == 200} == {"FERRY\\alice"}
    scene.close()
    scene = Scene(NTLM, THROUGH)
    scene.lands(ntlm.url("a.bin"), alice("server", "ntlm"), ("proxy", "ntlm", "FERRY\\bob", PASSWORDS["bob"]))
    assert {seen.user for seen in proxy.requests() if seen.status == 200} == {"FERRY\\bob"}
    scene.fails(ntlm.url("a.bin"), "PROXY_UNAUTHORIZED", "the proxy asks for NTLM", credentials=[alice("server", "ntlm")])
    scene.close()


def ntlm__what_is_wrong_is_told():
    scene = Scene(NTLM)
    scene.fails(ntlm.url("a.bin"), "UNAUTHORIZED", "refused NTLM as the job's user", credentials=[alice("server", "ntlm", MARKED)])
    ntlm.mode = "refuse"
    scene.fails(ntlm.url("a.bin"), "UNAUTHORIZED", "refused NTLM", credentials=[alice("server", "ntlm")])
    ntlm.mode = "normal"
    scene.close()
    scene = Scene({"ntlm": ["elsewhere.example"]})
    scene.fails(ntlm.url("a.bin"), "AUTH_SCHEME", "offers NTLM", "does not allow it NTLM", credentials=[alice("server", "ntlm")])
    scene.close()


def ntlm__proxy_drops_the_second_leg__is_tried_again():
    secure = NginxTls(os.path.join(folder, "tls"))
    secure.file("a.bin", SIZE)
    scene = Scene(NTLM, THROUGH, tls={"ca_files": [f"localhost {native(secure.ca)}"], "revocation": 0})
    for url in (ntlm.url("a.bin"), secure.url("a.bin")):
        drops_and_comes_back(scene, url)
    scene.fails(secure.url("a.bin"), "PROXY_UNAUTHORIZED", "refused NTLM", credentials=[alice("proxy", "ntlm", MARKED)])
    scene.close()


def drops_and_comes_back(scene, url):
    proxy.mode = "drop"
    handle, path = scene.job(url, alice("server", "ntlm"), alice("proxy", "ntlm"))
    job = wait_until(lambda: scene.status(handle) if scene.status(handle)["error"] else None, 30, "the connection broke off")
    assert job["state"] == "TRANSIENT_ERROR", job
    proxy.mode = "normal"
    wait_until(lambda: scene.status(handle)["state"] == "ACKNOWLEDGED", 40, "it is tried again")
    assert os.path.getsize(path) == SIZE


def ntlm__a_redirect_does_not_ride_on_a_connection_that_is_logged_on():
    away = Redirector(ntlm.url("a.bin"))
    scene = Scene(NTLM)
    handle = scene.bridge.ok("job.create", name="R", files=[{"url": ntlm.url("a.bin"), "path": scene.destination("r.bin")}])["handle"]
    scene.bridge.ok("job.setCredentials", handle=handle, target="server", scheme="ntlm", user="FERRY\\alice",
                    password=PASSWORDS["alice"])
    scene.bridge.ok("job.resume", handle=handle)
    wait_until(lambda: scene.status(handle)["state"] == "TRANSFERRED", 30, "it came, and the connection is kept")
    before = len(ntlm.requests())
    scene.bridge.ok("job.addFiles", handle=handle, files=[{"url": away.url(), "path": scene.destination("s.bin")}])
    scene.bridge.ok("job.resume", handle=handle)
    job = wait_until(lambda: scene.over(handle), 30, "it is told")
    assert job["error"]["result"] == "UNAUTHORIZED" and "no credentials" in job["error"]["what"], job
    assert [seen.status for seen in ntlm.requests()[before:]] == [401], ntlm.requests()[before:]
    scene.close()
    away.close()


def basic__in_the_clear_only_where_it_is_said():
    plain = NtlmServer(os.path.join(folder, "basic"), schemes=('Basic realm="x"',))
    plain.file("a.bin", SIZE)
    scene = Scene()
    scene.fails(plain.url("a.bin"), "AUTH_SCHEME", "offers Basic", credentials=[alice("server", "basic", user="alice")])
    assert plain.tokens == [], plain.tokens
    scene.close()
    scene = Scene({"basic_in_clear": ["localhost"]})
    scene.lands(plain.url("a.bin"), alice("server", "basic", user="alice"), served=plain)
    scene.close()
    scene = Scene({"basic_in_clear": ["localhost"], "schemes": ["digest", "negotiate"]})
    scene.fails(plain.url("a.bin"), "AUTH_SCHEME", "authentication.* does not allow it Basic", credentials=[alice("server", "basic", user="alice")])
    scene.close()


def both(target, user="FERRY\\alice", password=PASSWORDS["alice"]):
    return [(target, scheme, user, password) for scheme in ("negotiate", "ntlm")]


def negotiate__is_never_ntlm():
    """Without Kerberos Wine's Negotiate takes NTLM, as Windows' does, and these would be let in by it."""
    origin = NtlmServer(os.path.join(folder, "negotiate"), schemes=("Negotiate",))
    between = NtlmServer(os.path.join(folder, "negotiating"), proxy=True, schemes=("Negotiate",))
    origin.file("a.bin", SIZE)
    scene = Scene(NTLM)
    scene.fails(origin.url("a.bin"), "NO_TICKET", "the server offers Negotiate, and Negotiate as the job's user would be NTLM here",
                "authentication.ntlm", credentials=both("server"))
    scene.close()
    scene = Scene(NTLM, {"table": [f"* http://proxy.localhost:{between.port}"]})
    scene.fails(origin.url("a.bin"), "NO_TICKET", "the proxy offers Negotiate, and", credentials=both("proxy"))
    scene.close()
    assert origin.tokens == between.tokens == [], (origin.tokens, between.tokens)


def negotiate__that_cannot_begin_leaves_ntlm_where_that_may_be():
    offers = ("Negotiate", "NTLM")
    origin = NtlmServer(os.path.join(folder, "offers"), schemes=offers)
    between = NtlmServer(os.path.join(folder, "offering"), proxy=True, schemes=offers)
    through = {"table": [f"* http://proxy.localhost:{between.port}"]}
    secure = NginxTls(os.path.join(folder, "tunnelled"))
    for server in (origin, secure):
        server.file("a.bin", SIZE)
    scene = Scene(NTLM)
    scene.lands(origin.url("a.bin"), *both("server"), served=origin)
    scene.fails(origin.url("a.bin"), "UNAUTHORIZED", "refused NTLM", credentials=both("server", password=MARKED))
    scene.close()
    scene = Scene(NTLM, through, tls={"ca_files": [f"localhost {native(secure.ca)}"], "revocation": 0})
    scene.lands(origin.url("a.bin"), *both("server"), *both("proxy"), served=origin)
    scene.lands(secure.url("a.bin"), *both("proxy"), served=secure)
    scene.close()
    scene = Scene()
    scene.fails(origin.url("a.bin"), "NO_TICKET", "would be NTLM", credentials=both("server"))
    scene.close()
    said = {scheme for _, scheme, _ in origin.tokens + between.tokens}
    assert said == {"NTLM"}, said


def ntlm__as_the_network_identity_without_a_password():
    origin = NtlmServer(os.path.join(folder, "implicit"), schemes=("Negotiate", "NTLM"))
    origin.file("a.bin", SIZE)
    try:
        subprocess.run([*program("tests/logon"), ALONE, "FERRY\\alice"], input=PASSWORDS["alice"] + "\n", text=True, check=True,
                       timeout=60)
        scene = Scene({"implicit_servers": [ALONE], "ntlm": [ALONE]})
        scene.lands(ntlm.url("a.bin", ALONE))
        scene.lands(origin.url("a.bin", ALONE), served=origin)
        assert {seen.user for seen in origin.requests() if seen.status == 200} == {"FERRY\\alice"}
        scene.close()
        scene = Scene({"implicit_servers": [ALONE]})
        scene.fails(ntlm.url("a.bin", ALONE), "AUTH_SCHEME", "offers NTLM")
        scene.fails(origin.url("a.bin", ALONE), "NO_TICKET", "Negotiate as the network identity would be NTLM here")
        scene.close()
    finally:
        subprocess.run([*program("tests/logon"), ALONE], check=True, timeout=60)
    assert {scheme for _, scheme, _ in origin.tokens} == {"NTLM"}, origin.tokens


def negotiate__that_was_refused_is_not_tried_by_ntlm():
    kdc = Kdc(os.path.join(folder, "other-kdc"))
    origin = NtlmServer(os.path.join(folder, "refuses"), schemes=("Negotiate", "NTLM"))
    origin.file("a.bin", SIZE)
    scene = Scene(NTLM, environment={"KRB5_CONFIG": kdc.config, "KRB5CCNAME": "FILE:" + os.path.join(folder, "refused")})
    scene.fails(origin.url("a.bin"), "UNAUTHORIZED", "refused Negotiate", credentials=both("server", user="FERRY.TEST\\alice"))
    assert {(scheme, kind) for _, scheme, kind in origin.tokens} == {("Negotiate", None)}, origin.tokens
    scene.close()


def kerberos__with_a_password_and_digest():
    kdc = Kdc(os.path.join(folder, "kdc"))
    apache = ApacheOrigin(os.path.join(folder, "apache"), kdc)
    apache.file("a.bin", SIZE)
    scene = Scene(environment={"KRB5_CONFIG": kdc.config, "KRB5CCNAME": "FILE:" + os.path.join(folder, "made")})
    scene.lands(apache.url("a.bin"), alice("server", "negotiate", user="FERRY.TEST\\alice"), served=apache)
    assert {seen.user for seen in apache.requests() if seen.status == 200} == {"alice@FERRY.TEST"}
    scene.close()
    not_shown("Digest is Windows' own WDigest, which Wine has not", "nothing; libcurl's own by rig.logins on Linux")


def passwords__are_nowhere_in_the_clear():
    """Every byte that the service leaves: the queue, its log, the key, partial files, and what it says."""
    scene = Scene(NTLM)
    word = "M4rk3d-pa55-" + "x" * 20
    handle, _ = scene.job(ntlm.url("a.bin"), ("server", "ntlm", "FERRY\\marked-user", word), ("proxy", "basic", "marked-user", word))
    wait_until(lambda: scene.over(handle), 30, "it has ended")
    said = scene.run("show", "J1").stdout + scene.run("show", "--json", "J1").stdout + scene.run("list", "--all").stdout
    said += scene.run("credentials", "remove", "--target", "proxy", "--scheme", "basic", "J1", check=False).stdout
    for text in (word, "marked-user"):
        for spelled in (text.encode(), text.encode("utf-16le")):
            for path in glob.glob(os.path.join(scene.folder, "**"), recursive=True):
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        assert spelled not in file.read(), (path, text)
        assert text not in said, said
    scene.close()


def key__damaged__fails_the_jobs_that_have_secrets_and_no_other():
    free = NginxTls(os.path.join(folder, "free"))
    free.file("a.bin", SIZE)
    scene = Scene(NTLM, tls={"ca_files": [f"localhost {native(free.ca)}"], "revocation": 0})
    path = os.path.join(scene.data, "secrets.key")
    kept = scene.bridge.ok("job.create", name="Kept", files=[{"url": ntlm.url("a.bin"), "path": scene.destination("k.bin")}])
    scene.bridge.ok("job.setCredentials", handle=kept["handle"], target="server", scheme="ntlm", user="FERRY\\alice",
                    password=PASSWORDS["alice"])
    with open(path, "rb") as file:
        key = file.read()
    for content, state, result in ((key[:-1], "ERROR", "SECRET_UNREADABLE"), (key, "TRANSFERRED", None)):
        with open(path, "wb") as file:
            file.write(content)
        scene.again()
        assert [event["id"] for event in scene.events()].count(1033) == 1, scene.events()
        scene.lands(free.url("a.bin"), served=free)
        scene.run("resume", "Kept")
        job = wait_until(lambda: [job for job in scene.jobs() if job["name"] == "Kept" and job["state"] == state], 30, state)[0]
        assert (job["error"] or {}).get("result") == result, job
        if result:
            made = scene.bridge.ok("job.create", name="Refused", files=[{"url": free.url("a.bin"), "path": scene.destination("r.bin")}])
            said = scene.bridge.call("job.setCredentials", handle=made["handle"], target="server", scheme="ntlm", user="a",
                                     password=MARKED)
            assert "SEAL_FAILED" in str(said) and "1033" in str(said) and MARKED not in str(said), said
        with open(path, "rb") as file:
            assert file.read() == content
    scene.close()


run(ntlm__origin_proxy_and_both,
    ntlm__what_is_wrong_is_told,
    ntlm__proxy_drops_the_second_leg__is_tried_again,
    ntlm__a_redirect_does_not_ride_on_a_connection_that_is_logged_on,
    basic__in_the_clear_only_where_it_is_said,
    negotiate__is_never_ntlm,
    negotiate__that_cannot_begin_leaves_ntlm_where_that_may_be,
    negotiate__that_was_refused_is_not_tried_by_ntlm,
    ntlm__as_the_network_identity_without_a_password,
    kerberos__with_a_password_and_digest,
    key__damaged__fails_the_jobs_that_have_secrets_and_no_other,
    passwords__are_nowhere_in_the_clear)
