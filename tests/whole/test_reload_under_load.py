"""Good and bad configurations are read again and again while thirty jobs are in transfer: every file lands, and no job fails."""
import json
import os

from ground import MIB, Ferry, Nginx, run, wait_until

JOBS, RELOADS = 30, 20
KEPT = {"queue": {"background_jobs_max": JOBS}, "transfer": {"files_active_max": JOBS, "segments_per_file_max": 1, "connections_per_host_max": JOBS}}


def settings(number):
    """Each differs in something that workers have from their start, limits, slots, or what is allowed."""
    return {"queue": KEPT["queue"] | {"slice_s": 60 + number}, "rate": {"limits": [f"all {20 + number}MB/s"]},
            "transfer": KEPT["transfer"] | {"checkpoint_bytes": MIB * (1 + number % 3), "connect_timeout_ms": 30000 + number},
            "allow": {"hosts": ["127.0.0.1"] if number % 4 == 0 else []}}


def thirty_jobs_and_twenty_reloads__every_file_lands():
    ferry = Ferry(KEPT)
    path = os.path.join(ferry.data, "ferry.jsonc")
    ferry.start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=MIB // 2)
    names = [f"{number}.bin" for number in range(JOBS)]
    for name in names:
        nginx.file(name, 3 * MIB)
        ferry.submit(nginx, [name], "--name", name, "--no-wait")

    def running():
        return sum(job["state"] == "TRANSFERRING" for job in ferry.jobs())
    wait_until(lambda: running() > JOBS // 2, 60, "they run")
    for number in range(RELOADS):
        bad = number % 3 == 2
        with open(path + ".new", "w") as file:
            json.dump(settings(number) | ({"queues": {}} if bad else {}), file)
        os.replace(path + ".new", path)
        done = ferry.run("config", "reload", "--json", check=False)
        assert json.loads(done.stdout)["reload"]["taken"] == (not bad) and done.returncode == (4 if bad else 0), done
    assert running() > 0
    for name in names:
        ferry.run("wait", name)
    ferry.check_landed(nginx, names)
    failed = [event for event in ferry.events() if event["level"] == "error" and event["id"] != 1031]
    assert not failed, failed
    assert all(job["error_count"] == 0 for job in ferry.jobs() if "error_count" in job), ferry.jobs()
    nginx.close()
    ferry.close()


run(thirty_jobs_and_twenty_reloads__every_file_lands)
