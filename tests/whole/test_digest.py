"""The digest that a file must have: what has another never gets its name, whatever was done to it on the way."""
import json
import os

from ground import MIB, Bridge, Ferry, Nginx, native, run, sha256, wait_until


def error_of(ferry, name):
    job = ferry.json("show", name)[0]["job"]
    return job["state"], (job["error"] or {}).get("result"), (job["error"] or {}).get("message", ""), job


def right_ones_land_and_wrong_ones_leave_nothing():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    for name, size in (("a.bin", 3 * MIB + 5), ("b.bin", 0), ("c.bin", 70000)):
        nginx.file(name, size)
    ferry.run("submit", "--from", ferry.listing([
        (nginx.url("a.bin"), ferry.destination("a.bin"), str(3 * MIB + 5), nginx.digest("a.bin", "sha512")),
        (nginx.url("b.bin"), ferry.destination("b.bin"), "", nginx.digest("b.bin", "sha384")),
        (nginx.url("c.bin"), ferry.destination("c.bin"), "", nginx.digest("c.bin").upper().replace("SHA", "sha"))]))
    ferry.check_landed(nginx, ["a.bin", "b.bin", "c.bin"])
    # An old file stays as it is; what came instead of the right one is gone; and both digests are said.
    path = os.path.join(ferry.landed, "old.bin")
    with open(path, "wb") as file:
        file.write(b"what was there before")
    wrong = "sha256:" + "5" * 64
    failed = ferry.run("submit", "--name", "Wrong", "--digest", wrong, nginx.url("a.bin"), native(path), check=False)
    assert failed.returncode != 0 and "DIGEST_MISMATCH" in failed.stderr, failed
    state, result, what, job = error_of(ferry, "Wrong")
    assert (state, result, job["error"]["hresult"]) == ("ERROR", "DIGEST_MISMATCH", "0x80200053"), job
    assert f"it has {nginx.digest('a.bin')} instead of {'5' * 64}" in what, what
    assert sorted(os.listdir(ferry.landed)) == ["a.bin", "b.bin", "c.bin", "old.bin"], os.listdir(ferry.landed)
    with open(path, "rb") as file:
        assert file.read() == b"what was there before"
    shown = ferry.json("show", "--files", "Wrong")
    assert any(line.get("file", {}).get("digest") == wrong for line in shown), shown
    # The server was wrong and is mended: a resume fetches all of it anew.
    asked = len(nginx.requests())
    os.replace(os.path.join(nginx.www, "c.bin"), os.path.join(nginx.www, "a.bin"))
    ferry.run("resume", "Wrong")
    wait_until(lambda: len(nginx.requests()) > asked, 30, "it is asked for again")
    wait_until(lambda: error_of(ferry, "Wrong")[0] == "ERROR", 30, "it is refused again")
    for arguments, said in ((("--digest", "md5:00", nginx.url("a.bin"), native(path)), "params.files[0].digest"),
                            (("--digest", "sha256:00", nginx.url("a.bin"), native(path)), "64 hexadecimal digits"),
                            (("--digest", wrong, nginx.url("a.bin"), native(path), nginx.url("b.bin"), native(path)), "one URL")):
        refused = ferry.run("submit", *arguments, check=False)
        assert refused.returncode != 0 and said in refused.stderr, refused
    nginx.close()
    ferry.close()


def killed_in_the_middle__the_rest_joins_what_is_on_disk():
    ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=4 * MIB)
    ferry.start()
    nginx.file("large.bin", 12 * MIB)
    for name, spoil in (("kept", False), ("spoilt", True)):
        bridge = Bridge(ferry)
        bridge.hello()
        handle = bridge.ok("job.create", name=name, auto_complete=True, files=[
            {"url": nginx.url("large.bin"), "path": ferry.destination(name), "digest": nginx.digest("large.bin")}])["handle"]
        bridge.ok("job.resume", handle=handle)
        wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["bytes"]["transferred"] > 3 * MIB, 60, "it is under way")
        bridge.close()
        ferry.kill()
        if spoil:  # a byte that was recorded long ago, as a failing disk would change it
            with open(os.path.join(ferry.landed, ferry.partials()[0]), "r+b") as file:
                file.seek(MIB)
                byte = file.read(1)[0]
                file.seek(MIB)
                file.write(bytes([byte ^ 1]))
        ferry.start()
        wait_until(lambda: error_of(ferry, name)[0] in ("ACKNOWLEDGED", "ERROR"), 60, "it ends")
        if not spoil:
            ferry.check_landed(nginx, [])
            assert sha256(os.path.join(ferry.landed, name)) == sha256(os.path.join(nginx.www, "large.bin"))
            assert any(status == 206 for _, status, _, _ in nginx.requests()), nginx.requests()
            continue
        # It may have been the disk or the server: all of it was fetched anew.
        assert error_of(ferry, name)[0] == "ACKNOWLEDGED", error_of(ferry, name)
        assert nginx.requests()[-1][1] == 200, nginx.requests()
        assert any(event["id"] == 61 and "instead of" in json.dumps(event) for event in ferry.events()), ferry.events()
        assert sha256(os.path.join(ferry.landed, name)) == sha256(os.path.join(nginx.www, "large.bin"))
    nginx.close()
    ferry.close()


def server_without_validators__the_rest_is_fetched_if_there_is_a_digest_to_judge_it_by():
    ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=4 * MIB)
    ferry.start()
    nginx.file("large.bin", 12 * MIB)
    for name, more, expected in (("judged", {"digest": nginx.digest("large.bin")}, 206), ("plain", {}, 200)):
        bridge = Bridge(ferry)
        bridge.hello()
        handle = bridge.ok("job.create", name=name, auto_complete=True, files=[
            {"url": nginx.url("bare/large.bin"), "path": ferry.destination(name), **more}])["handle"]
        bridge.ok("job.resume", handle=handle)
        wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["bytes"]["transferred"] > 3 * MIB, 60, "it is under way")
        bridge.close()
        ferry.kill()
        ferry.start()
        ferry.run("wait", name)
        assert sha256(os.path.join(ferry.landed, name)) == sha256(os.path.join(nginx.www, "large.bin"))
        assert nginx.requests()[-1][1] == expected, nginx.requests()
    nginx.close()
    ferry.close()


run(server_without_validators__the_rest_is_fetched_if_there_is_a_digest_to_judge_it_by, right_ones_land_and_wrong_ones_leave_nothing, killed_in_the_middle__the_rest_joins_what_is_on_disk)
