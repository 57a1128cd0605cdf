"""`ferry submit` of what cannot start: the job is refused in one form, and none is left behind."""
import os
import re

from ground import Ferry, native, run

FORM = r"ferry: [^\n]+: files\[0\]\.path: [^\n]+ \(%s 0x%08X(; (errno|win32|ntstatus) \d+)?\)\n  what to do: [^\n]+\n"


def refused(destination, name, hresult):
    ferry = Ferry().start()
    os.makedirs(os.path.join(ferry.landed, "folder"))
    path = native(os.path.join(ferry.landed, *destination))
    done = ferry.run("submit", "http://127.0.0.1:9/x", path, check=False)
    assert done.returncode == 4 and re.search(FORM % (name, hresult), done.stderr), done
    assert [job["state"] for job in ferry.jobs()] == ["CANCELLED"]


def folder_that_is_missing__is_refused():
    refused(("missing", "a"), "PATH_NOT_FOUND", 0x80070003)


def destination_that_is_a_folder__is_refused():
    refused(("folder",), "IS_FOLDER", 0x80070050)


run(folder_that_is_missing__is_refused, destination_that_is_a_folder__is_refused)
