"""What somebody would try who wants more of a lent token, or of somebody else's job, than was given."""
import contextlib
import http.server
import os
import threading

from ground import GROUND, MIB, run, skip, wait_until
from play import Play
from wire import LARGE, Wire, become, call, claim, door, hello, receive, request, result, send, speaking_as

if GROUND != "linux":
    skip("Wine has one user: tests/peer lends tokens there")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")


def helper_set_between_two_files__all_are_the_helpers_and_none_is_both():
    """The owner's own half of a job is not handed to the helper to be finished or named."""
    play = Play({"transfer": {"files_active_max": 1, "files_active_per_job_max": 1}}, rate=2 * MIB)
    shared = play.folder(play.daemon, "shared", mode=0o1777)
    paths = [os.path.join(shared, name) for name in ("a.bin", "b.bin")]
    handle = play.create(*paths, size=LARGE, auto_complete=False)
    play.wire.ok("job.resume", handle=handle)
    wait_until(lambda: play.wire.job(handle)["files"]["transferred"] == 1, 30, "the first is whole")
    play.flags(handle, "local-file")  # it runs: without a token that is an error at once
    play.wait(handle, "ERROR")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "TRANSFERRED")
    play.wire.ok("job.complete", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    for path in paths:
        play.check_landed(path, play.helper)
    play.end()


def client_dies_between_open_and_set__nothing_is_lent_and_its_handle_dies_with_it():
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"))
    job = play.wire.job(handle)["id"]

    def open_and_die():
        client = door()
        result(hello(client, play.ferry.address))
        return result(call(client, "job.open", job=job))["handle"]

    died = become(play.owner, open_and_die)
    second = Wire(play.ferry, play.owner)
    second.refused("BAD_HANDLE", "job.setHelperToken", by=play.helper, handle=died, **claim(play.helper))

    # It may also die before the answer: what was lent over its connection ends with that.
    dying = Wire(play.ferry, play.owner)
    opened = dying.ok("job.open", job=job)["handle"]
    with speaking_as(play.helper):
        send(dying.socket, request("job.setHelperToken", handle=opened, **claim(play.helper)))
    dying.close()
    opened = second.ok("job.open", job=job)["handle"]
    wait_until(lambda: second.job(opened)["helper"]["sid"] is None and
               len(play.messages(1011)) == len(play.messages(1013)), 10, "nothing is lent")
    play.wire.ok("job.setHelperTokenFlags", handle=handle, flags=["local-file"])
    second.refused("TOKEN_REQUIRED", "job.resume", handle=opened)
    second.close()
    play.end()


def messages_of_two_identities_in_a_row__are_each_their_authors():
    """Sent without waiting for an answer: who wrote the next message lends nothing by the one before, nor the other way."""
    play = Play()
    handle = play.create(os.path.join(play.helpers, "a.bin"))
    own, lent = claim(play.owner), claim(play.helper)
    messages = [(play.helper, "job.setHelperToken", lent, None),
                (play.owner, "job.getHelperTokenSid", {}, play.helper),
                (play.owner, "job.setHelperToken", own, None),
                (play.owner, "job.getHelperTokenSid", {}, play.owner),
                (play.helper, "job.setHelperToken", own, "claim"),   # the helper's message that claims to be the owner's
                (play.owner, "job.setHelperToken", lent, "claim"),
                (play.owner, "job.getHelperTokenSid", {}, play.owner)]
    for author, method, params, _ in messages:
        with speaking_as(author):
            send(play.wire.socket, request(method, handle=handle, **params))
    for author, method, params, expected in messages:
        answer = receive(play.wire.socket)
        if expected == "claim":
            assert "ACCESS_REFUSED" in answer and "claim: " in answer, (method, answer)
        elif method.endswith("Sid"):
            assert result(answer)["sid"] == f"uid:{expected.uid}", answer
        else:
            assert result(answer)["life"], answer
    play.end()


@contextlib.contextmanager
def redirecting(to):
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/asked.bin"
    server.shutdown()
    server.server_close()


def redirected_by_a_server__nobody_else_is_asked_for_it_and_no_file_is_read():
    """What the owner asks as the helper may lead elsewhere: as the helper still, and never to what the helper can read."""
    play = Play()
    secret = os.path.join(play.helpers, "secret.txt")
    with open(secret, "w") as file:
        file.write("only the helper may read this")
    os.chown(secret, play.helper.uid, play.helper.gid)
    source = play.file(os.path.join(play.owners, "there.bin"))
    for to, landed in ((source["url"], True), (f"file://{secret}", False), (f"ftp://127.0.0.1{secret}", False),
                       (f"http://user:word@127.0.0.1:{play.judge.port}/there.bin", False)):
        path = os.path.join(play.owners, "there.bin")
        with redirecting(to) as url:
            handle = play.wire.ok("job.create", name="elsewhere", auto_complete=True,
                                  files=[{"url": url, "path": path}])["handle"]
            play.flags(handle, "network")
            play.wire.lend(play.helper, handle)
            play.wire.ok("job.resume", handle=handle)
            job = play.wait(handle, "ACKNOWLEDGED" if landed else "ERROR")
        if landed:
            play.check_landed(path, play.owner)
            os.remove(path)
        else:
            assert not os.path.exists(path) and "word" not in str(job), job
            play.wire.ok("job.cancel", handle=handle)
            play.wait(handle, "CANCELLED")
    assert play.asked_by("there.bin") == {play.helper.uid}, play.judge.seen
    play.end()


def completed_or_cleared_by_another__is_refused_and_told_nothing():
    play = Play()
    path = os.path.join(play.helpers, "a.bin")
    handle = play.create(path, auto_complete=False, pinned_helper=f"uid:{play.helper.uid}")
    play.flags(handle, "local-file")
    play.wire.lend(play.helper, handle)
    play.wire.ok("job.resume", handle=handle)
    play.wait(handle, "TRANSFERRED")
    job = play.wire.job(handle)["id"]
    stranger, helper = Wire(play.ferry, play.stranger), Wire(play.ferry, play.helper)
    stranger.refused("NOT_FOUND", "job.open", job=job)
    for method in ("complete", "cancel", "resume", "suspend", "preflight", "clearHelperToken", "getHelperTokenSid",
                   "helperTicket", "takeOwnership"):
        stranger.refused("BAD_HANDLE", "job." + method, handle=handle)
    attached = helper.ok("job.open", job=job)
    assert attached["rights"] == ["attach"] and "job" not in attached, attached
    for method, right in (("complete", "control"), ("cancel", "control"), ("resume", "control"), ("suspend", "control"),
                          ("preflight", "query"), ("clearHelperToken", "set-token"), ("getHelperTokenSid", "query"),
                          ("getHelperTokenFlags", "query"), ("takeOwnership", "control")):
        helper.refused("ACCESS_REFUSED", "job." + method, handle=attached["handle"], what=right)
    helper.refused("ACCESS_REFUSED", "job.setHelperTokenFlags", handle=attached["handle"], what="set-token", flags=[])
    # As a message of the owner's on the helper's connection it is still the helper's handle.
    helper.refused("ACCESS_REFUSED", "job.complete", by=play.owner, handle=attached["handle"], what="control")
    assert play.wire.job(handle)["state"] == "TRANSFERRED" and not os.path.exists(path)
    play.wire.ok("job.complete", handle=handle)
    play.wait(handle, "ACKNOWLEDGED")
    play.check_landed(path, play.helper)
    stranger.close()
    helper.close()
    play.end()


run(helper_set_between_two_files__all_are_the_helpers_and_none_is_both,
    client_dies_between_open_and_set__nothing_is_lent_and_its_handle_dies_with_it,
    messages_of_two_identities_in_a_row__are_each_their_authors,
    redirected_by_a_server__nobody_else_is_asked_for_it_and_no_file_is_read,
    completed_or_cleared_by_another__is_refused_and_told_nothing)
