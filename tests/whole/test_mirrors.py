"""Files that can be had from several servers: one that fails is left for the next, in the middle too where that is proven."""
import os
import socket

from ground import MIB, Bridge, Ferry, Nginx, run, sha256, wait_until


def nobody():
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def twins(ferry, rate=0):
    """Two servers that have the same."""
    first, second = (Nginx(os.path.join(ferry.folder, name), rate) for name in ("first", "second"))
    return first, second


def copy(name, source, target):
    with open(os.path.join(source.www, name), "rb") as file, open(os.path.join(target.www, name), "wb") as to:
        to.write(file.read())


def file_of(ferry, name):
    return [line["file"] for line in ferry.json("show", "--files", name) if "file" in line][0]


def what_the_first_does_not_have__comes_from_the_next():
    ferry = Ferry()
    first, second = twins(ferry)
    ferry.start()
    second.file("a.bin", MIB)
    dead = f"http://127.0.0.1:{nobody()}/a.bin?token=secret"
    ferry.run("submit", "--name", "One", "--mirror", dead, "--mirror", second.url("a.bin"), first.url("a.bin"),
              ferry.destination("a.bin"))
    ferry.check_landed(second, ["a.bin"])
    file = file_of(ferry, "One")
    assert (file["mirrors"], file["source"], file["url"]) == (2, 2, first.url("a.bin")), file
    assert [answer[:2] for answer in first.requests()] == [("a.bin", 404)], first.requests()
    failed = [event for event in ferry.events() if event["id"] == 61]
    assert len(failed) == 2 and "secret" not in str(ferry.events()), failed
    # A list says it of each file; one without a digest leaves that empty.
    ferry.run("submit", "--from", ferry.listing([
        (first.url("a.bin"), ferry.destination("b.bin"), "", second.digest("a.bin"), second.url("a.bin")),
        (first.url("a.bin"), ferry.destination("c.bin"), "", "", dead, second.url("a.bin"))]))
    for name in ("b.bin", "c.bin"):
        assert sha256(os.path.join(ferry.landed, name)) == sha256(os.path.join(second.www, "a.bin"))
    # What is wrong is said before anything is asked, without what may be secret in it.
    asked = len(first.requests())
    for arguments, said in ((["--mirror", "ftp://127.0.0.1/secret"], "mirror 1 of URL 1"),
                            (["--mirror", dead] * 9, "--mirror is given more than 8 times"),
                            (["--mirror", dead, first.url("x"), ferry.destination("x")], "--mirror is for one URL")):
        refused = ferry.run("submit", *arguments, first.url("a.bin"), ferry.destination("d.bin"), check=False)
        assert refused.returncode != 0 and said in refused.stderr and "secret" not in refused.stderr, refused
    bridge = Bridge(ferry)
    bridge.hello()
    error = bridge.call("job.create", name="x", files=[{"url": "http://h/", "path": ferry.destination("x"),
                                                        "mirrors": ["http://h/", "http://me:secret@h/"]}])["error"]
    assert error["data"]["what"].startswith("params.files[0].mirrors[1]") and "secret" not in str(error), error
    assert len(first.requests()) == asked
    bridge.close()
    for server in (first, second):
        server.close()
    ferry.close()


def the_first_has_another_file__the_right_one_comes_from_the_next():
    ferry = Ferry()
    first, second = twins(ferry)
    ferry.start()
    first.file("a.bin", MIB)
    second.file("a.bin", MIB)
    ferry.run("submit", "--name", "One", "--digest", second.digest("a.bin"), "--mirror", second.url("a.bin"),
              first.url("a.bin"), ferry.destination("a.bin"))
    ferry.check_landed(second, ["a.bin"])
    # None has the right one: nothing is left, and it is said.
    failed = ferry.run("submit", "--name", "Two", "--digest", "sha256:" + "5" * 64, "--mirror", second.url("a.bin"),
                       first.url("a.bin"), ferry.destination("b.bin"), check=False)
    assert failed.returncode != 0 and "DIGEST_MISMATCH" in failed.stderr, failed
    assert os.listdir(ferry.landed) == ["a.bin"], os.listdir(ferry.landed)
    for server in (first, second):
        server.close()
    ferry.close()


def dies_in_the_middle__the_next_goes_on_only_where_a_digest_proves_it():
    for name, proven in (("proven", True), ("unproven", False)):
        ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}})
        first, second = twins(ferry, rate=4 * MIB)
        ferry.start()
        first.file("large.bin", 12 * MIB)
        copy("large.bin", first, second)
        bridge = Bridge(ferry)
        bridge.hello()
        more = {"digest": first.digest("large.bin")} if proven else {}
        handle = bridge.ok("job.create", name=name, auto_complete=True, files=[
            {"url": first.url("large.bin"), "path": ferry.destination("large.bin"), "mirrors": [second.url("large.bin")],
             **more}])["handle"]
        bridge.ok("job.resume", handle=handle)
        wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["bytes"]["transferred"] > 3 * MIB, 60, "it is under way")
        first.close()
        ferry.run("wait", name)
        ferry.check_landed(second, ["large.bin"])
        (_, status, sent, begin), *others = second.requests()
        assert others == [], others
        if proven:
            assert status == 206 and begin > 3 * MIB and sent == 12 * MIB - begin, second.requests()
        else:
            assert status == 200 and sent == 12 * MIB, second.requests()
        assert file_of(ferry, name)["source"] == 1
        bridge.close()
        second.close()
        ferry.close()


run(what_the_first_does_not_have__comes_from_the_next, the_first_has_another_file__the_right_one_comes_from_the_next,
    dies_in_the_middle__the_next_goes_on_only_where_a_digest_proves_it)
