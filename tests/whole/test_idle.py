"""No polling anywhere: an idle daemon sleeps.  Counted, not timed: the kernel tells how often each thread woke."""
import glob
import os
import time

from ground import Ferry, Nginx, run, skip

if os.environ.get("FERRY_SANITIZE") == "thread":
    skip("ThreadSanitizer has a thread of its own, which wakes: the other presets count")


def wakes(pid):
    """How often each thread of the process gave up the processor of its own accord."""
    counts = {}
    for status in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(status) as file:
            for line in file:
                if line.startswith("voluntary_ctxt_switches"):
                    counts[status.split("/")[4]] = int(line.split()[1])
    return counts


def settled(pid):
    """The counts once two looks in a row agree."""
    before = wakes(pid)
    while True:
        time.sleep(0.5)
        now = wakes(pid)
        if now == before:
            return now
        before = now


def idle_daemon__wakes_not_once_in_five_seconds():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("a.bin", 5000)
    ferry.start()
    ferry.submit(nginx, ["a.bin"])  # workers exist now, idle
    before = settled(ferry.process.pid)
    time.sleep(5)  # the thing measured: five seconds in which nothing is to happen
    after = wakes(ferry.process.pid)
    assert after == before, f"thread: wake-ups before {before}, after {after}"


run(idle_daemon__wakes_not_once_in_five_seconds)
