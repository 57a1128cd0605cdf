"""The configuration is read again while the service runs: what it changes holds for downloads on their way, what is wrong
changes nothing and is told, and a stop in the middle is a stop.
"""
import os
import signal

from ground import GROUND, MIB, Bridge, Ferry, Nginx, native, run, skip, wait_until

if GROUND != "linux":
    skip("in the foreground nobody has it read again; whole.service shows it under the service manager")
import json
import time


class Reloading(Ferry):
    def configure(self, text):
        """As editors do: a new file takes the place of the old one.  Settings are those of the start, and these."""
        path = os.path.join(self.data, "ferry.jsonc")
        if isinstance(text, dict):
            text["transfer"] = {"segments_per_file_max": 1, **text.get("transfer", {})}
        with open(path + ".new", "w") as file:
            file.write(text if isinstance(text, str) else json.dumps(text))
        os.rename(path + ".new", path)

    def told(self, number):
        return [event["message"] for event in self.events() if event["id"] == number]

    def reload(self, number=1030):
        """The message of the event that it ends with."""
        before = len(self.told(number))
        self.process.send_signal(signal.SIGHUP)
        return wait_until(lambda: self.told(number)[before:], 30, f"event {number}")[0]

    def limit(self, *limits):
        self.configure({"rate": {"limits": limits}})
        return self.reload()


def a_download_on_its_way__slows_down_and_speeds_up_again():
    ferry = Reloading().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=2 * MIB)
    nginx.file("large.bin", 200 * MIB)
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="a", files=[{"url": nginx.url("large.bin"), "path": ferry.destination("large.bin")}])["handle"]
    bridge.ok("job.resume", handle=handle)

    def transferred():
        return bridge.ok("job.get", handle=handle)["job"]["bytes"]["transferred"]
    wait_until(lambda: transferred() > 4 * MIB, 60, "it runs")
    said = ferry.limit("all 300kB/s")
    assert "rate.limits 0 -> 1 entries" in said and "From the next start on: nothing" in said, said
    time.sleep(4)  # what is under way in sockets, and curl's mean of some seconds, come at the old rate
    first, begun = transferred(), time.monotonic()
    wait_until(lambda: transferred() > first + 600_000, 60, "it goes on")
    lasted, came = time.monotonic() - begun, transferred() - first
    assert came < 600_000 * lasted + 600_000, f"{came} bytes in {lasted} s"
    assert bridge.ok("job.get", handle=handle)["job"]["state"] == "TRANSFERRING"
    # Its worker keeps the checkpoint of 8 MiB; if anybody waited for one of the new size, it would be for ever.
    ferry.configure({"rate": {"limits": ["all 100MB/s"]}, "transfer": {"checkpoint_bytes": 64 * MIB}})
    ferry.reload()
    first = transferred()
    wait_until(lambda: transferred() > first + 16 * MIB, 50, "it is fast again")  # the old limit had let through 15 MB
    ferry.limit("background off")
    wait_until(lambda: (bridge.ok("job.get", handle=handle)["job"]["wait"] or {}).get("reason") == "rate-off", 30, "it waits")
    ferry.configure({})
    assert "rate.limits 1 -> 0 entries" in ferry.reload()
    first = transferred()
    wait_until(lambda: transferred() > first + MIB, 60, "it goes on")
    requests = [request for request in nginx.requests() if request[0] == "large.bin"]
    assert all(status == 206 for _, status, _, _ in requests[1:]), requests  # nothing was fetched anew
    bridge.ok("job.cancel", handle=handle)
    bridge.close()
    nginx.close()
    ferry.close()


def a_file_that_is_wrong_or_gone__changes_nothing_and_is_told():
    ferry = Reloading({"queue": {"background_jobs_max": 2}}).start()
    path = os.path.join(ferry.data, "ferry.jsonc")
    rows = [('{\n  "queue": { "background_jobs_max": 0, "slice_s": 60 }\n}\n',
             (native(path) + ": line 2, column 37: queue.background_jobs_max", "0 is not a whole number from 1 to 64")),
            ('{ "rate": { "limits": ["low 1mb/s"] } }', ("line 1", "rate.limits[0]", "a rate is off, or up to 1000GB/s")),
            ('{ "queue": { "slices": 60 } }', ("queue.slices: there is no such key; the nearest is queue.slice_s",)),
            ('{ "queue": ', ("line 1",))]
    for text, parts in rows:
        ferry.configure(text)
        said = ferry.reload(1031)
        assert all(part in said for part in parts) and "everything stays as it was" in said, said
    os.remove(path)
    said = ferry.reload(1031)
    assert ferry.data in said and "not there any more" in said and "{}" in said, said
    os.mkdir(path)
    assert "it is a folder" in ferry.reload(1031)
    os.rmdir(path)
    # Nothing of all that was taken: against what holds, this file changes one number.
    ferry.configure({"queue": {"background_jobs_max": 2, "slice_s": 60}})
    assert "In effect now: queue.slice_s 900 -> 60. From the next start on: nothing." in ferry.reload()
    assert "In effect now: nothing." in ferry.reload()
    # What only a start reads is told each time until the file is as the start was.
    ferry.configure({"door": {"connections_max": 64}, "log": {"files_max": 9}})
    for _ in range(2):
        assert "From the next start on: door.connections_max 128 -> 64, log.files_max 5 -> 9." in ferry.reload()
    ferry.close()


def none_was_there_at_the_start__the_defaults_hold_until_there_is_one():
    ferry = Reloading(None).start()
    assert "In effect now: nothing." in ferry.reload()
    ferry.configure('{ "door": { "handles_per_connection_max": 1 } }')
    bridge = Bridge(ferry)
    bridge.hello()
    create = {"name": "a", "files": [{"url": "http://127.0.0.1:9/a", "path": ferry.destination("a")}]}
    bridge.ok("job.create", **create)
    assert "door.handles_per_connection_max 256 -> 1" in ferry.reload()
    assert "error" in bridge.call("job.create", **create)  # of a connection that was there before
    os.remove(os.path.join(ferry.data, "ferry.jsonc"))
    ferry.reload(1031)
    assert "error" in bridge.call("job.create", **create)
    bridge.close()
    ferry.close()


def limits_of_the_queue__hold_for_what_runs():
    ferry = Reloading({"queue": {"background_jobs_max": 3}}).start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=MIB)
    names = [f"{number}.bin" for number in range(3)]
    for name in names:
        nginx.file(name, 6 * MIB)
        ferry.submit(nginx, [name], "--name", name, "--no-wait")

    def running():
        return sum(job["state"] == "TRANSFERRING" for job in ferry.jobs())
    wait_until(lambda: running() == 3, 30, "all run")
    ferry.configure({"queue": {"background_jobs_max": 1}, "transfer": {"checkpoint_bytes": MIB}})
    ferry.reload()
    wait_until(lambda: running() == 1, 30, "one runs")
    ferry.configure({"queue": {"background_jobs_max": 3}, "transfer": {"checkpoint_bytes": 64 * MIB}})
    ferry.reload()
    for name in names:
        ferry.run("wait", name)
    ferry.check_landed(nginx, names)
    nginx.close()
    ferry.close()


def reloads_in_a_row_and_while_it_starts_and_stops__are_fine():
    ferry = Reloading({"rate": {"limits": ["all 1MB/s"]}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("large.bin", 60 * MIB)
    for turn in range(3):
        ferry.start()
        if turn == 0:
            ferry.submit(nginx, ["large.bin"], "--no-wait")
        for number in range(50):
            ferry.configure({"rate": {"limits": [f"all {number + 1}00kB/s"]}, "worker": {"idle_s": number + 1}})
            ferry.process.send_signal(signal.SIGHUP)
        # The last one is not lost behind those before it.
        wait_until(lambda: "5000000 B/s" in ferry.told(205)[-1], 30, "the last one holds")
        for _ in range(20):
            ferry.process.send_signal(signal.SIGHUP)
        ferry.process.send_signal(signal.SIGTERM)
        for _ in range(20):
            ferry.process.send_signal(signal.SIGHUP)
        _, code = ferry.terminate()
        assert code == 0, code
    ferry.close()


run(a_download_on_its_way__slows_down_and_speeds_up_again, a_file_that_is_wrong_or_gone__changes_nothing_and_is_told,
    none_was_there_at_the_start__the_defaults_hold_until_there_is_one, limits_of_the_queue__hold_for_what_runs,
    reloads_in_a_row_and_while_it_starts_and_stops__are_fine)
