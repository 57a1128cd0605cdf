"""Real identities: the daemon is an unprivileged uid that may change identities, its clients are uids that nobody has.

The kernel judges: who may write where, whose a file is, whose a connection is, who wrote a message.
"""
import glob
import json
import os
import shutil

from ground import GROUND, MIB, Bridge, Identity, run, sha256, skip, wait_until
from judge import Judge, play_round
from wire import LARGE, ROOT, Scene, become, call, can_read, door, hello, receive, request, result, send, threads

if GROUND != "linux":
    skip("Wine has one user: tests/windows shows what a worn token may do")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")
SETUID_AND_SETGID = 1 << 7 | 1 << 6
NOBODYS_JOB = "00000000-0000-4000-8000-000000000000"


def partials(folder):
    return glob.glob(os.path.join(folder, ".ferry-*.part"))


def check_private(scene, path, owner, *others):
    status = os.stat(path)
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (owner.uid, owner.gid, 0o600), status
    assert can_read(owner, path)
    for other in (scene.daemon, *others):
        assert not can_read(other, path), (path, other.uid)


# --- the claims ---
def worker_threads__wear_their_identity_and_no_capability_and_nobody_else_does():
    scene = Scene(rate=MIB)
    groups = sorted(Identity().gid for _ in range(2))
    a, b = Identity(groups), Identity()
    for identity, name in ((a, "a"), (b, "b")):
        scene.folder(identity, name)
        os.mkdir(os.path.join(scene.nginx.www, name))
        scene.begin(identity, f"{name}/1.bin")
    found = threads(scene.ferry.process.pid)
    workers = [thread for thread in found if thread["name"] in ("ferry-network", "ferry-file")]
    own = [thread for thread in found if thread not in workers]
    for identity in (a, b):
        worn = [thread for thread in workers if thread["uids"] == {str(identity.uid)}]
        assert sorted(thread["name"] for thread in worn) == ["ferry-file", "ferry-network"], found
        for thread in worn:
            assert thread["gids"] == {str(identity.gid)}, thread
            assert thread["groups"] == [str(group) for group in identity.options["extra_groups"]], thread
            assert thread["caps"] == [0, 0, 0, 0, SETUID_AND_SETGID], thread
            # A thread of his uid is no door into the process for its user.
            assert become(identity, lambda task=thread["task"]: readable(task + "/mem")) is False
            assert become(identity, lambda task=thread["task"]: readable(task + "/environ")) is False
    assert len(workers) == 4 and len(own) >= 3, found
    for thread in own:
        assert thread["uids"] == {str(scene.daemon.uid)} and thread["gids"] == {str(scene.daemon.gid)}, thread
        assert thread["caps"] == [SETUID_AND_SETGID] * 5 and thread["groups"] == [], thread
    scene.end()


def readable(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
        return True
    except PermissionError:
        return False


def job_into_what_is_not_its_owners__is_denied_by_name_and_leaves_nothing():
    scene = Scene()
    a, b = Identity(), Identity()
    for name, owner, mode in (("private", b, 0o700), ("shown", b, 0o755), ("roots", ROOT, 0o755),
                              ("daemons", scene.daemon, 0o755), ("daemons-private", scene.daemon, 0o700)):
        folder = scene.folder(owner, name, mode=mode)
        os.makedirs(os.path.join(scene.nginx.www, name))
        scene.nginx.file(f"{name}/x.bin", 1000)
        code, words = scene.submit(a, [f"{name}/x.bin"], check=False)
        assert code in (2, 4) and "DENIED" in words, (name, code, words)
        # The folder is named, or what was tried in it.
        assert any(said in words for said in (folder, ".ferry-", "files[0]")), words
        assert os.listdir(folder) == [], (name, os.listdir(folder))
    assert not [job for job in scene.ferry.jobs(**a.options) if job["state"] == "ACKNOWLEDGED"]
    scene.end()


def partial_and_landed_file__are_the_owners_and_closed_to_others_and_to_the_daemon():
    scene = Scene(rate=2 * MIB)
    a, b = Identity(), Identity()
    folder = scene.folder(a, "a", mode=0o755)
    os.mkdir(os.path.join(scene.nginx.www, "a"))
    job = scene.begin(a, "a/1.bin")
    part, = partials(folder)
    check_private(scene, part, a, b)
    scene.ferry.run("wait", job, **a.options)
    assert os.listdir(folder) == ["1.bin"]
    check_private(scene, os.path.join(folder, "1.bin"), a, b)
    assert sha256(os.path.join(folder, "1.bin")) == sha256(os.path.join(scene.nginx.www, "a/1.bin"))
    scene.end()


def sticky_folder_for_everybody__nobody_replaces_anothers_file():
    scene = Scene()
    a, b = Identity(), Identity()
    folder = scene.folder(scene.daemon, "all", mode=0o1777)
    os.mkdir(os.path.join(scene.nginx.www, "all"))
    scene.nginx.file("all/x.bin", 5000)
    scene.submit(b, ["all/x.bin"])
    before, digest = os.stat(os.path.join(folder, "x.bin")), sha256(os.path.join(folder, "x.bin"))
    scene.nginx.file("all/x.bin", 7000)
    code, words = scene.submit(a, ["all/x.bin"], check=False)
    assert code in (2, 4) and "DENIED" in words and "x.bin" in words, (code, words)
    after = os.stat(os.path.join(folder, "x.bin"))
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sha256(os.path.join(folder, "x.bin")) == digest
    check_private(scene, os.path.join(folder, "x.bin"), b, a)
    scene.nginx.file("all/y.bin", 5000)
    scene.submit(a, ["all/y.bin"])  # the folder does take A's own
    check_private(scene, os.path.join(folder, "y.bin"), a, b)
    scene.submit(b, ["all/x.bin"])  # and B may replace B's
    assert sha256(os.path.join(folder, "x.bin")) == sha256(os.path.join(scene.nginx.www, "all/x.bin"))
    scene.end()


def four_identities_at_one_origin__the_server_sees_each_fetch_over_its_own_connections():
    scene = Scene()
    judge = Judge(scene.nginx)
    for _ in range(3):
        play_round(scene.ferry, scene.nginx, judge)
    scene.end()
    judge.close()


def message_over_anothers_connection__is_its_writers():
    scene = Scene()
    a, b = Identity(), Identity()
    files = [{"url": scene.nginx.file("x.bin", 1000), "path": os.path.join(scene.folder(b, "b"), "x.bin")}]
    with door() as client:
        assert result(become(a, lambda: hello(client, scene.ferry.address)))["owner"] == f"uid:{a.uid}"
        made = result(become(b, lambda: call(client, "job.create", name="whose", files=files)))
        assert made["job"]["owner"] == f"uid:{b.uid}", made
        # The connection is still A's who said hello: its list has A's jobs, and B's handle is good on it alone.
        assert result(become(b, lambda: call(client, "job.list")))["jobs"] == []
        own = result(become(a, lambda: call(client, "job.create", name="own")))
        assert own["job"]["owner"] == f"uid:{a.uid}", own
        refused = json.loads(become(a, lambda: call(client, "job.open", job=made["job"]["id"])))
        assert refused["error"]["data"]["result"] == "NOT_FOUND", refused
        with door() as second:
            become(a, lambda: hello(second, scene.ferry.address))
            refused = json.loads(become(a, lambda: call(second, "job.resume", handle=made["handle"])))
            assert refused["error"]["data"]["result"] == "BAD_HANDLE", refused
        # Whoever moves it, it runs as B: A could not enter this folder.
        result(become(a, lambda: call(client, "job.resume", handle=made["handle"])))
        wait_until(lambda: result(become(a, lambda: call(client, "job.get", handle=made["handle"])))["job"]["state"]
                   == "TRANSFERRED", 20, "B's job is fetched")
        result(become(a, lambda: call(client, "job.complete", handle=made["handle"])))
    wait_until(lambda: os.path.exists(files[0]["path"]), 20, "B's file lands")
    check_private(scene, files[0]["path"], b, a)
    scene.end()


def message_of_two_authors__ends_the_connection_and_makes_nothing():
    scene = Scene()
    a, b = Identity(), Identity()
    text = request("job.create", name="whose")

    def change_in_the_middle(client):
        """One process, which is A when it begins and B when it ends the message."""
        os.setresuid(a.uid, 0, 0)
        send(client, text[:10], last=False)
        os.setresuid(0, 0, 0)
        os.setresuid(b.uid, b.uid, b.uid)
        send(client, text[10:])
        return receive(client)

    for begin, go_on in ((a, b), (b, a), (ROOT, a), (a, ROOT)):
        with door() as client:
            become(begin, lambda: hello(client, scene.ferry.address))
            become(begin, lambda: send(client, text[:10], last=False))
            become(go_on, lambda: send(client, text[10:]))
            assert become(begin, lambda: receive(client)) is None
    with door() as client:
        become(a, lambda: hello(client, scene.ferry.address))
        assert become(ROOT, lambda: change_in_the_middle(client)) is None
    # The real uid speaks, not the effective one: a program that is set-uid root asks for its user.
    with door() as client:
        become(ROOT, lambda: client.connect(scene.ferry.address))
        assert result(become(ROOT, lambda: os.setresuid(a.uid, 0, 0) or hello(client)))["owner"] == f"uid:{a.uid}"
    assert scene.ferry.json("list", "--all", "--everyone") == []
    scene.end()


def clients_that_hang_up__are_served_all_the_same_and_give_their_places_back():
    scene = Scene()
    a = Identity()

    def hang_up():
        with door() as client:
            hello(client, scene.ferry.address)
            handle = result(call(client, "job.create", name="x", files=[{"url": "http://a/0", "path": "/0"}]))["handle"]
            job = result(call(client, "job.get", handle=handle))["job"]["id"]
            for name in "abcd":  # together more than an owner's share of the places
                others = [door() for _ in range(20)]
                for other in others:
                    result(hello(other, scene.ferry.address))
                    assert result(call(other, "job.open", job=job))["handle"] == 1
                    result(call(other, "events.subscribe"))
                # Refused at the last of many files: it takes a while.  The first one's change finds the others gone.
                long = [{"url": f"http://a/{i}", "path": f"/{i}"} for i in range(1, 190)] + [{"url": "no", "path": "no"}]
                for i, other in enumerate(others):
                    send(other, request("job.setProperties", handle=1, name=name) if i % 19 == 0 else
                         request("job.addFiles", handle=1, files=long))
                    other.close()
                wait_until(lambda: result(call(client, "service.status"))["service"]["connections"] == 1, 10, "they go")
                assert result(call(client, "job.get", handle=handle))["job"]["name"] == name

    become(a, hang_up)
    scene.end()


def anothers_job__is_as_unknown_as_no_job_and_root_may_look_and_cancel_only():
    scene = Scene()
    a, b = Identity(), Identity()
    url, path = scene.nginx.file("x.bin", 1000), os.path.join(scene.folder(a, "a"), "x.bin")
    files = [{"url": url, "path": path}]
    owner = Bridge(scene.ferry, **a.options)
    owner.hello()
    made = owner.ok("job.create", name="secret", key="k", files=files)

    def look():
        with door() as client:
            hello(client, scene.ferry.address)
            answers = [call(client, "job.open", job=job) for job in (made["job"]["id"], NOBODYS_JOB)]
            listed = [call(client, "job.list", all=True), call(client, "job.list", all=True, everyone=True)]
            guessed = [call(client, method, handle=made["handle"])
                       for method in ("job.get", "job.cancel", "job.resume", "events.subscribe")]
            return answers, listed, guessed, call(client, "job.create", name="mine", key="k")

    (his, nobodys), (listed, everyones), guessed, mine = become(b, look)
    assert his == nobodys and json.loads(his)["error"]["data"]["result"] == "NOT_FOUND", (his, nobodys)
    assert result(listed)["jobs"] == []
    assert json.loads(everyones)["error"]["data"]["result"] == "ACCESS_REFUSED", everyones
    assert [json.loads(text)["error"]["data"]["result"] for text in guessed] == ["BAD_HANDLE"] * 4, guessed
    # The same key is another owner's another job.
    assert result(mine)["created"] and result(mine)["job"]["id"] != made["job"]["id"]
    by_id = [scene.ferry.run("show", job, check=False, **b.options) for job in (made["job"]["id"], NOBODYS_JOB)]
    assert by_id[0].returncode == by_id[1].returncode != 0, by_id
    assert by_id[0].stderr.replace(made["job"]["id"], NOBODYS_JOB) == by_id[1].stderr, by_id

    root = Bridge(scene.ferry)
    assert root.hello()["elevated"]
    assert made["job"]["id"] in [job["id"] for job in root.ok("job.list", all=True, everyone=True)["jobs"]]
    opened = root.ok("job.open", job=made["job"]["id"])
    assert opened["rights"] == ["query", "subscribe", "control", "set-token"] and opened["job"]["owner"] == f"uid:{a.uid}", opened
    assert root.ok("job.get", handle=opened["handle"], limit=10)["files"][0]["path"] == path
    for refused in (root.call("job.addFiles", handle=opened["handle"], files=[{"url": url, "path": path + "2"}]),
                    root.call("job.replaceRemotePrefix", handle=opened["handle"], old_prefix="http://", new_prefix="https://"),
                    root.call("job.setCredentials", handle=opened["handle"], target="server", scheme="ntlm", user=None, password=None),
                    root.call("job.removeCredentials", handle=opened["handle"], target="server", scheme="ntlm"),
                    root.call("job.setProperties", handle=opened["handle"], name="mine")):
        assert refused["error"]["data"]["result"] == "ACCESS_REFUSED", refused
    root.ok("job.cancel", handle=opened["handle"])
    assert owner.ok("job.get", handle=made["handle"])["job"]["state"] == "CANCELLED"
    assert not os.path.exists(path)
    root.close()
    owner.close()
    scene.end()


def supplementary_group__is_worn_and_only_by_whom_it_belongs_to():
    scene = Scene()
    group = Identity()
    a, b = Identity([Identity().gid, group.gid]), Identity([Identity().gid])
    folder = scene.folder(scene.daemon, "shared", mode=0o2770, gid=group.gid)
    os.mkdir(os.path.join(scene.nginx.www, "shared"))
    for name in ("a", "b", "c"):
        scene.nginx.file(f"shared/{name}.bin", 1000)
    scene.submit(a, ["shared/a.bin"])
    landed = os.stat(os.path.join(folder, "a.bin"))
    assert (landed.st_uid, landed.st_gid, landed.st_mode & 0o777) == (a.uid, group.gid, 0o600), landed
    code, words = scene.submit(b, ["shared/b.bin"], check=False)
    assert code in (2, 4) and "DENIED" in words, (code, words)
    # The same user without the group is another identity, and does not share the first one's workers.
    poorer = Identity(uid=a.uid, gid=a.gid)
    code, words = scene.submit(poorer, ["shared/c.bin"], check=False)
    assert code in (2, 4) and "DENIED" in words, (code, words)
    assert os.listdir(folder) == ["a.bin"]
    scene.end()


def too_many_groups__is_refused_by_that_name_and_as_many_as_there_may_be_are_worn():
    scene = Scene()
    group = Identity()
    gids = sorted({Identity().gid for _ in range(80)} - {group.gid})[:64]
    folder = scene.folder(scene.daemon, "shared", mode=0o2770, gid=group.gid)
    os.mkdir(os.path.join(scene.nginx.www, "shared"))
    scene.nginx.file("shared/a.bin", 1000)
    scene.submit(Identity(gids[:63] + [group.gid]), ["shared/a.bin"])
    assert os.listdir(folder) == ["a.bin"]
    code, words = scene.submit(Identity(gids + [group.gid]), ["shared/a.bin"], check=False)
    assert code == 4 and "ACCESS_REFUSED" in words and "more groups than 64" in words, (code, words)
    scene.end()


def daemon_killed__jobs_of_owners_who_do_not_come_back_wait():
    scene = Scene({"transfer": {"checkpoint_bytes": MIB}}, rate=MIB)
    ferry, a, b, c = scene.ferry, Identity(), Identity(), Identity()
    jobs = {}
    for identity, name in ((a, "a"), (b, "b"), (c, "c")):
        scene.folder(identity, name)
        os.mkdir(os.path.join(scene.nginx.www, name))
    scene.nginx.file("c/1.bin", 1000)
    _, words = scene.submit(c, ["c/1.bin"], "--suspended", "--no-wait")
    jobs[c] = words.split()[0]
    for identity, name in ((a, "a"), (b, "b")):
        jobs[identity] = scene.begin(identity, f"{name}/1.bin")
    ferry.kill()
    # While nobody looks B's partial file becomes another file of B's: same name, owner, length and bytes.
    part, = partials(os.path.join(ferry.landed, "b"))
    shutil.copy(part, part + ".copy")
    os.chown(part + ".copy", b.uid, b.gid)
    os.rename(part + ".copy", part)
    asked = len(scene.nginx.requests())
    ferry.start()  # says hello as root, who is none of the owners

    everybodys = Bridge(ferry)
    everybodys.hello()

    def states():
        return {job["id"]: (job["state"], (job["wait"] or {}).get("reason"))
                for job in everybodys.ok("job.list", all=True, everyone=True)["jobs"]}

    waiting = ("QUEUED", "owner-absent")
    assert states() == {jobs[a]: waiting, jobs[b]: waiting, jobs[c]: ("SUSPENDED", None)}, states()
    # Root may resume C's job, and nothing is fetched as anybody for that.
    opened = everybodys.ok("job.open", job=jobs[c])
    everybodys.call("job.resume", handle=opened["handle"])
    assert states()[jobs[c]] in (waiting, ("SUSPENDED", None)), states()
    assert [thread for thread in threads(ferry.process.pid) if thread["name"].startswith("ferry-")] == []
    assert len(scene.nginx.requests()) == asked

    ferry.run("wait", jobs[a], **a.options)
    assert states()[jobs[b]] == waiting and states()[jobs[c]] in (waiting, ("SUSPENDED", None)), states()
    assert {*threads_uids(ferry)} == {str(scene.daemon.uid), str(a.uid)}
    # What Ferry did not write is not gone on with, but told; B decides.
    done = ferry.run("wait", jobs[b], check=False, **b.options)
    assert done.returncode == 2 and "FILE_CHANGED" in done.stderr, done
    ferry.run("resume", jobs[b], **b.options)
    ferry.run("wait", jobs[b], **b.options)
    ferry.run("resume", jobs[c], check=False, **c.options)
    ferry.run("wait", jobs[c], **c.options)
    everybodys.close()
    for identity, name in ((a, "a"), (b, "b"), (c, "c")):
        landed = os.path.join(ferry.landed, name, "1.bin")
        check_private(scene, landed, identity, *({a, b, c} - {identity}))
        assert sha256(landed) == sha256(os.path.join(scene.nginx.www, name, "1.bin"))
    resumed = {name: first for name, status, _, first in scene.nginx.requests() if status == 206}
    assert resumed.get("a/1.bin", 0) > 0, "A's file was gone on with"
    assert "b/1.bin" not in resumed, "B's was not the one that Ferry wrote"
    scene.end()


def threads_uids(ferry):
    return [uid for thread in threads(ferry.process.pid) for uid in thread["uids"]]


def daemon_without_capabilities__serves_its_own_user_and_refuses_others_clearly():
    scene = Scene(capabilities="")
    other, own = Identity(), scene.daemon
    for identity, name in ((other, "other"), (own, "own")):
        scene.folder(identity, name)
        os.mkdir(os.path.join(scene.nginx.www, name))
        scene.nginx.file(f"{name}/1.bin", 1000)
    code, words = scene.submit(other, ["other/1.bin"], check=False)
    assert code == 4 and "ACCESS_REFUSED" in words and "caller-impersonation" in words, (code, words)
    scene.ferry.run("status", **other.options)
    scene.submit(own, ["own/1.bin"])
    assert os.stat(os.path.join(scene.ferry.landed, "own", "1.bin")).st_uid == own.uid
    # The same uid with a group that the daemon has not is somebody whom it cannot be.
    richer = Identity([Identity().gid], uid=own.uid, gid=own.gid)
    code, words = scene.submit(richer, ["own/1.bin"], check=False)
    assert code == 4 and "ACCESS_REFUSED" in words and "caller-impersonation" in words, (code, words)
    assert os.listdir(os.path.join(scene.ferry.landed, "other")) == []
    assert {*threads_uids(scene.ferry)} == {str(own.uid)}
    scene.end()


run(worker_threads__wear_their_identity_and_no_capability_and_nobody_else_does,
    job_into_what_is_not_its_owners__is_denied_by_name_and_leaves_nothing,
    partial_and_landed_file__are_the_owners_and_closed_to_others_and_to_the_daemon,
    sticky_folder_for_everybody__nobody_replaces_anothers_file,
    four_identities_at_one_origin__the_server_sees_each_fetch_over_its_own_connections,
    message_over_anothers_connection__is_its_writers,
    message_of_two_authors__ends_the_connection_and_makes_nothing,
    clients_that_hang_up__are_served_all_the_same_and_give_their_places_back,
    anothers_job__is_as_unknown_as_no_job_and_root_may_look_and_cancel_only,
    supplementary_group__is_worn_and_only_by_whom_it_belongs_to,
    too_many_groups__is_refused_by_that_name_and_as_many_as_there_may_be_are_worn,
    daemon_killed__jobs_of_owners_who_do_not_come_back_wait,
    daemon_without_capabilities__serves_its_own_user_and_refuses_others_clearly)
