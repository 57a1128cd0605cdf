"""Ferry as an installed service, for whole tests on grounds that have a service manager."""
import os
import subprocess

from ground import WINE, Ferry, program, wait_until

DATA = os.path.join(os.environ.get("WINEPREFIX", ""), "drive_c", "ProgramData", "Ferry")


def wine(*command):
    """Run one of Wine's programs that always say something; once more if its start was lost (docs/testing.md)."""
    for _ in range(2):
        done = subprocess.run([WINE, *command], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        if done.stdout or done.stderr:
            break
        print(f"NOTE: Wine lost the start of {' '.join(command)}; it is started again", flush=True)
    return done


class Service(Ferry):
    """Ferry as it is installed: its known data folder and pipe."""

    def __init__(self):
        super().__init__()
        self.data = DATA

    def arguments(self, arguments):
        return self.client + list(arguments)

    def verb(self, *verb, check=True):
        done = subprocess.run(program("ferryd") + list(verb), capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, (verb, done.stdout, done.stderr)
        return done

    def state(self):
        done = subprocess.run([WINE, "sc", "query", "Ferry"], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        for line in done.stdout.splitlines():
            if "STATE" in line:
                return line.split()[-1]
        return None

    def net(self, verb):
        return wine("net", verb, "Ferry")

    def up(self):
        """Start it and wait until it answers: after a kill Wine's manager believes for a while that it still runs."""
        self.net("start")
        wait_until(lambda: self.run("status", check=False).returncode == 0 or self.net("start") is None, 30, "it answers")

    def pid(self):
        """The Unix process that runs our ferryd.exe as the service."""
        prefix = os.environ["WINEPREFIX"]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as file:
                    command = file.read().split("\0")
                with open(f"/proc/{pid}/environ") as file:
                    ours = f"WINEPREFIX={prefix}" in file.read().split("\0")
            except OSError:
                continue
            if ours and command[0].lower().rstrip('"').endswith("ferryd.exe") and "service" in command[1:]:
                return int(pid)
        return None

    def close(self):
        self.net("stop")
        self.verb("uninstall", check=False)
        subprocess.run(["rm", "-rf", DATA], check=False)
        super().close()
