"""Two identities in one job: asked for as its owner, written as its helper, or the other way round.

The owner may not enter the helper's folder, the daemon is neither of them and unprivileged; the kernel judges whose a file
is and whose a connection is.  What the rules say to each kind of caller stands in tests/core/test_access.c; here they are
met over the real door.
"""
import glob
import json
import os

from ground import GROUND, MIB, Identity, run, skip, wait_until
from play import Play
from wire import LARGE, ROOT, Wire, can_read, claim

if GROUND != "linux":
    skip("Wine has one user: tests/peer and tests/windows show what lent tokens do")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")


def without_the_helper__is_denied_by_the_name_of_the_file_and_leaves_nothing():
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"))
    play.wire.refused("DENIED", "job.resume", handle=handle, what="files[0].path")
    assert play.wire.job(handle)["state"] == "SUSPENDED" and os.listdir(play.helpers) == []
    assert play.judge.seen == []
    # A lent token alone changes nothing: it is the flags that say what it is for.
    play.wire.lend(play.helper, handle)
    play.wire.refused("DENIED", "job.resume", handle=handle, what="files[0].path")
    play.end()


def local_file__lands_as_the_helpers_and_is_asked_for_by_the_owner():
    play = Play(rate=2 * MIB)
    path = os.path.join(play.helpers, "a.bin")
    handle = play.create(path, size=LARGE)
    play.flags(handle, "local-file")
    job = play.wire.lend(play.helper, handle)["job"]
    assert job["helper"]["sid"] == f"uid:{play.helper.uid}" and job["helper"]["flags"] == ["local-file"], job
    assert job["identities"]["file"] == {"as": "helper", "sid": f"uid:{play.helper.uid}", "last_sid": None}, job
    assert job["identities"]["network"]["as"] == "owner", job
    found = play.wire.ok("job.preflight", handle=handle)["preflight"]
    assert found["file"] == {"as": "helper", "sid": f"uid:{play.helper.uid}", "error": None}, found
    assert found["network"] == {"as": "owner", "sid": f"uid:{play.owner.uid}"}, found
    play.wire.ok("job.resume", handle=handle)
    part = wait_until(lambda: glob.glob(os.path.join(play.helpers, ".ferry-*.part")), 20, "a partial file")[0]
    status = os.stat(part)
    assert (status.st_uid, status.st_mode & 0o7777) == (play.helper.uid, 0o600), status
    assert not can_read(play.owner, part) and not can_read(play.daemon, part)
    job = play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.helper)
    assert play.asked_by(path) == {play.owner.uid}, play.judge.seen
    assert job["identities"]["file"]["last_sid"] == f"uid:{play.helper.uid}", job
    assert job["identities"]["network"]["last_sid"] == f"uid:{play.owner.uid}", job
    assert job["helper"] == {"flags": ["local-file"], "sid": None, "last_sid": f"uid:{play.helper.uid}"}, job
    play.end()


def network__is_asked_for_by_the_helper_and_lands_as_the_owners():
    play = Play()
    path = os.path.join(play.owners, "a.bin")
    handle = play.create(path)
    play.flags(handle, "network")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.owner)
    assert play.asked_by(path) == {play.helper.uid}
    play.end()


def both__are_the_helpers_and_no_flags_the_owners_again():
    play = Play()
    theirs, own = os.path.join(play.helpers, "a.bin"), os.path.join(play.owners, "b.bin")
    both, none = play.create(theirs), play.create(own)
    for handle in (both, none):
        play.flags(handle, "network", "local-file")
        play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=both)
    play.wait(both, "ACKNOWLEDGED")
    play.check_landed(theirs, play.helper)
    assert play.asked_by(theirs) == {play.helper.uid}
    play.wire.refused("DENIED", "job.resume", handle=none, what="files[0].path")  # the helper may not enter there
    play.flags(none)
    play.wire.ok("job.resume", handle=none)
    play.wait(none, "ACKNOWLEDGED")
    play.check_landed(own, play.owner)
    assert play.asked_by(own) == {play.owner.uid}
    play.end()


def flags_change_in_the_middle__the_other_identity_goes_on():
    play = Play(rate=MIB)
    shared = play.folder(play.daemon, "shared", mode=0o1777)
    path = os.path.join(shared, "a.bin")
    handle = play.create(path, size=LARGE, on_token_loss="wait")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    wait_until(lambda: play.wire.job(handle)["bytes"]["transferred"] > MIB, 30, "it is under way")
    play.flags(handle, "network")
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.owner)
    assert play.asked_by(path) == {play.owner.uid, play.helper.uid}, play.judge.seen
    play.end()


def files_that_come_after_the_loan__need_it_again():
    play = Play(rate=2 * MIB)
    first, second = (os.path.join(play.helpers, name) for name in ("a.bin", "b.bin"))
    handle = play.create(first)
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.addFiles", handle=handle, files=[play.file(second)])
    play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=handle, what="files[1]")
    found = play.wire.ok("job.preflight", handle=handle)["preflight"]
    assert found["file"]["error"]["result"] == "TOKEN_REQUIRED", found
    assert os.listdir(play.helpers) == []
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    for path in (first, second):
        play.check_landed(path, play.helper)
    # While it runs: the other is never begun, and the covered one stops until the token is lent for both.
    for loss, state, reason in (("error", "ERROR", None), ("wait", "QUEUED", "token-required")):
        begun, added = (os.path.join(play.helpers, loss + name) for name in ("1.bin", "2.bin"))
        handle = play.create(begun, size=LARGE, on_token_loss=loss)
        play.flags(handle, "local-file")
        play.wire.lend(play.helper, handle)
        play.wire.ok("job.resume", handle=handle)
        wait_until(lambda: play.wire.job(handle)["bytes"]["transferred"] > MIB, 30, "it is under way")
        play.wire.ok("job.addFiles", handle=handle, files=[play.file(added)])
        job = play.wait(handle, state, reason)
        assert loss == "wait" or (job["error"]["result"], "files[1]" in job["error"]["what"]) == ("TOKEN_REQUIRED", True)
        assert play.asked_by(added) == set() and not os.path.exists(added) and not os.path.exists(begun)
        play.wire.lend(play.helper, handle)
        if loss == "error":
            play.wire.ok("job.resume", handle=handle)
        play.wait(handle, "ACKNOWLEDGED")
        for path in (begun, added):
            play.check_landed(path, play.helper)
    play.end()


def roots__cover_local_files_below_them_that_come_later_and_nothing_else():
    play = Play()
    below, beside = os.path.join(play.helpers, "a.bin"), os.path.join(play.owners, "b.bin")
    handle = play.wire.ok("job.create", name="later", auto_complete=True)["handle"]
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle, roots=[play.helpers])  # before there is any file, as BITS's sample does
    play.wire.ok("job.addFiles", handle=handle, files=[play.file(below)])
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(below, play.helper)

    handle = play.create(beside)
    play.flags(handle, "local-file")
    play.wire.refused("INVALID_ARGUMENT", "job.setHelperToken", by=play.helper, what="files[0]", handle=handle,
                      roots=[play.helpers], **claim(play.helper))
    for root, what in (("helpers", "params.roots[0]"), ("/", "params.roots[0]"), (play.ferry.data, "params.roots[0]")):
        play.wire.refused("BAD_DESTINATION", "job.setHelperToken", by=play.helper, what=what, handle=handle, roots=[root],
                          **claim(play.helper))
    # The root's own name lies in another folder than it.
    itself = os.path.join(play.helpers, "drop")
    handle = play.create(itself)
    play.flags(handle, "local-file")
    play.wire.refused("INVALID_ARGUMENT", "job.setHelperToken", by=play.helper, what="files[0]", handle=handle,
                      roots=[itself], **claim(play.helper))
    handle = play.wire.ok("job.create", name="later")["handle"]
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle, roots=[itself])
    play.wire.ok("job.addFiles", handle=handle, files=[play.file(itself)])
    play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=handle, what="files[0]")
    # A folder that only begins alike is another one; and what is asked as the helper is no question of folders.
    alike = play.folder(play.helper, "helpers2")
    for path, flag in ((os.path.join(alike, "c.bin"), "local-file"), (os.path.join(play.helpers, "d.bin"), "network")):
        handle = play.wire.ok("job.create", name="later")["handle"]
        play.flags(handle, flag)
        play.wire.lend(play.helper, handle, roots=[play.helpers])
        play.wire.ok("job.addFiles", handle=handle, files=[play.file(path)])
        play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=handle, what="files[0]")
    play.end()


def helpers_file_in_a_shared_folder__is_not_replaced_for_a_file_it_was_not_lent_for():
    """The owner makes a partial file as himself, then has the flags say that the helper names it."""
    play = Play()
    shared = play.folder(play.daemon, "shared", mode=0o1777)
    target = os.path.join(shared, "precious.bin")
    with open(target, "w") as file:
        file.write("the helper's")
    os.chown(target, play.helper.uid, play.helper.gid)
    handle = play.wire.ok("job.create", name="later", auto_complete=False)["handle"]
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.addFiles", handle=handle, files=[play.file(os.path.join(shared, "own.bin")), play.file(target)])
    play.wire.refused("DENIED", "job.resume", handle=handle, what="files[1].path")
    # In a folder of his own the owner's file becomes whole; the helper is to name it, and was not lent for that.
    own = os.path.join(play.owners, "x.bin")
    handle = play.wire.ok("job.create", name="later", auto_complete=False)["handle"]
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.addFiles", handle=handle, files=[play.file(own)])
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "TRANSFERRED")
    play.flags(handle, "local-file")
    play.wire.refused("INVALID_STATE", "job.complete", handle=handle, what=f"uid:{play.owner.uid}")
    play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=handle, what="files[0]")
    play.flags(handle)
    play.wire.ok("job.complete", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(own, play.owner)
    with open(target) as file:
        assert file.read() == "the helper's"
    play.end()


def rule_of_1607__over_the_door():
    play = Play()
    path = os.path.join(play.helpers, "a.bin")
    handle = play.create(path)
    # An administrator's token, whoever writes the message: what counts is who opened the job.
    data = play.wire.refused("ACCESS_REFUSED", "job.setHelperToken", by=ROOT, what="lend-not-administrators",
                             handle=handle, **claim(ROOT))
    assert data["hresult"] == "0x80070005", data
    assert any("lend-not-administrators" in text and "uid:0" in text for text in play.messages(1015))
    # An administrator opens it as himself, lends his own, for the present files only; then the owner may not say what for.
    root = Wire(play.ferry, ROOT)
    opened = root.ok("job.open", job=play.wire.job(handle)["id"])
    assert opened["rights"] == ["query", "subscribe", "control", "set-token"], opened["rights"]
    root.refused("ACCESS_REFUSED", "job.setHelperToken", what="lend-sealed", handle=opened["handle"], roots=[play.helpers],
                 **claim(ROOT))
    root.lend(ROOT, opened["handle"])
    play.wire.refused("ACCESS_REFUSED", "job.setHelperTokenFlags", what="flags-not-administrators", handle=handle,
                      flags=["local-file"])
    root.refused("ACCESS_REFUSED", "job.setHelperTokenFlags", what="flags-agreed", handle=opened["handle"],
                 flags=["local-file"])
    root.ok("job.clearHelperToken", handle=opened["handle"])
    root.ok("job.setHelperTokenFlags", handle=opened["handle"], flags=["local-file"])
    root.lend(play.helper, opened["handle"])
    root.ok("job.resume", handle=opened["handle"])
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.helper)
    # Somebody else knows of no job, and his messages on the owner's connection open none.
    other = Wire(play.ferry, play.stranger)
    other.refused("NOT_FOUND", "job.open", job=play.wire.job(handle)["id"])
    play.wire.refused("NOT_FOUND", "job.open", by=play.stranger, job=play.wire.job(handle)["id"])
    other.close()
    root.close()
    play.end()


def claim_that_is_not_so__is_refused_and_told():
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"))
    for sid, logon in ((f"uid:{play.owner.uid}", "0x0"), (f"uid:{play.helper.uid}", "0x1"), ("S-1-5-18", "0x0")):
        play.wire.refused("ACCESS_REFUSED", "job.setHelperToken", by=play.helper, what="claim", handle=handle, sid=sid,
                          logon_id=logon)
    # A client that has no dynamic tracking lends itself where it means the helper: told, not taken.
    play.wire.refused("ACCESS_REFUSED", "job.setHelperToken", what="claim", handle=handle, **claim(play.helper))
    assert play.wire.ok("job.getHelperTokenSid", handle=handle)["sid"] is None
    assert len(play.messages(1015)) == 4
    play.end()


def pinned_helper__alone_may_lend_and_attaching_is_all_he_may():
    play = Play()
    path = os.path.join(play.helpers, "a.bin")
    handle = play.create(path, pinned_helper=f"uid:{play.helper.uid}", on_token_loss="wait")
    job = play.flags(handle, "local-file")
    play.wire.refused("ACCESS_REFUSED", "job.setHelperToken", by=play.stranger, what="helper-pinned", handle=handle,
                      **claim(play.stranger))
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "QUEUED", "token-required")

    holder = Wire(play.ferry, play.helper)
    opened = holder.ok("job.open", job=job["id"])
    assert opened == {"handle": opened["handle"], "rights": ["attach"]}, opened
    for method, more in (("job.get", {}), ("job.resume", {}), ("job.cancel", {}), ("job.complete", {}), ("job.suspend", {}),
                         ("job.setProperties", {"name": "x"}), ("events.subscribe", {}), ("job.preflight", {}),
                         ("job.takeOwnership", {}), ("job.clearHelperToken", {}), ("job.getHelperTokenSid", {}),
                         ("job.getHelperTokenFlags", {}), ("job.setHelperTokenFlags", {"flags": []}),
                         ("job.replaceRemotePrefix", {"old_prefix": "http://", "new_prefix": "https://"}),
                         ("job.setCredentials", {"target": "server", "scheme": "ntlm", "user": None, "password": None}),
                         ("job.removeCredentials", {"target": "server", "scheme": "ntlm"}),
                         ("job.addFiles", {"files": [play.file(path + "2")]})):
        holder.refused("ACCESS_REFUSED", method, handle=opened["handle"], **more)
    holder.refused("ACCESS_REFUSED", "job.setHelperToken", by=play.owner, what="helper-pinned", handle=opened["handle"],
                   **claim(play.owner))
    terms = holder.lend(play.helper, opened["handle"])
    assert set(terms) == {"life", "warning"}, terms
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.helper)
    # Whoever attached agreed to what the flags were.
    handle = play.create(path + "3", pinned_helper=f"uid:{play.helper.uid}")
    opened = holder.ok("job.open", job=play.flags(handle, "local-file")["id"])
    holder.lend(play.helper, opened["handle"])
    play.wire.refused("ACCESS_REFUSED", "job.setHelperTokenFlags", what="flags-agreed", handle=handle,
                      flags=["local-file", "network"])
    play.wire.refused("INVALID_STATE", "job.setProperties", what="pinned_helper", handle=handle,
                      pinned_helper=f"uid:{play.stranger.uid}")
    holder.close()
    play.end()


def ticket__lends_whoever_presents_it_once_while_the_job_is_open():
    play = Play()
    path = os.path.join(play.helpers, "a.bin")
    handle = play.create(path)
    play.flags(handle, "local-file")
    second = Wire(play.ferry, play.helper)
    ticket = play.wire.ok("job.helperTicket", handle=handle)
    assert ticket["valid_s"] == 30 and len(ticket["ticket"]) == 32, ticket
    newer = play.wire.ok("job.helperTicket", handle=handle)
    for wrong in (ticket["ticket"], "0" * 32, newer["ticket"][:31], "f" * 32):
        second.refused("BAD_TICKET", "helper.present", ticket=wrong)
    lent = second.ok("helper.present", ticket=newer["ticket"])
    assert lent["sid"] == f"uid:{play.helper.uid}", lent
    second.refused("BAD_TICKET", "helper.present", ticket=newer["ticket"])
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.helper)
    # A refused one is used up, too; and it goes with the connection whose job it is for.
    handle = play.create(path + "2")
    ticket = play.wire.ok("job.helperTicket", handle=handle)["ticket"]
    administrator = Wire(play.ferry, ROOT)
    administrator.refused("ACCESS_REFUSED", "helper.present", what="lend-not-administrators", ticket=ticket)
    second.refused("BAD_TICKET", "helper.present", ticket=ticket)
    third = Wire(play.ferry, play.owner)
    opened = third.ok("job.open", job=play.wire.job(handle)["id"])
    ticket = third.ok("job.helperTicket", handle=opened["handle"])["ticket"]
    third.close()
    wait_until(lambda: second.call("helper.present", ticket=ticket)["error"]["data"]["result"] == "BAD_TICKET", 10, "it is void")
    secrets = [newer["ticket"], ticket]
    with open(os.path.join(play.ferry.data, "ferry.jsonl")) as file:
        log = file.read()
    assert not any(secret in log or secret in play.ferry.said() for secret in secrets)
    administrator.close()
    second.close()
    play.end()


def taken_over__runs_as_nobody_until_its_new_owner_resumes_it():
    play = Play()
    path = os.path.join(play.folder(play.daemon, "shared", mode=0o1777), "a.bin")
    handle = play.create(path)
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle)
    play.wire.ok("events.subscribe", handle=handle)
    ticket = play.wire.ok("job.helperTicket", handle=handle)["ticket"]
    play.wire.refused("ACCESS_REFUSED", "job.takeOwnership", what="take-elevated", handle=handle)
    play.wire.refused("ACCESS_REFUSED", "job.takeOwnership", by=play.helper, what="take-elevated", handle=handle)
    root = Wire(play.ferry, ROOT)
    opened = root.ok("job.open", job=play.wire.job(handle)["id"])
    job = root.ok("job.takeOwnership", handle=opened["handle"])["job"]
    assert (job["owner"], job["state"], job["pinned_helper"]) == ("uid:0", "SUSPENDED", None), job
    assert job["helper"] == {"flags": [], "sid": None, "last_sid": None}, job
    assert any(f"uid:{play.owner.uid} was taken over by uid:0" in text for text in play.messages(16388))
    # What was open before is void: nothing is added, lent or told by it.
    play.wire.notifications.clear()
    for method, more in (("job.get", {}), ("job.addFiles", {"files": [play.file(path + "2")]}), ("job.cancel", {}),
                         ("job.setHelperTokenFlags", {"flags": ["local-file"]})):
        play.wire.refused("BAD_HANDLE", method, handle=handle, **more)
    play.wire.refused("BAD_HANDLE", "job.setHelperToken", by=play.helper, handle=handle, **claim(play.helper))
    second = Wire(play.ferry, play.helper)
    second.refused("BAD_TICKET", "helper.present", ticket=ticket)
    root.ok("job.resume", handle=opened["handle"])
    play.wait(opened["handle"], "ACKNOWLEDGED", wire=root)
    assert os.stat(path).st_uid == 0 and play.asked_by(path) == {0}
    assert not any(told["params"]["job"]["id"] == job["id"] for told in play.wire.notifications), play.wire.notifications
    play.wire.refused("NOT_FOUND", "job.open", job=job["id"])
    second.close()
    root.close()
    play.end()


def service_identity__serves_only_whom_the_configuration_names_and_below_its_roots():
    owner, daemon = Identity(), Identity()
    settings = {"identity": {"service_network_owners": [f"uid:{owner.uid}"], "service_file_owners": [f"uid:{owner.uid}"]}}
    play = Play(settings)
    play.owner = owner
    own = play.folder(play.daemon, "daemons")
    wire = Wire(play.ferry, owner)
    play.wire.close()
    play.wire = wire
    wire.refused("BAD_DESTINATION", "job.create", what="service_file_roots", name="x",
                 files=[play.file(os.path.join(own, "a.bin"))])
    other = Wire(play.ferry, daemon)  # named nowhere
    handle = play.create(os.path.join(own, "b.bin"), wire=other)
    other.refused("DENIED", "job.resume", handle=handle, what="files[0].path")
    other.close()
    play.ferry.terminate()
    settings["identity"]["service_file_roots"] = [own]
    with open(os.path.join(play.ferry.data, "ferry.jsonc"), "w") as file:
        json.dump(settings, file)
    play.ferry.start()
    play.wire = Wire(play.ferry, owner)
    path = os.path.join(own, "a.bin")
    handle = play.create(path)
    job = play.wire.job(handle)
    assert {side["as"] for side in job["identities"].values()} == {"service"}, job
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    assert os.stat(path).st_uid == play.daemon.uid and play.asked_by(path) == {play.daemon.uid}
    # A helper token goes before it.
    path = os.path.join(play.helpers, "c.bin")
    handle = play.wire.ok("job.create", name="helped", auto_complete=True)["handle"]
    play.flags(handle, "local-file")
    play.wire.ok("job.addFiles", handle=handle, files=[play.file(path)])
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    assert os.stat(path).st_uid == play.helper.uid and play.asked_by(path) == {play.daemon.uid}
    play.end()


run(without_the_helper__is_denied_by_the_name_of_the_file_and_leaves_nothing,
    local_file__lands_as_the_helpers_and_is_asked_for_by_the_owner,
    network__is_asked_for_by_the_helper_and_lands_as_the_owners,
    both__are_the_helpers_and_no_flags_the_owners_again,
    flags_change_in_the_middle__the_other_identity_goes_on,
    files_that_come_after_the_loan__need_it_again,
    roots__cover_local_files_below_them_that_come_later_and_nothing_else,
    helpers_file_in_a_shared_folder__is_not_replaced_for_a_file_it_was_not_lent_for,
    rule_of_1607__over_the_door,
    claim_that_is_not_so__is_refused_and_told,
    pinned_helper__alone_may_lend_and_attaching_is_all_he_may,
    ticket__lends_whoever_presents_it_once_while_the_job_is_open,
    taken_over__runs_as_nobody_until_its_new_owner_resumes_it,
    service_identity__serves_only_whom_the_configuration_names_and_below_its_roots)
