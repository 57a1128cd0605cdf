"""Limits of what is fetched, by the configuration: never faster, for whom they are meant, and off is said."""
import os
import subprocess
import time

from ground import MIB, Bridge, Ferry, Nginx, native, program, run, wait_until

KB = 1000


def memory_of(ferry):
    """Resident; under Wine the process is a Linux process, too."""
    with open(f"/proc/{ferry.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def never_faster_and_only_for_whom_it_is_meant():
    ferry = Ferry({"rate": {"limits": ["background 400kB/s", "low 200kB/s"]}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    for name, size in (("a.bin", 1000 * KB), ("b.bin", 400 * KB), ("c.bin", 30000 * KB)):
        nginx.file(name, size)
    begun = time.monotonic()
    normal = ferry.submit(nginx, ["a.bin"], "--name", "Normal", spawn=True)
    low = ferry.submit(nginx, ["b.bin"], "--name", "Low", "--priority", "low", spawn=True)
    ferry.submit(nginx, ["c.bin"], "--priority", "foreground")
    written = ferry.json("show", "Normal")[0]["job"]["bytes"]["transferred"]
    assert written < 1000 * KB, "the foreground waited behind the limits of the background"
    for job in (low, normal):
        job.communicate()
        assert job.returncode == 0
    # 3.5 s, less what comes in a burst when the first of them ends; how much slower this machine is says nothing.
    assert time.monotonic() - begun > 2.3, time.monotonic() - begun
    ferry.check_landed(nginx, ["a.bin", "b.bin", "c.bin"])
    limits = [event for event in ferry.events() if event["id"] == 205]
    assert len(limits) == 1 and "400000 B/s" in str(limits) and "200000 B/s" in str(limits), limits
    nginx.close()
    ferry.close()


def nothing_comes_faster_on_the_wire_and_nothing_is_kept_in_memory():
    """What is accounted for is not all there is: the server must have to wait, and the daemon must not take and keep it."""
    ferry = Ferry({"rate": {"limits": ["all 1MB/s"]}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    names = [f"{number}.bin" for number in range(3)]
    for name in names:
        nginx.file(name, 60000 * KB)
    before = memory_of(ferry)
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="a", files=[{"url": nginx.url(name), "path": ferry.destination(name)}
                                                      for name in names])["handle"]
    begun = time.monotonic()
    bridge.ok("job.resume", handle=handle)

    def more_than_any_burst():
        transferred = bridge.ok("job.get", handle=handle)["job"]["bytes"]["transferred"]
        return transferred if transferred > 5000 * KB else None
    written = wait_until(more_than_any_burst, 30, "bytes come at all")
    lasted = time.monotonic() - begun
    assert nginx.requests() == [], f"the server could send 60 MB in {lasted} s"
    assert written < 1500 * KB * lasted, (written, lasted)
    assert memory_of(ferry) - before < 24 * MIB, (before, memory_of(ferry))
    bridge.ok("job.cancel", handle=handle)
    wait_until(lambda: ferry.partials() == [], 10, "it is removed")
    bridge.close()
    # Small ones are not let off because each of them is within its share.
    small = [f"small{number}.bin" for number in range(100)]
    for name in small:
        nginx.file(name, 20 * KB)
    begun = time.monotonic()
    ferry.submit(nginx, small)
    assert time.monotonic() - begun > 1.4, time.monotonic() - begun  # 2 MB, less what comes at once
    ferry.check_landed(nginx, small)
    nginx.close()
    ferry.close()


def off__is_said_with_the_time_when_it_ends():
    today = time.strftime("%a").lower()
    ferry = Ferry({"rate": {"limits": [f"{today} 00:00-24:00 low off"]}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    nginx.file("a.bin", 1000)
    ferry.submit(nginx, ["a.bin"], "--name", "Low", "--priority", "low", "--no-wait")
    job = wait_until(lambda: [job for job in ferry.jobs() if job["wait"]], 10, "it waits")[0]
    assert job["state"] == "QUEUED" and job["wait"]["reason"] == "rate-off", job
    assert job["wait"]["next_try_ms"] > time.time() * 1000, job
    assert "off by rate.limits" in ferry.run("list").stdout
    assert nginx.requests() == []
    nginx.close()
    ferry.close()


def a_rule_that_is_wrong__is_named_with_its_place_and_what_it_may_be():
    ferry = Ferry()
    for text, said in (('{"rate": {"limits": ["low 1mb/s"]}}', "a rate is off, or up to 1000GB/s"),
                       ('{"rate": {"limits": ["mo-fr 8-18 low off"]}}', "days are mon to sun"),
                       ('{"rate": {"limits": ["slow"]}}', "a rule is WHO RATE"),
                       ('{"rate": {"limits": ["low off", "low off"]}}', "stands there twice"),
                       ('{"rate": {"limit": []}}', "limits")):
        path = os.path.join(ferry.folder, "ferry.jsonc")
        with open(path, "w") as file:
            file.write(text)
        done = subprocess.run(program("ferryd") + ["check-config", native(path)], capture_output=True, text=True, timeout=60,
                              env=ferry.environment)
        assert done.returncode != 0 and said in done.stderr and "line 1" in done.stderr, (text, done)
    ferry.close()


run(never_faster_and_only_for_whom_it_is_meant, nothing_comes_faster_on_the_wire_and_nothing_is_kept_in_memory, off__is_said_with_the_time_when_it_ends,
    a_rule_that_is_wrong__is_named_with_its_place_and_what_it_may_be)
