"""The service under the service manager: installed, started, killed, stopped in the middle, uninstalled.

Wine's manager stands in for Windows': it starts and stops the real program but only stores the account (docs/testing.md).
"""
import os
import subprocess
import time

from ground import BIN, GROUND, MIB, WINE, Nginx, run, skip, wait_until
from service import DATA, Service, wine

if GROUND == "linux":
    skip("there is no service manager here")
PARAMCHANGE = 6


def installed_service__runs_is_killed_stops_and_goes_on():
    service = Service()
    subprocess.run(["rm", "-rf", DATA], check=True)
    nginx = Nginx(os.path.join(service.folder, "nginx"), rate=5 * MIB)
    nginx.file("large.bin", 40 * MIB)
    service.verb("install")
    with open(os.path.join(DATA, "ferry.jsonc"), "w") as file:  # a server that is slow for each connection is to be slow
        file.write('{ "transfer": { "segments_per_file_max": 1 } }')
    key = "HKLM\\System\\CurrentControlSet\\Services\\Ferry"
    again = service.verb("install", check=False)
    assert again.returncode == 2 and "ALREADY_INSTALLED" in again.stderr, again
    config = wine("reg", "query", key).stdout
    assert "NT AUTHORITY\\NetworkService" in config and "ferryd.exe" in config, config
    service.verb("configure")
    service.up()
    assert service.state() == "RUNNING"
    # The client talks to it only after it found the pipe's owner to be NT SERVICE\\Ferry: no --console here.
    client = service.submit(nginx, ["large.bin"], spawn=True)

    wait_until(lambda: service.bytes_written() > 6 * MIB, 30, "some of it written")
    os.kill(service.pid(), 9)
    wait_until(lambda: service.pid() is None, 10, "the process is gone")
    service.up()
    wait_until(lambda: service.bytes_written() > 16 * MIB, 30, "more of it written")

    begun = time.monotonic()
    service.net("stop")
    wait_until(lambda: service.pid() is None, 10, "the service is down")
    took = time.monotonic() - begun
    assert took < 2 + 1, f"the stop took {took:.2f} s (2 s, and starting net.exe under Wine)"
    assert service.state() == "STOPPED"
    service.up()
    output, _ = client.communicate(timeout=60)
    assert client.returncode == 0, output
    service.check_landed(nginx, ["large.bin"])
    resumed = [first for name, status, _, first in nginx.requests() if status == 206]
    assert len(resumed) == 2 and resumed[1] > resumed[0] > 0, nginx.requests()

    ids = [event["id"] for event in service.events()]
    assert ids.count(1000) == 3 and ids.count(1001) == 1 and ids.count(4) == 1, ids
    service.net("stop")
    service.verb("uninstall")
    assert service.state() is None
    again = service.verb("uninstall", check=False)
    assert again.returncode == 2 and "NOT_INSTALLED" in again.stderr, again
    assert os.path.exists(os.path.join(DATA, "queue.sqlite3")), "the queue stays"


def configuration__read_again_by_paramchange__holds_at_once():
    service = Service()
    subprocess.run(["rm", "-rf", DATA], check=True)
    service.verb("install")
    service.up()
    path = os.path.join(DATA, "ferry.jsonc")

    def reload(text, number):
        with open(path, "w") as file:
            file.write(text)
        before = [event for event in service.events() if event["id"] == number]
        control = subprocess.run([WINE, os.path.join(BIN, "tests", "control.exe"), "Ferry", str(PARAMCHANGE)],
                                 capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert control.returncode == 0, control
        return wait_until(lambda: [event for event in service.events() if event["id"] == number][len(before):], 30,
                          f"event {number}")[0]["message"]
    said = reload('{ "rate": { "limits": ["all 1MB/s"] }, "door": { "connections_max": 64 } }', 1030)
    assert "rate.limits 0 -> 1 entries" in said and "start on: door.connections_max 128 -> 64" in said, said
    assert "1000000 B/s in all" in [event["message"] for event in service.events() if event["id"] == 205][-1]
    said = reload('{\n  "queue": { "slice_s": 1 } }', 1031)
    assert "ferry.jsonc: line 2, column 25: queue.slice_s: 1 is not a whole number from 10 to 86400" in said, said
    assert service.state() == "RUNNING"
    service.net("stop")
    wait_until(lambda: service.pid() is None, 10, "the service is down")
    # It reads nothing before it runs and after it stopped.
    control = subprocess.run([WINE, os.path.join(BIN, "tests", "control.exe"), "Ferry", str(PARAMCHANGE)],
                             capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert control.returncode == 1 and "1062" in control.stdout, control
    service.verb("uninstall")


def service_verb_without_a_manager__says_so():
    done = Service().verb("service", check=False)
    assert done.returncode == 2 and "ferryd: service:" in done.stderr, done


run(installed_service__runs_is_killed_stops_and_goes_on, configuration__read_again_by_paramchange__holds_at_once,
    service_verb_without_a_manager__says_so)
