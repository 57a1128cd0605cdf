"""Many clients at once, and clients that vanish."""
import os
import threading
import time

from ground import MIB, Bridge, Ferry, Nginx, run, wait_until

CLIENTS = 16


def sixteen_clients_at_once__each_gets_its_files():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    names = [[f"c{client}-{i}.bin" for i in range(5)] for client in range(CLIENTS)]
    for some in names:
        for name in some:
            nginx.file(name, 20000)
    ferry.start()
    clients = [ferry.submit(nginx, some, "--name", f"client {n}", spawn=True) for n, some in enumerate(names)]
    for client in clients:
        output, _ = client.communicate(timeout=120)
        assert client.returncode == 0, output
    ferry.check_landed(nginx, [name for some in names for name in some])
    assert len(ferry.jobs()) == CLIENTS


def client_that_vanishes_in_the_middle__job_goes_on_without_it():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=4 * MIB)
    nginx.file("large.bin", 12 * MIB)
    ferry.start()
    client = ferry.submit(nginx, ["large.bin"], spawn=True)
    wait_until(lambda: ferry.bytes_written() > 2 * MIB, 30, "some of it written")
    client.kill()
    client.communicate()
    wait_until(lambda: os.path.exists(os.path.join(ferry.landed, "large.bin")), 30, "the file lands")
    ferry.check_landed(nginx, ["large.bin"])
    wait_until(lambda: ferry.jobs()[0]["state"] == "ACKNOWLEDGED", 10, "the job ends")
    assert len(nginx.requests()) == 1


def client_that_never_reads__does_not_delay_the_others():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    names = [f"{i}.bin" for i in range(40)]
    for name in names:
        nginx.file(name, 5000)
    ferry.start()
    deaf = Bridge(ferry)
    deaf.hello()
    deaf.ok("events.subscribe")  # from here on nobody reads what the bridge is sent
    begun = time.monotonic()
    ferry.submit(nginx, names)
    assert time.monotonic() - begun < 20
    ferry.check_landed(nginx, names)
    deaf.process.kill()
    deaf.process.wait()


def half_a_submit__leaves_a_suspended_job_that_its_key_finds_again():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    url = nginx.file("a.bin", 1000)
    ferry.start()
    first = Bridge(ferry)
    first.hello()
    made = first.ok("job.create", name="half", key="k", files=[{"url": url, "path": ferry.destination("a.bin")}])
    assert made["created"]
    first.process.kill()
    first.process.wait()
    second = Bridge(ferry)
    second.hello()
    found = second.ok("job.create", name="half", key="k", auto_complete=True,
                      files=[{"url": url, "path": ferry.destination("a.bin")}])
    assert not found["created"] and found["job"]["id"] == made["job"]["id"] and found["job"]["state"] == "SUSPENDED"
    second.ok("job.resume", handle=found["handle"])
    wait_until(lambda: second.ok("job.get", handle=found["handle"])["job"]["state"] == "TRANSFERRED", 20, "fetched")
    assert not os.path.exists(os.path.join(ferry.landed, "a.bin"))
    second.ok("job.complete", handle=found["handle"])
    wait_until(lambda: second.ok("job.get", handle=found["handle"])["job"]["state"] == "ACKNOWLEDGED", 20, "complete")
    ferry.check_landed(nginx, ["a.bin"])
    second.close()


run(sixteen_clients_at_once__each_gets_its_files, client_that_vanishes_in_the_middle__job_goes_on_without_it,
    client_that_never_reads__does_not_delay_the_others,
    half_a_submit__leaves_a_suspended_job_that_its_key_finds_again)
