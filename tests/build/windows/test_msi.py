#!/usr/bin/env python3
"""The package for Windows Installer, by its tables: what no installer here would notice, and what a mistake would cost on Windows.

tests/whole/test_install.py has it installed.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = {"ferryd.exe", "ferry.exe"}
FILES = PROGRAMS | {"ferry-defaults.jsonc", "LICENSE.txt", "THIRD-PARTY-NOTICES.txt"}
LOG_RIGHTS = "".join(re.findall(r'^\tL"([^"]+)"', (Path(os.environ["FERRY_SOURCE"]) / "daemon/platform/win32/security.h").read_text(), re.M))
MAKE = Path(os.environ["FERRY_SOURCE"]) / "packaging/windows/msi"
complaints = []


def hold(what, true):
    if not true:
        complaints.append(what)


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def make(folder, name, version):
    run(MAKE, "--version", version, "--programs", os.environ["FERRY_BIN"], "--out", folder / name)
    return folder / name


def table(package, name):
    """Its rows, as dictionaries."""
    head, _, _, *rows = run("msiinfo", "export", package, name).replace("\r", "").split("\n")
    return [dict(zip(head.split("\t"), row.split("\t"))) for row in rows if row]


def properties(package):
    return {row["Property"]: row["Value"] for row in table(package, "Property")}


def package_code(package):
    (line,) = [line for line in run("msiinfo", "suminfo", package).split("\n") if line.startswith("Revision")]
    return line.split()[-1]


def check_service(package):
    (service,) = table(package, "ServiceInstall")
    said = properties(package)
    hold("the service is NetworkService's", service["StartName"] == "[SERVICEACCOUNT]" and
         said["SERVICEACCOUNT"] == "NT AUTHORITY\\NetworkService")
    hold("it has no password", service["Password"] == "")
    hold("who is no administrator cannot name the account", "SERVICEACCOUNT" not in said["SecureCustomProperties"])
    (search,) = table(package, "RegLocator")
    hold("an account that was given to it is kept", table(package, "AppSearch") == [
        {"Property": "SERVICEACCOUNT", "Signature_": search["Signature_"]}] and
         (search["Root"], search["Key"], search["Name"]) == ("2", "SYSTEM\\CurrentControlSet\\Services\\Ferry", "ObjectName"))
    hold("it is a process of its own and starts by itself, as ferryd.exe service",
         (service["ServiceType"], service["StartType"], service["Arguments"]) == ("16", "2", "service"))
    hold("without it nothing is installed", service["ErrorControl"] == str(0x8000 + 1))
    (control,) = table(package, "ServiceControl")
    # 1 start when installed, 2 and 32 stop before and after, 128 delete when removed
    hold("it is stopped, started, deleted, and waited for", (control["Name"], control["Event"], control["Wait"]) == ("Ferry", "163", "1"))


def check_files(package, version):
    files, components = table(package, "File"), {row["Component"]: row for row in table(package, "Component")}
    hashed = {row["File_"] for row in table(package, "MsiFileHash")}
    features = [row["Component_"] for row in table(package, "FeatureComponents")]
    hold("these files", {file["FileName"].split("|")[-1] for file in files} == FILES)
    hold("each component has a file, a feature, a code of its own", sorted(components) == sorted(features) ==
         sorted(file["Component_"] for file in files) and len({row["ComponentId"] for row in components.values()}) == len(files))
    for file in files:
        name, component = file["FileName"].split("|")[-1], components[file["Component_"]]
        hold(f"{name}: its component is known by it, has 64 bits, lies in the program's folder",
             (component["KeyPath"], component["Attributes"], component["Directory_"]) == (file["File"], "256", "ProgramFolder"))
        # Without a version, the installer would keep an older program, which has one.
        hold(f"{name}: told by its version, or else by its hash",
             (file["Version"], file["File"] in hashed) == ((version + ".0", False) if name in PROGRAMS else ("", True)))
        hold(f"{name}: has a name of eight and three", re.fullmatch(r"[^.]{1,8}\.[^.]{1,3}", file["FileName"].split("|")[0]))
    folders = {row["Directory"]: row["Directory_Parent"] for row in table(package, "Directory")}
    hold("only administrators may write there, and nobody names another folder", folders["ProgramFolder"] == "ProgramFiles64Folder" and
         all(name == "TARGETDIR" or name != name.upper() for name in folders))


def check_machine(package):
    hold("for the machine, never for a user", properties(package)["ALLUSERS"] == "1" and
         {row["Root"] for row in table(package, "Registry")} == {"2"} and "x64;1033" in run("msiinfo", "suminfo", package))
    source = {row["Name"]: row["Value"] for row in table(package, "Registry")
              if row["Key"] == "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Ferry\\Ferry"}
    hold("the event source", source == {"EventMessageFile": "[#ferryd.exe]", "TypesSupported": "#7"})
    log = {row["Name"]: row["Value"] for row in table(package, "Registry")
           if row["Key"] == "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Ferry"}
    hold("and the log that it is in", log == {"MaxSize": "#20971520", "Retention": "#0", "CustomSD": LOG_RIGHTS})
    (path,) = table(package, "Environment")
    hold("PATH of the machine, taken back", (path["Name"], path["Value"]) == ("=-*Path", "[~];[ProgramFolder]"))
    (action,) = table(package, "CustomAction")
    # 18 a program that was installed, 1024 in the transaction, 2048 as SYSTEM; nothing that ignores its failure (64)
    hold("ferryd configure", (action["Type"], action["Source"], action["Target"]) == (str(18 + 1024 + 2048), "ferryd.exe", "configure"))


def check_order(package):
    rows = table(package, "InstallExecuteSequence")
    order = [row["Action"] for row in sorted(rows, key=lambda row: int(row["Sequence"]))]
    condition = {row["Action"]: row["Condition"] for row in rows}

    def ordered(*actions):
        hold(f"in this order: {' '.join(actions)}", [name for name in order if name in actions] == list(actions))
    ordered("FindRelatedProducts", "AppSearch", "LaunchConditions", "InstallInitialize", "RemoveExistingProducts", "ProcessComponents",
            "StopServices", "DeleteServices", "RemoveRegistryValues", "RemoveEnvironmentStrings", "RemoveFiles", "InstallFiles",
            "WriteRegistryValues", "WriteEnvironmentStrings", "InstallServices", "Configure", "StartServices", "InstallFinalize")
    hold("an upgrade does not delete the service", condition["DeleteServices"] == "VersionNT AND NOT UPGRADINGPRODUCTCODE")
    hold("who is removed is not configured", condition["Configure"] == 'REMOVE<>"ALL"')


def check_upgrade(package, version):
    code = properties(package)["UpgradeCode"]
    rows = {row["ActionProperty"]: row for row in table(package, "Upgrade")}
    hold("all of them are this product's", {row["UpgradeCode"] for row in rows.values()} == {code})
    older, newer = rows["WIX_UPGRADE_DETECTED"], rows["WIX_DOWNGRADE_DETECTED"]
    # Attributes: 1 features as before, 2 only look; 256 and 512 would take the version itself in.
    hold("older ones are removed", (older["VersionMin"], older["VersionMax"], older["Attributes"]) == ("", version, "1"))
    hold("newer ones are found", (newer["VersionMin"], newer["VersionMax"], newer["Attributes"]) == (version, "", "2"))
    hold("and refuse, with a sentence", any(row["Condition"] == "NOT WIX_DOWNGRADE_DETECTED" and "newer version of Ferry" in row["Description"]
                                            for row in table(package, "LaunchCondition")))


def check_codes(package, again, other):
    hold("the same bytes each time", package.read_bytes() == again.read_bytes())
    this, next_one = properties(package), properties(other)
    hold("a product's code for each version", this["ProductCode"] != next_one["ProductCode"])
    hold("a package's code for each package", package_code(package) != package_code(other))
    hold("one upgrade code, and the same components", this["UpgradeCode"] == next_one["UpgradeCode"] and
         table(package, "Component") == table(other, "Component"))


for tool in ("wixl", "msibuild", "msiinfo"):
    if shutil.which(tool) is None:
        print(f"SKIPPED: {tool} is not installed")
        sys.exit(77)
with tempfile.TemporaryDirectory(prefix="ferry-msi-") as scratch:
    scratch = Path(scratch)
    msi = make(scratch, "this.msi", "1.2.3")
    check_service(msi)
    check_files(msi, "1.2.3")
    check_machine(msi)
    check_order(msi)
    check_upgrade(msi, "1.2.3")
    check_codes(msi, make(scratch, "again.msi", "1.2.3"), make(scratch, "next.msi", "1.2.4"))
    bare = subprocess.run([sys.executable, MAKE, "--version", "1.2.3", "--programs", ".", "--out", scratch / "none.msi"], env={"PATH": "/nowhere"},
                          capture_output=True, text=True)
    hold("without wixl it says so", bare.returncode == 1 and "wixl is not installed" in bare.stderr)

print(*(f"not so: {what}" for what in complaints), sep="\n")
sys.exit(1 if complaints else 0)
