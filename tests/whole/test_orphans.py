"""Partial files that belong to no job are removed, and nothing else is."""
import os

from ground import MIB, Ferry, Nginx, run, wait_until


def queue_that_is_lost__leaves_no_partial_files_behind():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=MIB)
    nginx.file("large.bin", 20 * MIB)
    nginx.file("small.bin", 1000)
    ferry.start()
    ferry.submit(nginx, ["large.bin"], "--no-wait")
    wait_until(ferry.partials, 20, "a partial file")
    ferry.kill()
    (orphan,) = ferry.partials()
    for name in os.listdir(ferry.data):
        if name.startswith("queue.sqlite3"):
            os.remove(os.path.join(ferry.data, name))
    mark = orphan.split("-")[1]
    others = [orphan.replace(mark, "0" * len(mark)),  # another Ferry's, in a folder that both use
              orphan.replace(".part", ".partial"), orphan + ".part", ".ferry-" + mark + ".part"]
    for name in others:
        with open(os.path.join(ferry.landed, name), "w") as file:
            file.write(name)

    ferry.start()
    assert orphan in ferry.partials()  # nobody whose file it is has been seen yet
    ferry.submit(nginx, ["small.bin"])
    wait_until(lambda: not os.path.exists(os.path.join(ferry.landed, orphan)), 20, "the orphan is gone")
    assert sorted(os.listdir(ferry.landed)) == sorted(others + ["small.bin"]), os.listdir(ferry.landed)
    (event,) = [event for event in ferry.events() if event["id"] == 1010]
    assert event["message"].endswith(": 1.") and ferry.landed.replace("/", "\\")[-20:] in event["message"].replace(
        "/", "\\"), event


def partial_files_of_jobs__are_left_to_them():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=4 * MIB)
    for name in ("whole.bin", "large.bin", "late.bin"):
        nginx.file(name, 12 * MIB if name == "large.bin" else 1000)
    ferry.start()
    ferry.submit(nginx, ["whole.bin"], "--no-complete")  # whole, and waits for its owner to complete it
    ferry.submit(nginx, ["large.bin"], "--no-wait", "--no-complete", "--name", "large")
    wait_until(lambda: ferry.bytes_written() > 2 * MIB, 20, "some of it written")
    ferry.run("suspend", "large")
    before = sorted(ferry.partials())
    assert len(before) == 2
    ferry.kill()
    ferry.start()
    ferry.submit(nginx, ["late.bin"])
    assert sorted(ferry.partials()) == before
    ferry.run("resume", "large")
    ferry.run("wait", "large")
    for job in ferry.jobs():
        if job["state"] == "TRANSFERRED":
            ferry.run("complete", job["id"])
    ferry.check_landed(nginx, ["whole.bin", "large.bin", "late.bin"])
    assert not [event for event in ferry.events() if event["id"] == 1010]


def sweep__ends_and_tells_what_it_removed():
    def tell():
        return [event["count"] for event in ferry.events() if event["id"] == 1010]

    ferry = Ferry({"transfer": {"files_active_per_job_max": 1}})  # each file that begins may sweep
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    names = [f"{number}.bin" for number in range(20)]
    for name in names:
        nginx.file(name, 10)
    ferry.start()
    with open(os.path.join(ferry.data, "queue.mark")) as file:
        mark = file.read()
    # More than one sweep takes, and nothing of it can be removed: it is not tried again and again, and not told.
    stubborn = [f".ferry-{mark}-{number:032x}.part" for number in range(300)]
    for name in stubborn:
        os.mkdir(os.path.join(ferry.landed, name))
    ferry.submit(nginx, names)
    assert sorted(ferry.partials()) == stubborn
    assert tell() == [], tell()
    for name in stubborn:
        os.rmdir(os.path.join(ferry.landed, name))
        open(os.path.join(ferry.landed, name), "w").close()
    ferry.kill()
    ferry.start()
    ferry.submit(nginx, names)
    wait_until(lambda: sum(tell()) == 300, 20, "all are removed")
    ferry.check_landed(nginx, names)


run(sweep__ends_and_tells_what_it_removed,
    queue_that_is_lost__leaves_no_partial_files_behind, partial_files_of_jobs__are_left_to_them)
