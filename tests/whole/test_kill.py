"""The main job: the daemon is killed in the middle, and nothing is lost, joined wrongly or fetched twice."""
import os

from ground import MIB, Ferry, Nginx, run, wait_until

LARGE = 40 * MIB
SMALL = [f"small-{i}.bin" for i in range(30)]
CHECKPOINT = 4 * MIB


def prepare():
    ferry = Ferry({"transfer": {"checkpoint_bytes": CHECKPOINT}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=10 * MIB)
    nginx.file("large.bin", LARGE)
    for name in SMALL:
        nginx.file(name, 16384)
    return ferry, nginx


def check(ferry, nginx, kills):
    ferry.check_landed(nginx, ["large.bin"] + SMALL)
    requests = nginx.requests()
    assert any(name == "large.bin" and status == 206 and first > 0 for name, status, _, first in requests), requests
    fetched, size = sum(sent for _, _, sent, _ in requests), LARGE + 16384 * len(SMALL)
    # A crash costs at most one checkpoint of a large file, all of each small file that was open, and of those that had just
    # become whole half a checkpoint altogether.
    assert fetched <= size + kills * (CHECKPOINT + CHECKPOINT // 2 + 5 * 16384), f"{fetched} bytes fetched for {size}"


def daemon_killed_in_the_middle__waiting_client_sees_the_job_through():
    ferry, nginx = prepare()
    ferry.start()
    client = ferry.submit(nginx, ["large.bin"] + SMALL, spawn=True)
    for part in (0.3, 0.6):
        wait_until(lambda: ferry.bytes_written() > part * LARGE, 60, f"{part} of the large file written")
        ferry.kill()
        assert not os.path.exists(os.path.join(ferry.landed, "large.bin"))
        ferry.start()
    output, _ = client.communicate(timeout=60)
    assert client.returncode == 0, output
    check(ferry, nginx, kills=2)


def daemon_killed_and_nobody_says_hello__job_waits_for_its_owner():
    ferry, nginx = prepare()
    ferry.start()
    ferry.submit(nginx, ["large.bin"] + SMALL, "--no-wait")
    wait_until(lambda: ferry.bytes_written() > 0.3 * LARGE, 60, "a third of the large file written")
    ferry.kill()
    # Started so that no client connects: `start` would ask for the status, which is a hello.
    import subprocess
    ferry.process = subprocess.Popen(ferry.serve, env=ferry.environment, stdin=subprocess.DEVNULL,
                                     stdout=ferry.errors, stderr=ferry.errors)
    wait_until(lambda: sum(event["id"] == 1000 for event in ferry.events()) == 2, 30, "the second start's event")
    assert ferry.events()[-1]["id"] == 1000, "nobody is present, and nothing runs"
    assert sorted(ferry.partials()) == sorted(os.listdir(ferry.landed)) != [], "no file has its name yet"
    job = ferry.jobs()[0]
    ferry.run("wait", job["id"])
    check(ferry, nginx, kills=1)


run(daemon_killed_in_the_middle__waiting_client_sees_the_job_through,
    daemon_killed_and_nobody_says_hello__job_waits_for_its_owner)
