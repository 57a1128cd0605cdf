"""A large file of a server that is slow for each connection: fetched in parts, and whole."""
import os
import time

from ground import MIB, Bridge, Ferry, Nginx, run, sha256, wait_until

SIZE = 6 * MIB + 7
PARTS = {"transfer": {"segments_per_file_max": 6}}  # as by default
RATE = MIB  # of each connection: one alone takes six seconds


def parts(nginx):
    return [answer for answer in nginx.requests() if answer[1] == 206]


def slow_server__is_asked_for_parts_and_for_one_where_the_job_refuses():
    ferry = Ferry(PARTS).start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=RATE)
    for name in ("parts.bin", "one.bin"):
        nginx.file(name, SIZE)
    ferry.submit(nginx, ["parts.bin"], "--name", "Parts", "--no-wait")
    ferry.submit(nginx, ["one.bin"], "--name", "One", "--no-segments", "--no-wait")
    assert ferry.json("show", "One")[0]["job"]["no_segments"] is True
    ferry.run("wait", "--timeout", "120", "Parts", "One")
    ferry.check_landed(nginx, ["parts.bin", "one.bin"])
    asked = [answer for answer in nginx.requests() if answer[0] == "parts.bin"]
    assert len(asked) >= 5 and asked[0][1] in (200, 206), asked
    # What comes beyond a part of its own connection is thrown away: a socket's worth of it.
    assert sum(answer[2] for answer in asked) < SIZE + 4 * MIB, asked
    assert [answer[1:3] for answer in nginx.requests() if answer[0] == "one.bin"] == [(200, SIZE)], nginx.requests()
    nginx.close()
    ferry.close()


def killed_among_parts__goes_on_from_what_is_whole():
    ferry = Ferry({"transfer": {"checkpoint_bytes": MIB, **PARTS["transfer"]}}).start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=RATE)
    nginx.file("large.bin", SIZE)
    ferry.run("submit", "--name", "Large", "--no-wait", "--digest", nginx.digest("large.bin"), nginx.url("large.bin"),
              ferry.destination("large.bin"))
    wait_until(lambda: len(parts(nginx)) > 3, 60, "some parts came")
    ferry.kill()
    recorded = len(nginx.requests())
    ferry.start()
    bridge = Bridge(ferry)  # its owner is there
    bridge.hello()
    ferry.run("wait", "--timeout", "120", "Large")
    first = nginx.requests()[recorded:]
    assert min(answer[3] for answer in first if answer[1] == 206) > 0 and all(answer[1] == 206 for answer in first), first
    ferry.check_landed(nginx, ["large.bin"])
    bridge.close()
    nginx.close()
    ferry.close()


def replaced_among_parts__lands_as_one_or_the_other():
    ferry = Ferry(PARTS).start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=RATE)
    nginx.file("large.bin", SIZE)
    nginx.file("other.bin", SIZE)
    os.utime(os.path.join(nginx.www, "other.bin"), (time.time(), time.time()))
    either = {sha256(os.path.join(nginx.www, name)) for name in ("large.bin", "other.bin")}
    ferry.submit(nginx, ["large.bin"], "--name", "Large", "--no-wait")
    wait_until(lambda: len(parts(nginx)) > 1, 60, "some parts came")
    os.replace(os.path.join(nginx.www, "other.bin"), os.path.join(nginx.www, "large.bin"))
    ferry.run("wait", "--timeout", "120", "Large")
    assert sha256(os.path.join(ferry.landed, "large.bin")) in either
    nginx.close()
    ferry.close()


run(slow_server__is_asked_for_parts_and_for_one_where_the_job_refuses, killed_among_parts__goes_on_from_what_is_whole,
    replaced_among_parts__lands_as_one_or_the_other)
