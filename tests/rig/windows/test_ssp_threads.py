"""SSPI under identities of threads: libcurl speaks for the token of the thread that calls it, and a connection stays whose
it was, also for whoever else uses its multi handle."""
import atexit
import os
import shutil
import tempfile

from rig.fetching import fetch_as
from rig.whoami import MADE_UP, WhoamiServer, package
from ground import GROUND, run, skip

if GROUND != "wine":
    skip("only Wine loads a package of ours into the process that asks")
TIMES = 20
A, B = 1001, 1002
EACH_ITSELF = {number: {f"{MADE_UP}{number}": TIMES} for number in (A, B)}

folder = tempfile.mkdtemp(prefix="ferry-ssp-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)


def servers():
    """Origins and proxies by what they ask for, and in how many messages."""
    for scheme, legs, bound in (("NTLM", 2, True), ("Negotiate", 2, True), ("Negotiate", 1, False)):
        for proxy in (False, True):
            yield scheme, legs, WhoamiServer(tempfile.mkdtemp(dir=folder) + "/asking", scheme, bound, proxy)


def fetch(multi, scheme, legs, server):
    proxy = f"http://127.0.0.1:{server.port}" if server.proxy else None
    url = free.url("a") if server.proxy else server.url("a")
    return fetch_as(scheme.lower(), multi, server, url, (A, B), package(scheme, legs), TIMES, proxy=proxy)


def a_multi_handle_each__each_is_served_as_itself():
    for scheme, legs, server in servers():
        users = fetch("own", scheme, legs, server)
        assert users == EACH_ITSELF, (scheme, legs, server.proxy, users)


def one_multi_handle__a_connection_that_one_proved_serves_the_other():
    """The hazard that law 2 is for: should it be gone from libcurl one day, this says so."""
    for scheme, legs, server in servers():
        users = fetch("shared", scheme, legs, server)
        if legs == 1:
            assert users == EACH_ITSELF, (scheme, server.proxy, users)  # each request proves anew whose it is
        else:
            assert users[A] == users[B] and len(users[A]) == 1, (scheme, server.proxy, users)


free = WhoamiServer(os.path.join(folder, "free"), scheme=None)
run(a_multi_handle_each__each_is_served_as_itself, one_multi_handle__a_connection_that_one_proved_serves_the_other)
