"""Kerberos under identities of threads: libcurl, by GSSAPI, speaks for the uid of the thread that calls it."""
import atexit
import os
import shutil
import tempfile

from rig import ApacheOrigin, Kdc
from rig.fetching import fetch_as
from ground import GROUND, MAY_CHANGE_IDS, Identity, as_identity, run, skip

if GROUND != "linux":
    skip("Wine's Kerberos speaks for the one Unix user: rig.ssp_threads shows whom libcurl speaks for there")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")
TIMES = 50

folder = tempfile.mkdtemp(prefix="ferry-gss-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
kdc = Kdc(os.path.join(folder, "kdc"))
origin = ApacheOrigin(os.path.join(folder, "apache"), kdc)
url = origin.file("a.bin", 1000)
a, b = Identity(), Identity()
kdc.give("alice", a)
kdc.give("bob", b)


def check_each_is_served_as_itself(start):
    users = fetch_as("negotiate", "own", origin, url, (a.uid, b.uid), {"KRB5_CONFIG": kdc.config}, TIMES, start)
    assert users == {a.uid: {"alice@FERRY.TEST": TIMES}, b.uid: {"bob@FERRY.TEST": TIMES}}, users


def two_uids_of_one_process__each_is_served_as_its_own_principal():
    check_each_is_served_as_itself([])


def daemons_own_uid_and_capabilities__do_not_make_kerberos_deaf_to_its_environment():
    check_each_is_served_as_itself(as_identity(Identity(), MAY_CHANGE_IDS, os.environ))


run(two_uids_of_one_process__each_is_served_as_its_own_principal,
    daemons_own_uid_and_capabilities__do_not_make_kerberos_deaf_to_its_environment)
