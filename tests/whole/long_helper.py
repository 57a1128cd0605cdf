"""Tokens are lent, cleared and flagged while files are made and published, by several owners at once: under ThreadSanitizer
what matters is that it says nothing, everywhere that every file is whose it must be and right.
"""
import os
import random
import sys
import time
import traceback

from ground import GROUND, Identity, run, sha256, skip
from play import Play
from wire import Wire

if GROUND != "linux":
    skip("Wine has one user: tests/peer lends tokens there")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")
SECONDS, CLIENTS, FILES = 60, 4, 4
FINAL = ("ACKNOWLEDGED", "CANCELLED")


def disturb(wire, helper, handle, dice, flips):
    """One thing that an owner may do at any moment; whether it is taken depends on the job's state."""
    deed = dice.choice(("lend", "lend", "lend", "clear", "flags", "flags", "resume", "resume", "suspend", "complete", "cancel",
                        "get", "preflight"))
    if deed == "lend":
        return wire.call("job.setHelperToken", by=helper, handle=handle, sid=f"uid:{helper.uid}", logon_id="0x0")
    if deed == "flags":
        return wire.call("job.setHelperTokenFlags", handle=handle,
                         flags=dice.choice(([], ["local-file"], ["network"], ["local-file", "network"]) if flips else
                                           (["local-file"], ["local-file", "network"])))
    if deed == "cancel" and dice.random() < 0.7:
        return None
    method = {"clear": "job.clearHelperToken"}.get(deed, "job." + deed)
    return wire.call(method, handle=handle)


def one_owner(play, owner, helper, folder, seed):
    """Every second owner changes whose the files are, too."""
    flips = seed % 2 == 0
    dice, wire = random.Random(seed), Wire(play.ferry, owner, validate=False)
    end, jobs, landed, names = time.monotonic() + SECONDS, 0, 0, {}
    while time.monotonic() < end:
        files = []
        for i in range(FILES):
            name = f"{owner.uid}-{jobs}-{i}.bin"
            names[name] = f"{i}.bin"
            files.append({"url": play.nginx.url(f"{i}.bin"), "path": os.path.join(folder, name)})
        handle = wire.ok("job.create", name="churn", auto_complete=True, files=files,
                         on_token_loss=dice.choice(("error", "wait")))["handle"]
        wire.call("job.setHelperToken", by=helper, handle=handle, sid=f"uid:{helper.uid}", logon_id="0x0")
        wire.ok("job.setHelperTokenFlags", handle=handle, flags=["local-file"])
        wire.call("job.resume", handle=handle)
        for _ in range(dice.randrange(20)):
            disturb(wire, helper, handle, dice, flips)
        # Whatever it was left in, with all that it needs it ends.
        state, until = "", time.monotonic() + 60
        while state not in FINAL:
            assert time.monotonic() < until, wire.job(handle)
            wire.call("job.setHelperToken", by=helper, handle=handle, sid=f"uid:{helper.uid}", logon_id="0x0")
            wire.call("job.resume", handle=handle)
            time.sleep(0.02)
            state = wire.job(handle)["state"]
        jobs += 1
        landed += state == "ACKNOWLEDGED"
        if jobs % 50 == 0:  # handles are the connection's
            wire.close()
            wire = Wire(play.ferry, owner, validate=False)
    wire.close()
    for name in os.listdir(folder):
        if name in names:
            path = os.path.join(folder, name)
            assert os.stat(path).st_uid in ((owner.uid, helper.uid) if flips else (helper.uid,)), (path, os.stat(path))
            assert sha256(path) == sha256(os.path.join(play.nginx.www, names[name])), path
    assert jobs > 5 and landed > 0, (jobs, landed)
    print(f"{jobs} jobs, {landed} landed", flush=True)


def tokens_come_and_go_while_files_are_made_and_published__each_is_whose_it_must_be():
    play = Play({"queue": {"finished_per_owner_max": 100000}, "worker": {"idle_s": 1}})
    shared = play.folder(play.daemon, "shared", mode=0o1777)
    for i in range(FILES):
        play.nginx.file(f"{i}.bin", 1 + i * 50000)
    seed = int(os.environ.get("FERRY_SEED", random.randrange(1 << 30)))
    print(f"FERRY_SEED={seed}", flush=True)
    children = []
    for i in range(CLIENTS):
        owner, helper = Identity(), Identity()
        child = os.fork()
        if child == 0:  # root, which speaks as one or the other
            try:
                one_owner(play, owner, helper, shared, seed + i)
                code = 0
            except BaseException:
                traceback.print_exc()
                code = 1
            sys.stdout.flush()
            os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * CLIENTS, codes
    play.end()


def ticket__presented_after_its_30_seconds__is_void():
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"))
    asked = play.wire.ok("job.helperTicket", handle=handle)
    helper = Wire(play.ferry, play.helper)
    time.sleep(asked["valid_s"] + 1)
    helper.refused("BAD_TICKET", "helper.present", ticket=asked["ticket"])
    assert play.wire.job(handle)["helper"]["sid"] is None
    helper.close()
    play.end()


run(ticket__presented_after_its_30_seconds__is_void,
    tokens_come_and_go_while_files_are_made_and_published__each_is_whose_it_must_be)
