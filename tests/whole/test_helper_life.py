"""How long a lent token lives, and what its end means for a job: sessions, connections, ages, restarts.

The rules are tables in tests/core/test_access.c, and every order of things is tried in tests/sim/test_tokens.c; here the
daemon is real, and so are its threads.
"""
import os
import time
import threading

from ground import GROUND, MIB, Identity, run, skip, wait_until
from play import Play
from wire import LARGE, ROOT, Wire, become, call, claim, door, hello, result, threads

if GROUND != "linux":
    skip("Wine tells of no session's end; tests/windows lists what Windows is to show")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")
TOKEN_REQUIRED = "0x80200056"


def lend_from_a_session(play, handle, helper, **params):
    """Lent by a program that logged on elsewhere: a ticket, presented in a session of its own.  That session's number."""
    ticket = play.wire.ok("job.helperTicket", handle=handle, **params)["ticket"]

    def present():
        with door() as client:
            result(hello(client, play.ferry.address))
            lent = result(call(client, "helper.present", ticket=ticket))
        return os.getsid(0), lent["life"]

    session, life = become(helper, present, session=True)
    assert life == "session", life
    return session


def running(play, loss="error", **more):
    """A job that is fetched slowly into the helper's folder, and the session that its token came from."""
    path = os.path.join(play.helpers, f"{loss}{len(os.listdir(play.nginx.www))}.bin")
    handle = play.create(path, size=LARGE, on_token_loss=loss, **more)
    play.flags(handle, "local-file")
    session = lend_from_a_session(play, handle, play.helper)
    play.wire.ok("job.resume", handle=handle)
    wait_until(lambda: play.wire.job(handle)["bytes"]["transferred"] > MIB, 30, "it is under way")
    return handle, path, session


def session_ends__its_tokens_go_and_jobs_are_in_error_or_wait_as_they_chose():
    play = Play({"worker": {"idle_s": 1}}, rate=MIB)
    failing, path, first = running(play)
    waiting, other_path, second = running(play, loss="wait")
    play.ferry.session(first)
    job = play.wait(failing, "ERROR")
    assert (job["error"]["result"], job["error"]["hresult"]) == ("TOKEN_REQUIRED", TOKEN_REQUIRED), job["error"]
    assert job["helper"]["sid"] is None and job["helper"]["last_sid"] == f"uid:{play.helper.uid}", job["helper"]
    assert any("the session it came from ended" in text for text in play.messages(1013)), play.messages(1013)
    assert any(job["id"] in text for text in play.messages(211))
    assert play.wire.job(waiting)["helper"]["sid"] is not None  # another session's
    play.ferry.session(second)
    job = play.wait(waiting, "QUEUED", "token-required")
    assert job["identities"]["file"]["sid"] is None, job["identities"]
    # Nobody wears what is gone.
    wait_until(lambda: not any(str(play.helper.uid) in thread["uids"] for thread in threads(play.ferry.process.pid)), 20,
               "the helper's threads end")
    # Recovery: lent again, then resumed; what waits goes on by itself, and goes on where it was.
    play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=failing)
    play.wire.lend(play.helper, failing)
    play.wire.ok("job.resume", handle=failing)
    play.wire.lend(play.helper, waiting)
    for handle, landed in ((failing, path), (waiting, other_path)):
        play.wait(handle, "ACKNOWLEDGED")
        play.check_landed(landed, play.helper)
    assert len(play.messages(1014)) == 2, play.messages(1014)
    assert any(status == 206 for _, status, _, _ in play.nginx.requests())
    play.end()


def ended_session__lends_nothing_until_its_number_is_given_anew():
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"))
    play.flags(handle, "local-file")
    ready, told = os.pipe(), os.pipe()

    def straggle():
        """Tries with each ticket that it is told, until one does."""
        answers = []
        with door() as client:
            result(hello(client, play.ferry.address))
            os.write(ready[1], str(os.getsid(0)).encode() + b"\n")
            while not answers or "error" in answers[-1]:
                ticket = os.read(told[0], 32).decode()
                answers.append(call(client, "helper.present", ticket=ticket))
                os.write(ready[1], b"no\n" if "error" in answers[-1] else b"yes\n")
        return answers

    def offer(lines):
        os.write(told[1], play.wire.ok("job.helperTicket", handle=handle)["ticket"].encode())
        return lines.readline() == "yes\n"

    answers = []
    straggler = threading.Thread(target=lambda: answers.extend(become(play.helper, straggle, session=True)))
    straggler.start()
    with os.fdopen(ready[0]) as lines:
        session = int(lines.readline())
        play.ferry.session(session)
        wait_until(lambda: any(f"uid:{play.helper.uid} is absent" in text for text in play.messages(1005)), 20,
                   "the daemon has heard of it")
        assert not offer(lines) and not offer(lines)
        play.ferry.session(session, ended=False)
        wait_until(lambda: offer(lines), 20, "its number is somebody else's")
    straggler.join()
    assert "lend-session" in answers[0] and "ACCESS_REFUSED" in answers[0], answers
    assert play.wire.ok("job.getHelperTokenSid", handle=handle)["sid"] == f"uid:{play.helper.uid}"
    play.end()


def owners_logoff__takes_the_helper_tokens_of_his_jobs_along():
    play = Play()
    owner = Identity()
    path = os.path.join(play.helpers, "a.bin")

    def begin():
        """As an owner who logged on, and whose program ends."""
        with door() as client:
            result(hello(client, play.ferry.address))
            made = result(call(client, "job.create", name="mine", pinned_helper=f"uid:{play.helper.uid}",
                               on_token_loss="wait", files=[play.file(path)]))
            result(call(client, "job.setHelperTokenFlags", handle=made["handle"], flags=["local-file"]))
        return os.getsid(0), made["job"]["id"]

    play.nginx.file("a.bin", 1000)
    play.file = lambda path, url=play.judge.url("a.bin"): {"url": url, "path": path}
    session, job = become(owner, begin, session=True)
    holder = Wire(play.ferry, play.helper)
    holder.lend(play.helper, holder.ok("job.open", job=job)["handle"])
    root = Wire(play.ferry, ROOT)
    opened = root.ok("job.open", job=job)
    assert opened["job"]["helper"]["sid"] == f"uid:{play.helper.uid}", opened
    play.ferry.session(session)
    wait_until(lambda: root.job(opened["handle"])["helper"]["sid"] is None, 10, "the token goes with the owner")
    assert any("the session of the job's owner ended" in text for text in play.messages(1013)), play.messages(1013)
    root.ok("job.resume", handle=opened["handle"])
    play.wait(opened["handle"], "QUEUED", "owner-absent", wire=root)
    holder.close()
    root.close()
    play.end()


def connection_ends__its_tokens_go():
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"), on_token_loss="wait")
    play.flags(handle, "local-file")
    second = Wire(play.ferry, play.owner)
    opened = second.ok("job.open", job=play.wire.job(handle)["id"])
    assert second.lend(play.helper, opened["handle"])["life"] == "connection"  # session 0, and no service
    assert play.wire.job(handle)["helper"]["sid"] == f"uid:{play.helper.uid}"
    second.close()
    wait_until(lambda: play.wire.job(handle)["helper"]["sid"] is None, 10, "the token goes")
    assert any("the connection that lent it ended" in text for text in play.messages(1013))
    # With an age it is kept for the job, and no longer than that.
    second = Wire(play.ferry, play.owner)
    opened = second.ok("job.open", job=play.wire.job(handle)["id"])
    second.refused("INVALID_ARGUMENT", "job.setHelperToken", by=play.helper, what="identity.token_age_max_s",
                   handle=opened["handle"], max_token_age_s=604801, **claim(play.helper))
    assert second.lend(play.helper, opened["handle"], max_token_age_s=60)["life"] == "job"
    second.close()
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.end()


def daemon_killed__every_token_is_to_be_lent_again():
    play = Play({"transfer": {"checkpoint_bytes": MIB}}, rate=MIB)
    failing, path, _ = running(play)
    waiting, other_path, _ = running(play, loss="wait")
    whole = os.path.join(play.helpers, "whole.bin")
    done = play.create(whole, auto_complete=False)
    play.flags(done, "local-file")
    lend_from_a_session(play, done, play.helper)
    play.wire.ok("job.resume", handle=done)
    play.wait(done, "TRANSFERRED")
    ids = [play.wire.job(handle)["id"] for handle in (failing, waiting, done)]
    play.wire.close()
    play.ferry.kill()
    play.ferry.start()

    root = Wire(play.ferry, ROOT)
    seen = {job["id"]: (job["state"], (job["wait"] or {}).get("reason"))
            for job in root.ok("job.list", all=True, everyone=True)["jobs"]}
    assert seen == {ids[0]: ("ERROR", None), ids[1]: ("QUEUED", "owner-absent"), ids[2]: ("TRANSFERRED", None)}, seen
    root.close()
    assert any(ids[0] in text and "TOKEN_REQUIRED" in text for text in play.messages(211))
    play.wire = Wire(play.ferry, play.owner)
    failing, waiting, done = (play.wire.ok("job.open", job=job)["handle"] for job in ids)
    play.wait(waiting, "QUEUED", "token-required")
    play.wire.refused("TOKEN_REQUIRED", "job.complete", handle=done)
    play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=failing)
    for handle in (failing, waiting, done):
        lend_from_a_session(play, handle, play.helper)
    play.wire.ok("job.resume", handle=failing)
    play.wire.ok("job.complete", handle=done)
    for handle, landed in ((failing, path), (waiting, other_path), (done, whole)):
        play.wait(handle, "ACKNOWLEDGED")
        play.check_landed(landed, play.helper)
    resumed = [first for _, status, _, first in play.nginx.requests() if status == 206]
    assert resumed and all(first > 0 for first in resumed), "they went on where they were"
    play.end()


def token_cleared__leaves_the_flags_and_clearing_those_returns_to_the_owner():
    play = Play(rate=MIB)
    shared = play.folder(play.daemon, "shared", mode=0o1777)
    path = os.path.join(shared, "a.bin")
    handle = play.create(path, size=LARGE)
    play.flags(handle, "network")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    wait_until(lambda: play.wire.job(handle)["bytes"]["transferred"] > MIB // 2, 30, "it is under way")
    job = play.wire.ok("job.clearHelperToken", handle=handle)["job"]
    assert (job["state"], job["error"]["result"], job["helper"]["flags"]) == ("ERROR", "TOKEN_REQUIRED", ["network"]), job
    assert any(f"uid:{play.helper.uid}" in text for text in play.messages(1012))
    play.wire.refused("TOKEN_REQUIRED", "job.resume", handle=handle)
    play.flags(handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.owner)
    assert play.asked_by(path) == {play.helper.uid, play.owner.uid}
    play.end()


def flags_cleared__the_owner_fetches_anew_what_the_helper_began():
    """BITS's second way to recover; the helper's partial file is closed to the owner, and not his to go on with."""
    play = Play(rate=MIB)
    shared = play.folder(play.daemon, "shared", mode=0o1777)
    path, whole = os.path.join(shared, "a.bin"), os.path.join(shared, "b.bin")
    handle = play.create(path, size=LARGE)
    play.flags(handle, "local-file")
    session = lend_from_a_session(play, handle, play.helper)
    play.wire.ok("job.resume", handle=handle)
    wait_until(lambda: play.wire.job(handle)["bytes"]["transferred"] > MIB, 30, "it is under way")
    done = play.create(whole, auto_complete=False)
    play.flags(done, "local-file")
    play.wire.lend(play.helper, done)
    play.wire.ok("job.resume", handle=done)
    play.wait(done, "TRANSFERRED")
    play.ferry.session(session)
    play.wait(handle, "ERROR")
    play.wire.ok("job.clearHelperToken", handle=done)
    for each in (handle, done):
        play.flags(each)
    assert play.wire.ok("job.preflight", handle=done)["preflight"]["file"]["error"] is None
    play.wire.refused("INVALID_STATE", "job.complete", handle=done, what=f"uid:{play.helper.uid}")
    for each in (handle, done):
        play.wire.ok("job.resume", handle=each)
    play.wait(handle, "ACKNOWLEDGED")
    play.wait(done, "TRANSFERRED")
    play.wire.ok("job.complete", handle=done)
    play.wait(done, "ACKNOWLEDGED")
    for landed in (path, whole):
        play.check_landed(landed, play.owner)
    assert len([text for text in play.messages(16385) if "another identity" in text]) == 2, play.messages(16385)
    # Where the owner may not write he is told so at once, and what is whole stays the helper's to name.
    closed = os.path.join(play.helpers, "d.bin")
    handle = play.create(closed, auto_complete=False)
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "TRANSFERRED")
    play.flags(handle)
    found = play.wire.ok("job.preflight", handle=handle)["preflight"]["file"]
    assert (found["as"], found["error"]["result"]) == ("owner", "DENIED"), found
    play.wire.refused("DENIED", "job.resume", handle=handle, what="files[0].path")
    play.flags(handle, "local-file")
    play.wire.ok("job.complete", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(closed, play.helper)
    # What the helper left is his to remove: his next job there does.
    later = os.path.join(shared, "c.bin")
    handle = play.create(later)
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    wait_until(lambda: sorted(os.listdir(shared)) == ["a.bin", "b.bin", "c.bin"], 20, "the rest is removed")
    play.end()


def cancelled_without_its_token__ends_and_names_what_is_left():
    play = Play(rate=MIB)
    handle, path, session = running(play)
    play.ferry.session(session)
    play.wait(handle, "ERROR")
    assert len(os.listdir(play.helpers)) == 1
    play.wire.ok("job.cancel", handle=handle)
    wait_until(lambda: any(path in text for text in play.messages(16385)), 20, "what is left is named")
    # The helper's next job that comes to the folder removes it.
    later = os.path.join(play.helpers, "later.bin")
    handle = play.create(later)
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    wait_until(lambda: os.listdir(play.helpers) == ["later.bin"], 20, "the rest is removed")
    play.end()


def more_identities_than_workers__wait_their_turn_and_say_so():
    play = Play({"identity": {"workers_max": 4}, "queue": {"background_jobs_max": 16}, "worker": {"idle_s": 1}}, rate=MIB)
    helpers = [Identity() for _ in range(4)]
    handles = []
    for i, helper in enumerate(helpers):
        path = os.path.join(play.folder(helper, f"h{i}"), f"f{i}.bin")
        handle = play.create(path, size=2 * MIB)
        play.flags(handle, "local-file")
        play.wire.lend(helper, handle)
        handles.append((handle, path, helper))
    for handle, _, _ in handles:
        play.wire.ok("job.resume", handle=handle)

    def workers():
        return [thread for thread in threads(play.ferry.process.pid) if thread["name"] in ("ferry-network", "ferry-file")]

    def strange():
        return {thread["task"] for thread in workers() if len(thread["uids"]) > 1 or thread["caps"][:4] != [0, 0, 0, 0]}

    wait_until(lambda: any((play.wire.job(handle)["wait"] or {}).get("reason") == "identity-workers"
                           for handle, _, _ in handles), 20, "one says that it waits for a worker")
    most = 0
    while not all(play.wire.job(handle)["state"] == "ACKNOWLEDGED" for handle, _, _ in handles):
        most = max(most, len(workers()))
        if unworn := strange():  # just born, or
            time.sleep(0.5)
            assert not unworn & strange(), unworn
    assert 3 <= most <= 4, most
    for handle, path, helper in handles:
        assert os.stat(path).st_uid == helper.uid
    wait_until(lambda: workers() == [], 20, "idle workers end")
    play.end()


run(session_ends__its_tokens_go_and_jobs_are_in_error_or_wait_as_they_chose,
    ended_session__lends_nothing_until_its_number_is_given_anew,
    owners_logoff__takes_the_helper_tokens_of_his_jobs_along,
    connection_ends__its_tokens_go,
    daemon_killed__every_token_is_to_be_lent_again,
    token_cleared__leaves_the_flags_and_clearing_those_returns_to_the_owner,
    flags_cleared__the_owner_fetches_anew_what_the_helper_began,
    cancelled_without_its_token__ends_and_names_what_is_left,
    more_identities_than_workers__wait_their_turn_and_say_so)
