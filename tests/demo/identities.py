#!/usr/bin/env python3
"""./demo's last act: one job as two identities, past a proxy and a server that both ask who it is.

usage: identities.py LINUX_BIN WIN64_BIN PROVED [SECONDS]

On the Linux ground, as root, where the kernel tells users apart and Kerberos principals; then under Wine, past the same
proxy and server, with the release's ferryd.exe.  Takes FERRY_WINE and WINEPREFIX from ./demo, writes to the file PROVED
what was proved and by what, and counts time from SECONDS on.
"""
import atexit
import http.client
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

LINUX_BIN, WIN64_BIN, PROVED = map(os.path.abspath, sys.argv[1:4])
BEGUN = time.monotonic() - float((sys.argv[4:] or ["0"])[0])
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "whole")]
os.environ.update(FERRY_GROUND="linux", FERRY_BIN=LINUX_BIN, FERRY_SOURCE=os.path.dirname(TESTS))
os.environ.pop("KRB5CCNAME", None)  # or everybody would have these tickets

import ground
from ground import MAY_CHANGE_IDS, Ferry, Identity, as_identity, native, sha256, wait_until
from rig import ApacheOrigin, Kdc, SquidProxy
from wire import can_read

ALICE, SIZE = "alice@FERRY.TEST", 5000000
current = "two identities"


def step(what):
    global current
    current = "two identities: " + what
    print(f"\n\033[1m[{time.monotonic() - BEGUN:.0f} s] {current}\033[0m", flush=True)


def say(*lines):
    for line in lines:
        print(f"    {line}", flush=True)


def status_for_nobody(server, target):
    """What it answers to who does not say who they are."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", target)
    return connection.getresponse().status


def listed(path):
    """As ls -l has it, without the time."""
    status = os.stat(path)
    return f"{stat.filemode(status.st_mode)} uid {status.st_uid} {status.st_size:>9} {os.path.basename(path)}"


class Domain:
    """A realm with a KDC, an origin (Apache) and a proxy (Squid) that let nobody in who has no ticket."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ferry-demo-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)
        self.kdc = Kdc(os.path.join(self.folder, "kdc"))
        self.apache = ApacheOrigin(os.path.join(self.folder, "apache"), self.kdc)
        self.squid = SquidProxy(os.path.join(self.folder, "squid"), self.kdc)
        self.apache.file("acme.bin", SIZE)
        self.url = self.apache.url("acme.bin")
        self.settings = {"proxy": {"table": [f"* {self.squid.url}"]},
                         "authentication": {"implicit_proxies": ["proxy.localhost"], "implicit_servers": ["localhost"]}}

    def show_seen(self, before):
        """Their log lines since then; each must have let in alice, and nobody else at all."""
        for name, server, known in zip(("Squid", "Apache"), (self.squid, self.apache), before):
            seen = wait_until(lambda: [one for one in server.requests()[known:] if one.status == 200] and
                              server.requests()[known:], 10, f"{name} tells of the file")
            say(*(f"{name:6} {one.status} {one.method} {one.url}  {one.user or '(nobody)'}" for one in seen))
            assert {one.user for one in seen if one.status == 200} == {ALICE}, f"{name} did not see {ALICE}"
            assert {one.user for one in seen} <= {None, ALICE}, f"{name} saw somebody else, too"

    def requests(self):
        return len(self.squid.requests()), len(self.apache.requests())

    def check_bytes(self, path):
        assert sha256(path) == sha256(os.path.join(self.apache.www, "acme.bin")), "its bytes are wrong"


class Cast:
    """Owner, helper and daemon: uids that no account has.  alice is the owner's principal, bob the helper's."""

    def __init__(self, domain):
        self.owner, self.helper, self.daemon = Identity(), Identity(), Identity()
        domain.kdc.give("alice", self.owner)
        domain.kdc.give("bob", self.helper)
        os.environ["KRB5_CONFIG"] = domain.kdc.config  # the daemon's, too
        self.ferry = Ferry(domain.settings, run_as=self.daemon)
        self.target = self.helper.folder(os.path.join(self.ferry.landed, "program-files-acme"))
        self.ferry.start()

    def owner_says(self, *arguments, check=True):
        """`ferry` as the owner, in a session of its own, as somebody who logged on would be."""
        say("owner$ ferry " + " ".join(arguments))
        done = self.ferry.run(*arguments, check=check, start_new_session=True, **self.owner.options)
        say(*(line[:150] for line in (done.stdout + done.stderr).splitlines()))
        return done

    def agent_lends(self):
        """As the owner, but with the right to log on as the helper, as an update agent would have it."""
        arguments = ["helper", "set", "Acme", "--user", f"uid:{self.helper.uid}"]
        say("agent$ ferry " + " ".join(arguments))
        command = as_identity(self.owner, MAY_CHANGE_IDS, self.ferry.environment) + self.ferry.client + arguments
        done = subprocess.run(command, env=self.ferry.environment, input="no password on this ground\n",
                              capture_output=True, text=True, timeout=20, start_new_session=True)
        assert done.returncode == 0, done.stderr
        say(*done.stdout.splitlines())


def on_linux(domain):
    step("three users on the Linux ground")
    cast = Cast(domain)
    path = os.path.join(cast.target, "acme.bin")
    say(f"owner   uid {cast.owner.uid}, in the domain {ALICE}",
        f"helper  uid {cast.helper.uid}, in the domain bob@FERRY.TEST, owns the folder where the file is to go:",
        "        " + listed(cast.target),
        f"daemon  uid {cast.daemon.uid}, in the domain nobody; may change identities, and nothing else")
    for identity in (cast.owner, cast.helper):
        say("ticket  " + listed(domain.kdc.ticket(identity.uid)))

    step("without the helper the job is refused")
    before = domain.requests()
    cast.owner_says("submit", "--suspended", "--name", "Acme", domain.url, path)
    assert cast.owner_says("resume", "Acme", check=False).returncode != 0, "it is not refused"

    step("the helper lends its identity for files; the owner asks proxy and server")
    cast.owner_says("helper", "flags", "Acme", "local-file")
    cast.agent_lends()
    cast.owner_says("preflight", "Acme")
    cast.owner_says("resume", "Acme")
    cast.owner_says("wait", "Acme", "--quiet")

    step("as whom was it asked for, and whose is what landed?")
    domain.show_seen(before)
    status = os.stat(path)
    say("file   " + listed(path))
    assert (status.st_uid, status.st_mode & 0o7777) == (cast.helper.uid, 0o600), "it is not the helper's alone"
    domain.check_bytes(path)
    for who in (cast.owner, cast.daemon):
        assert not can_read(who, path), f"uid {who.uid} can read it"
    say("Proxy and server let in alice, the owner, though bob's ticket was there; the file is the helper's alone:",
        "neither owner nor daemon can read it.  Its bytes are right.")
    _, code = cast.ferry.terminate()
    assert code == 0, cast.ferry.said()
    cast.ferry.close()
    return ["Linux  a job's file was written as its helper into a folder that is closed to all others (the kernel)",
            "Linux  proxy and server, which ask for Kerberos, saw its owner's domain identity and no other (their logs)"]


def on_wine(domain):
    step("the Windows program past the same proxy and server")
    ground.GROUND, ground.BIN = "wine", WIN64_BIN
    ticket = os.path.join(domain.folder, "ticket")
    environment = domain.kdc.kinit("alice", ticket)
    before = domain.requests()
    ferry = Ferry(domain.settings)
    ferry.environment.update(environment)
    ferry.start()
    path = os.path.join(ferry.landed, "acme.bin")
    say(f"ferryd.exe runs under Wine as uid {os.getuid()}, which has a ticket of {ALICE}",
        f"> ferry.exe submit --name Acme {domain.url} {native(path)}")
    ferry.run("submit", "--name", "Acme", "--quiet", domain.url, native(path))
    domain.show_seen(before)
    say("file   " + listed(path))
    domain.check_bytes(path)
    ferry.close()
    return ["Wine   ferryd.exe, the Windows program, answers a proxy and a server that ask for Kerberos, by SSPI (their logs)"]


def act():
    step("a domain of our own: a KDC, and a server and a proxy that ask for Kerberos")
    domain = Domain()
    statuses = status_for_nobody(domain.squid, domain.url), status_for_nobody(domain.apache, "/krb/acme.bin")
    say(f"realm   {domain.kdc.realm}, its KDC on port {domain.kdc.port}",
        f"proxy   {domain.squid.url} (Squid), to who shows no ticket: {statuses[0]}",
        f"server  {domain.url} (Apache), to who shows no ticket: {statuses[1]}")
    assert statuses == (407, 401), "they do not ask who one is"
    proved = []
    if os.getuid() == 0 and shutil.which("setpriv"):
        proved += on_linux(domain)
    else:
        print("\nSKIPPED: two identities in one job need root and setpriv (util-linux), to be several users")
    proved = on_wine(domain) + proved
    with open(PROVED, "w") as file:
        file.writelines(f"  {line}\n" for line in proved)


for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: sys.exit(1))  # by way of atexit: what was started is ended
try:
    act()
except Exception as error:
    sys.exit(f'demo: FAILED in step "{current}": {error}')
