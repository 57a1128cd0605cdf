"""The package for Windows Installer, by the real msiexec: installed silently, upgraded in the middle of a job, mended,
removed; a downgrade is refused.

Two packages of different versions are made of the programs that were built, with these versions stamped into them.
Wine's installer stands in for Windows'; what it does otherwise is said where it matters.
"""
import os
import shutil
import struct
import subprocess
import tempfile

from ground import BIN, GROUND, MIB, SOURCE, WINE, Nginx, native, not_shown, run, skip, wait_until
from service import DATA, Service, wine

if GROUND == "linux":
    skip("there is no installer here (shown by Wine)")
for tool in ("wixl", "msibuild"):
    if shutil.which(tool) is None:
        skip(f"{tool} is not installed")
DRIVE = os.path.join(os.environ["WINEPREFIX"], "drive_c")
PROGRAM = os.path.join(DRIVE, "Program Files", "Ferry")
FILES = {"ferryd.exe", "ferry.exe", "ferry-defaults.jsonc", "LICENSE.txt", "THIRD-PARTY-NOTICES.txt"}
SERVICE_KEY = "HKLM\\System\\CurrentControlSet\\Services\\Ferry"
LOGS_KEY = "HKLM\\System\\CurrentControlSet\\Services\\EventLog"
LOG_KEY, SOURCE_KEY, OLD_SOURCE_KEY = LOGS_KEY + "\\Ferry", LOGS_KEY + "\\Ferry\\Ferry", LOGS_KEY + "\\Application\\Ferry"
LOG_RIGHTS = ("O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)"
              "(A;;0x2;;;S-1-5-80-4052256970-1309774770-3364190890-822515559-807314234)(A;;0x1;;;S-1-5-32-573)")
PATH_KEY = "HKLM\\System\\CurrentControlSet\\Control\\Session Manager\\Environment"
PRODUCTS_KEY = "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
# Exit codes are cut to eight bits here; where an action fails, Windows' installer would say 1603, too.
REFUSED, FAILED = 1603 & 0xff, 1627 & 0xff
OLDER, NEWER = "7.1.0", "7.2.0"


def stamp(path, target, version):
    """The program with another version in its texts and its resource."""
    with open(path, "rb") as file:
        content = file.read()
    for codec in "ascii", "utf-16-le":
        assert f"{BUILT}\0".encode(codec) in content, f"{path} is of another version than {BUILT}"
        content = content.replace(f"{BUILT}\0".encode(codec), f"{version}\0".encode(codec))
    content = bytearray(content)
    at = content.index(bytes.fromhex("bd04effe"))  # VS_FIXEDFILEINFO
    major, minor, patch = map(int, version.split("."))
    for offset in 8, 16:
        struct.pack_into("<4H", content, at + offset, minor, major, 0, patch)
    with open(target, "wb") as file:
        file.write(content)


def make_package(folder, version):
    programs = os.path.join(folder, version)
    os.mkdir(programs)
    for name in ("ferryd.exe", "ferry.exe"):
        stamp(os.path.join(BIN, name), os.path.join(programs, name), version)
    package = os.path.join(folder, f"ferry-{version}-x64.msi")
    subprocess.run([os.path.join(SOURCE, "packaging", "windows", "msi"), "--version", version, "--programs", programs,
                    "--out", package], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return package


def msiexec(*arguments, expected=0):
    done = subprocess.run([WINE, "msiexec", *arguments, "/qn"], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    assert expected is None or done.returncode == expected, (arguments, done)


def reg(*arguments):
    return wine("reg", *arguments).stdout


def registered(key):
    """A key's values: {name: (type, value)}."""
    lines = [line.strip().split("    ") for line in reg("query", key).splitlines() if line.startswith("    ")]
    return {name: tuple(value) for name, *value in lines}


def machine_path():
    """Without empty entries, which Wine's installer leaves behind."""
    values = {name.lower(): value for name, value in registered(PATH_KEY).items()}
    return [folder for folder in values["path"][1].split(";") if folder]


def versions():
    """Of all products that are called Ferry."""
    return [line.split()[-1] for block in reg("query", PRODUCTS_KEY, "/s").split("HKEY_")
            if "    Ferry\n" in block.replace("\r", "") for line in block.splitlines() if "DisplayVersion" in line]


def begin():
    """Nothing of Ferry is on the machine."""
    if versions() or SERVICE.state():
        stop(SERVICE)
        for package in (OLD, NEW):
            msiexec("/x", native(package), expected=None)
        SERVICE.verb("uninstall", check=False)
    for folder in (PROGRAM, DATA):
        shutil.rmtree(folder, ignore_errors=True)
    return SERVICE


def stop(service):
    """Wine's installer asks a service to stop and does not wait until it has: so it is stopped before."""
    done = service.net("stop")
    wait_until(lambda: service.pid() is None, 20, f"the service is down, {done}, {service.state()}")


def settings():
    with open(os.path.join(DATA, "ferry.jsonc")) as file:
        return file.read()


def answers(service, version):
    """The service runs, and it is that version."""
    wait_until(lambda: service.run("status", check=False).returncode == 0, 30, "it answers")
    started = [event["message"] for event in service.events() if event["id"] == 1000]
    assert started[-1].startswith(f"Ferry {version} started"), started


def package__installed_and_removed__is_what_ferryd_installs_and_leaves_the_data():
    service = begin()
    subprocess.run([WINE, "reg", "add", OLD_SOURCE_KEY, "/v", "TypesSupported", "/t", "REG_DWORD", "/d", "7", "/f"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
    service.verb("install")
    assert registered(OLD_SOURCE_KEY) == {}, "an older Ferry's source goes"
    assert registered(LOG_KEY) == {"MaxSize": ("REG_DWORD", "0x1400000"), "Retention": ("REG_DWORD", "0x0"),
                                   "CustomSD": ("REG_SZ", LOG_RIGHTS)}, registered(LOG_KEY)
    by_hand = registered(SERVICE_KEY), registered(SOURCE_KEY)
    first = settings()
    service.verb("uninstall")
    shutil.rmtree(DATA)
    path = machine_path()

    msiexec("/i", native(OLD))
    answers(service, OLDER)
    assert set(os.listdir(PROGRAM)) == FILES, os.listdir(PROGRAM)
    by_package = registered(SERVICE_KEY), registered(SOURCE_KEY)
    command = ("REG_SZ", '"C:\\Program Files\\Ferry\\ferryd.exe" service')
    assert by_package[0]["ImagePath"] == command and by_package[0]["ObjectName"][1] == "NT AUTHORITY\\NetworkService"
    assert by_package[1]["EventMessageFile"] == ("REG_SZ", "C:\\Program Files\\Ferry\\ferryd.exe"), by_package
    for ours, theirs, place in zip(by_hand, by_package, ("ImagePath", "EventMessageFile")):
        assert {**ours, place: theirs[place]} == theirs, (ours, theirs)
    assert machine_path() == path + ["C:\\Program Files\\Ferry\\"], machine_path()
    assert versions() == [OLDER], versions()
    assert settings() == first and first.endswith("{\n}\n"), first
    installed = subprocess.run([WINE, os.path.join(PROGRAM, "ferryd.exe"), "check-config"], capture_output=True, text=True,
                               timeout=60, stdin=subprocess.DEVNULL)
    assert installed.returncode == 0, installed

    stop(service)
    msiexec("/x", native(OLD))
    assert service.state() is None and registered(SERVICE_KEY) == {} and registered(SOURCE_KEY) == {} and registered(LOG_KEY) == {}
    assert not os.path.exists(PROGRAM) and machine_path() == path and versions() == []
    assert {"queue.sqlite3", "ferry.jsonc"} <= set(os.listdir(DATA)), "queue and configuration stay"
    not_shown("that the installer waits until the service has stopped", "docs/install.md, by hand on Windows")
    not_shown("that the service is set up before it is started, and as SYSTEM", "docs/install.md, by hand on Windows")
    not_shown("who may write to the folders; the service's SID and privileges", "tests/windows/test_installed.c, on Windows")


def upgrade__in_the_middle_of_a_job__goes_on_and_keeps_queue_settings_and_account():
    """Then a package of before is refused, and the same once more mends what is gone."""
    service = begin()
    own = '{ "transfer": { "segments_per_file_max": 1 } }'  # a server that is slow for each connection is to be slow
    os.mkdir(DATA)
    with open(os.path.join(DATA, "ferry.jsonc"), "w") as file:
        file.write(own)
    msiexec("/i", native(OLD), "SERVICEACCOUNT=ACME\\ferry$")
    answers(service, OLDER)
    assert settings() == own
    nginx = Nginx(os.path.join(service.folder, "nginx"), rate=5 * MIB)
    nginx.file("large.bin", 30 * MIB)
    client = service.submit(nginx, ["large.bin"], spawn=True)
    wait_until(lambda: service.bytes_written() > 12 * MIB, 30, "some of it written")
    (before,) = service.jobs()

    stop(service)
    msiexec("/i", native(NEW))
    answers(service, NEWER)
    assert versions() == [NEWER], versions()
    assert registered(SERVICE_KEY)["ObjectName"] == ("REG_SZ", "ACME\\ferry$"), registered(SERVICE_KEY)
    assert settings() == own
    assert [folder for folder in machine_path() if "Ferry" in folder] == ["C:\\Program Files\\Ferry\\"], machine_path()
    output, _ = client.communicate(timeout=60)
    assert client.returncode == 0, output
    service.check_landed(nginx, ["large.bin"])
    (after,) = service.jobs()
    assert after["id"] == before["id"] and after["state"] == "ACKNOWLEDGED", after
    resumed = [first for name, status, _, first in nginx.requests() if status == 206]
    assert len(resumed) == 1 and resumed[0] >= 8 * MIB, nginx.requests()

    msiexec("/i", native(OLD), expected=REFUSED)
    assert versions() == [NEWER] and set(os.listdir(PROGRAM)) == FILES
    answers(service, NEWER)
    stop(service)
    os.remove(os.path.join(PROGRAM, "ferry.exe"))
    msiexec("/i", native(NEW), "REINSTALL=ALL", "REINSTALLMODE=amus")
    assert versions() == [NEWER] and set(os.listdir(PROGRAM)) == FILES and settings() == own
    answers(service, NEWER)
    # One that was lost is not replaced by one that forbids nothing: not by a repair, nor when all is installed anew.
    stop(service)
    os.remove(os.path.join(DATA, "ferry.jsonc"))
    msiexec("/i", native(NEW), "REINSTALL=ALL", "REINSTALLMODE=amus")
    answers(service, NEWER)
    told = [event["message"] for event in service.events() if event["id"] == 1006]
    assert "ferry.jsonc is not there any more" in told[-1] and not os.path.exists(os.path.join(DATA, "ferry.jsonc")), told
    stop(service)
    msiexec("/x", native(NEW))
    assert service.state() is None and not os.path.exists(PROGRAM) and versions() == []
    service.verb("install")
    assert not os.path.exists(os.path.join(DATA, "ferry.jsonc"))
    os.remove(os.path.join(DATA, "ferry.good.jsonc"))
    service.verb("configure")
    assert settings().endswith("{\n}\n")
    service.verb("uninstall")


def data_folder_that_cannot_be_used__fails_the_installation():
    begin()
    with open(DATA, "w") as file:
        file.write("in the way")
    try:
        msiexec("/i", native(OLD), expected=FAILED)
    finally:
        os.remove(DATA)
        begin()
    not_shown("that a failed installation is undone", "docs/install.md, by hand on Windows")


SERVICE = Service()
BUILT = SERVICE.verb("--version").stdout.split()[1]
with tempfile.TemporaryDirectory(prefix="ferry-packages-") as packages:
    OLD, NEW = make_package(packages, OLDER), make_package(packages, NEWER)
    run(package__installed_and_removed__is_what_ferryd_installs_and_leaves_the_data,
        upgrade__in_the_middle_of_a_job__goes_on_and_keeps_queue_settings_and_account,
        data_folder_that_cannot_be_used__fails_the_installation)
