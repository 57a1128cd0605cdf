"""A server that moved: its job's URLs get another beginning, and the job goes on from the new server."""
import os

from ground import MIB, Bridge, Ferry, Nginx, run, sha256, wait_until


def servers(ferry, rate):
    """The old one and the new one; what the old one has as a.bin, the new one has below moved/."""
    old, new = (Nginx(os.path.join(ferry.folder, name), rate) for name in ("old", "new"))
    old.file("a.bin", 12 * MIB)
    os.mkdir(os.path.join(new.www, "moved"))
    with open(os.path.join(old.www, "a.bin"), "rb") as file, open(os.path.join(new.www, "moved", "a.bin"), "wb") as to:
        to.write(file.read())
    return old, new


def begin(ferry, bridge, old, name, proven):
    """A job of one file, of which some has come."""
    more = {"digest": old.digest("a.bin")} if proven else {}
    handle = bridge.ok("job.create", name=name, auto_complete=True, files=[
        {"url": old.url("a.bin?token=secret"), "path": ferry.destination("a.bin"), **more}])["handle"]
    bridge.ok("job.resume", handle=handle)
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["bytes"]["transferred"] > 3 * MIB, 60, "it is under way")
    return handle


def check_landed(ferry, old, new, proven):
    assert os.listdir(ferry.landed) == ["a.bin"], os.listdir(ferry.landed)
    assert sha256(os.path.join(ferry.landed, "a.bin")) == sha256(os.path.join(old.www, "a.bin"))
    (name, status, sent, first), *others = new.requests()
    assert name == "moved/a.bin" and others == [], new.requests()
    if proven:
        assert status == 206 and first > 0 and sent == 12 * MIB - first, new.requests()
    else:
        assert (status, sent) == (200, 12 * MIB), new.requests()
    told = [event for event in ferry.events() if event["id"] == 1020]
    assert len(told) == 1 and new.url("moved/") in str(told), told
    assert "secret" not in str(ferry.events())


def the_server_is_gone__the_job_goes_on_from_the_new_one():
    for name, proven in (("Proven", True), ("Unproven", False)):
        ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}})
        old, new = servers(ferry, 4 * MIB)
        ferry.start()
        bridge = Bridge(ferry)
        bridge.hello()
        handle = begin(ferry, bridge, old, name, proven)
        old.close()
        wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["state"] == "TRANSIENT_ERROR", 60, "it is noticed")
        said = ferry.run("replace-prefix", name, old.url(""), new.url("moved/")).stdout
        assert ": 1 file changed; " in said, said
        ferry.run("wait", name)
        check_landed(ferry, old, new, proven)
        bridge.close()
        new.close()
        ferry.close()


def while_it_is_fetched__the_old_server_is_left():
    for name, proven in (("Proven", True), ("Unproven", False)):
        ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}})
        old, new = servers(ferry, 2 * MIB)
        ferry.start()
        bridge = Bridge(ferry)
        bridge.hello()
        handle = begin(ferry, bridge, old, name, proven)
        changed = bridge.ok("job.replaceRemotePrefix", handle=handle, old_prefix=old.url(""), new_prefix=new.url("moved/"))
        assert changed["files_changed"] == 1 and changed["job"]["state"] == "QUEUED", changed
        ferry.run("wait", name)
        check_landed(ferry, old, new, proven)
        (_, _, sent, _), *others = old.requests()
        assert sent < 12 * MIB and others == [], old.requests()
        bridge.close()
        for server in (old, new):
            server.close()
        ferry.close()


def what_cannot_be_replaced__is_refused_in_words_and_nothing_changes():
    ferry = Ferry()
    ferry.start()
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="One", files=[
        {"url": "http://old.example/a?token=secret", "path": ferry.destination("a"), "mirrors": ["http://old.example/b"]},
        {"url": "http://old.example/%41", "path": ferry.destination("b")}])["handle"]
    urls = lambda: [file["url"] for file in bridge.ok("job.get", handle=handle)["files"]]
    before = urls()
    for old, new, result, what in (
            ("http://OLD.example/", "http://new.example/", "INVALID_ARGUMENT", "params.old_prefix: no URL"),
            ("http://old.ex", "http://new.ex", "INVALID_ARGUMENT", "params.old_prefix: no URL"),
            ("http://old.example/", "ftp://new.example/", "BAD_URL", "params.new_prefix: files[0].url: not an absolute"),
            ("http://old.example/", "http://me:secret@new/", "BAD_URL", "params.new_prefix: files[0].url: a user name"),
            ("http://old.example/b", "http://new/ b", "BAD_URL", "params.new_prefix: files[0].mirrors[0]: a space"),
            ("http://old.example/%4", "http://new/%", "BAD_URL", "params.new_prefix: files[1].url: a '%'"),
            ("http://old.example/", "http://new/" + 2180 * "n", "TOO_LONG", "params.new_prefix: files[0].url: "),
            ("", "http://new/", "INVALID_ARGUMENT", "params.old_prefix: must not be empty"),
            ("http://old.example/", "http://new/" + 2200 * "n", "TOO_LONG", "params.new_prefix")):
        # The schema knows no such texts either where they are empty or too long.
        call = Bridge(ferry, validate=False)
        call.hello()
        opened = call.ok("job.open", job=bridge.ok("job.get", handle=handle)["job"]["id"])["handle"]
        error = call.call("job.replaceRemotePrefix", handle=opened, old_prefix=old, new_prefix=new)["error"]["data"]
        assert error["result"] == result and error["what"].startswith(what) and "secret" not in str(error), (old, new, error)
        call.close()
    refused = ferry.run("replace-prefix", "One", "http://other/", "http://new/", check=False)
    assert refused.returncode == 4 and "no URL of the job begins with it" in refused.stderr, refused
    assert urls() == before
    # The scheme of all, mirrors too; a file counts once.
    job, = ferry.json("replace-prefix", "One", "http://", "https://")
    assert job["job"]["state"] == "SUSPENDED", job
    assert urls() == [url.replace("http:", "https:") for url in before]
    assert [event["id"] for event in ferry.events()].count(1020) == 1
    said = ferry.run("replace-prefix", "One", "https://old.example/a", "https://new.example/a").stdout
    assert ": 1 file changed; SUSPENDED" in said, said
    bridge.ok("job.cancel", handle=handle)
    bridge.close()
    ferry.close()


run(the_server_is_gone__the_job_goes_on_from_the_new_one, while_it_is_fetched__the_old_server_is_left,
    what_cannot_be_replaced__is_refused_in_words_and_nothing_changes)
