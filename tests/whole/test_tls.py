"""What a job wants of its https servers: client certificates, what is ignored of the server's, redirects; either ground."""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import GROUND, Bridge, Ferry, native, program, run, sha256, wait_until
from rig import NginxTls, Redirector
from rig.tls import PFX_PASSWORD

folder = tempfile.mkdtemp(prefix="ferry-tls-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
tls = NginxTls(os.path.join(folder, "tls"))
tls.file("t.bin", 300000)
TRUSTED = {"ca_files": [f"localhost {native(tls.ca)}", f"*.localhost {native(tls.ca)}"], "revocation": 0}
ALL = ["host-name", "date", "authority", "usage"]


class Scene(Ferry):
    def __init__(self, **settings):
        super().__init__({"tls": TRUSTED | settings})
        self.start()
        self.number = 0

    def fetch(self, url, *options, **properties):
        """What the error of a job that fetches this says, with its result; None if the file landed."""
        self.number += 1
        path, name = os.path.join(self.landed, f"{self.number}.bin"), f"Job {self.number}"
        if properties:
            bridge = Bridge(self)
            bridge.hello()
            files = [{"url": url, "path": native(path)}]
            handle = bridge.ok("job.create", name=name, auto_complete=True, files=files, **properties)["handle"]
            bridge.ok("job.resume", handle=handle)
            wait_until(lambda: bridge.ok("job.get", handle=handle, limit=0)["job"]["state"] in ("ACKNOWLEDGED", "ERROR"), 60, name)
            bridge.close()
        else:
            try:
                self.run("submit", "--name", name, *options, url, native(path), check=False)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"it does not end: {self.jobs()} {self.events()[-8:]} {tls.requests()[-4:]}")
        job = self.json("show", name)[0]["job"] if self.state(name) != "ACKNOWLEDGED" else None
        if job is None:
            assert sha256(path) == sha256(os.path.join(tls.www, "t.bin"))
            return None
        self.run("cancel", name, check=False)
        return f'{job["error"]["result"]}: {job["error"]["message"]}'

    def state(self, name):
        return [job["state"] for job in self.jobs() if job["name"] == name][0]


def shown(before):
    """Whose certificates the server was shown since."""
    return [seen.user for seen in tls.requests()[before:]]


def redirects__refused__go_nowhere():
    away = Redirector(tls.url("t.bin"))
    scene = Scene()
    assert scene.fetch(away.url()) is None
    before = len(tls.requests())
    error = scene.fetch(away.url(), "--no-redirects")
    assert error.startswith("REDIRECT_REFUSED: ") and "follows no redirects" in error, error
    assert len(tls.requests()) == before
    assert scene.fetch(tls.url("t.bin"), "--no-redirects") is None
    scene.close()
    away.close()


def ignored__is_what_the_configuration_allows_for_the_host_and_no_more():
    scene = Scene(may_ignore=["localhost"])
    wrong = tls.url("t.bin", "wrong_host")
    assert scene.fetch(wrong).startswith("CERTIFICATE: ")
    assert scene.fetch(wrong, tls_ignore=["host-name"]) is None
    assert scene.fetch(tls.url("t.bin", "expired"), tls_ignore=["host-name"]).startswith("CERTIFICATE: ")
    assert scene.fetch(tls.url("t.bin", "expired"), tls_ignore=ALL) is None
    assert scene.fetch(wrong, tls_ignore=ALL) is None
    assert scene.fetch(wrong).startswith("CERTIFICATE: "), "what one job ignores is nothing to the next"
    error = scene.fetch(tls.url("t.bin", "wrong_host", "a.localhost"), tls_ignore=ALL)
    assert error.startswith("CERTIFICATE: ") and "tls.may_ignore does not name the server" in error, error
    # Nothing of it goes along to another origin.
    away = Redirector(wrong)
    assert scene.fetch(away.url().replace("127.0.0.1", "localhost"), tls_ignore=ALL).startswith("CERTIFICATE: ")
    away.close()
    scene.close()
    scene = Scene(may_ignore=["localhost"], ca_files=[f"localhost {native(tls.other_ca)}"])
    assert scene.fetch(tls.url("t.bin"), tls_ignore=["host-name"]).startswith("CERTIFICATE: ")
    assert scene.fetch(tls.url("t.bin"), tls_ignore=ALL) is None
    scene.close()


def ignored__certificates__still_have_the_pinned_key():
    for pin, lands in ((tls.pin, True), ("sha256//" + "A" * 43 + "=", False)):
        scene = Scene(may_ignore=["localhost"], pins=[f"localhost {pin}"])
        error = scene.fetch(tls.url("t.bin", "expired"), tls_ignore=ALL)
        assert error is None if lands else error.startswith("CERTIFICATE: "), error
        scene.close()


def client_certificates__where_there_are_none__are_not_supported():
    scene = Scene()
    done = scene.run("submit", "--client-certificate", "current-user\\MY\\alice", tls.url("t.bin", "client"),
                     scene.destination("a.bin"), check=False)
    assert done.returncode != 0 and "NOT_SUPPORTED" in done.stderr, done
    scene.close()


def revocation__that_nobody_here_can_tell_of__is_what_the_configuration_says():
    for trusted in ({}, {"ca_files": []}):  # by a private authority, and as the machine has it
        scene = Scene(revocation=1, **trusted)
        assert scene.fetch(tls.url("t.bin")) is None
        scene.close()
        scene = Scene(revocation=2, **trusted)
        before = len(tls.requests())
        error = scene.fetch(tls.url("t.bin"), "--no-progress-timeout", "0")
        assert error.startswith("NO_PROGRESS: "), error
        assert "CERTIFICATE_UNCHECKED" in str(scene.events()), scene.events()
        assert len(tls.requests()) == before, "not asked for anything"
        scene.close()


def own(verb, location="current-user", store="MY", pfx=None):
    subprocess.run([*program("tests/own_certificate"), verb, native(pfx or tls.client_pfx), PFX_PASSWORD, location, store],
                   check=True, timeout=60)


def own_alone(location="current-user", store="MY"):
    own("remove", location, store)  # those of a run that broke off
    own("add", location, store)


def client_certificate__is_shown_to_the_jobs_own_servers_alone():
    own_alone()
    scene = Scene()
    url = tls.url("t.bin", "client")
    try:
        before = len(tls.requests())
        assert scene.fetch(url).startswith("HTTP_STATUS: "), "without one"
        assert shown(before) == [None]
        before = len(tls.requests())
        for who in (f"MY\\{tls.client_sha1}", f"MY\\{tls.client_sha1.upper()}", "alice"):
            assert scene.fetch(url, "--client-certificate", f"current-user\\{who}") is None, who
        assert shown(before) == ["CN=alice"] * 3
        before = len(tls.requests())
        assert scene.fetch(url).startswith("HTTP_STATUS: "), "nor over the connection of another job"
        away = Redirector(url)
        assert scene.fetch(away.url(), "--client-certificate", "current-user\\alice").startswith("HTTP_STATUS: ")
        away.close()
        assert shown(before) == [None, None]
        # One that is valid longer, and for servers, is not taken for a name that says nothing of that.
        own("add", pfx=tls.not_client_pfx)
        assert scene.fetch(url, "--client-certificate", "current-user\\alice") is None
    finally:
        own("remove")
    for who in ("alice", f"MY\\{tls.client_sha1}", "ali", "SPC\\alice"):
        error = scene.fetch(url, "--client-certificate", f"current-user\\{who}")
        assert error.startswith("CLIENT_CERTIFICATE: "), error
    own("add", pfx=tls.not_client_pfx)
    try:
        error = scene.fetch(url, "--client-certificate", "current-user\\alice")
        assert error.startswith("CLIENT_CERTIFICATE: ") and "not for clients" in error, error
    finally:
        own("remove")
    done = scene.run("submit", "--client-certificate", "local-machine\\Remote Desktop\\alice", url, scene.destination("r.bin"), check=False)
    assert done.returncode != 0 and "a store that is not MY, CA, ROOT or SPC" in done.stderr, done
    scene.close()


def client_certificate_of_the_machine__and_a_helper_for_the_network():
    own_alone("local-machine", "SPC")
    scene = Scene()
    url = tls.url("t.bin", "client")
    machine = f"local-machine\\SPC\\{tls.client_sha1}"
    try:
        assert scene.fetch(url, "--client-certificate", machine) is None
    finally:
        own("remove", "local-machine", "SPC")
    for number, certificate in enumerate(("current-user\\alice", machine)):
        name = f"Helped {number}"
        scene.run("submit", "--suspended", "--name", name, "--client-certificate", certificate, url, scene.destination(name))
        done = scene.run("helper", "flags", name, "network", check=False)
        assert (done.returncode == 0) == (number == 1), done
        assert number == 1 or "local-machine" in done.stderr, done.stderr
    bridge = Bridge(scene)
    bridge.hello()
    job = [job["id"] for job in scene.jobs() if job["name"] == "Helped 1"][0]
    handle = bridge.ok("job.open", job=job)["handle"]
    refused = bridge.call("job.setProperties", handle=handle, client_certificate="current-user\\alice")
    assert refused["error"]["data"]["result"] == "INVALID_STATE", refused
    assert bridge.ok("job.setProperties", handle=handle, client_certificate=None)["job"]["client_certificate"] is None
    bridge.close()
    scene.close()


run(redirects__refused__go_nowhere,
    ignored__is_what_the_configuration_allows_for_the_host_and_no_more,
    ignored__certificates__still_have_the_pinned_key,
    *([client_certificates__where_there_are_none__are_not_supported] if GROUND == "linux" else
      [revocation__that_nobody_here_can_tell_of__is_what_the_configuration_says,
       client_certificate__is_shown_to_the_jobs_own_servers_alone,
       client_certificate_of_the_machine__and_a_helper_for_the_network]))
