"""Every bad input is answered: with the documented outcome, the field or file that is wrong, what to do about it, no
secret, and nothing changed.  One table for each family; a row says what is done and what must come of it.

FERRY_ALOUD=1 prints every error as its reader sees it.
"""
import faulthandler
import glob
import json
import os
import re
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import threading

from ground import GROUND, MIB, SOURCE, Bridge, Ferry, Nginx, native, run, sha256, wait_until

SECRET = "geheim5f3a"  # is in the query or the userinfo of every URL here, and may be seen nowhere
WINDOWS = GROUND == "wine"
NOBODY = 65534
ORDINARY = not WINDOWS and os.getuid() == 0  # whether clients can be somebody who is no administrator
SEPARATOR = "\\" if WINDOWS else "/"
ALOUD = bool(os.environ.get("FERRY_ALOUD"))


def documented_outcomes():
    """{result: (class, JSON-RPC code, HRESULT, sentence)}, as docs/errors.md and docs/protocol.md promise them."""
    def table(name, row):
        with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as page:
            return re.findall(row, page.read(), re.M)
    codes = {result: int(code) for code, results in table("protocol.md", r"^\| (-\d+) \| (`.*`) \|$")
             for result in re.findall(r"`(\w+)`", results)}
    rows = table("errors.md", r"^\| `(\w+)` \| (\w+) \| (0x[0-9A-F]{8})[^|]* \| `\w+` \| ([^|]*) \|")
    return {name: (kind, codes.get(name, -32000), int(hresult, 16), sentence) for name, kind, hresult, sentence in rows}


OUTCOMES = documented_outcomes()


def judge(row, error, result, what, source=None, number=None):
    """An error's `data`, or a job's `error`: what every one must have, and what this row asks of it."""
    if ALOUD:
        print(f"    {row}: {error['result']} {error['what']} | {error['native']} | {error['remedy']}")
    assert error["result"] == result, (row, result, error)
    hresult = OUTCOMES[result][2]
    if error["native"] and error["native"]["source"] == "http" and hresult == 0x80190000:
        hresult += error["native"]["code"]
    assert int(error["hresult"], 16) == hresult, (row, error)
    assert what in error["what"] and error["what"], (row, what, error)
    assert error["remedy"].endswith("."), (row, error)
    assert SECRET not in json.dumps(error), (row, error)
    if source:
        assert error["native"] and error["native"]["source"] == source, (row, error)
        assert number is None or error["native"]["code"] == number, (row, error)


def judge_reply(row, reply, result, what, source=None, number=None):
    assert reply is not None and "error" in reply, (row, reply)
    error = reply["error"]
    judge(row, error["data"], result, what, source, number)
    _, code, _, sentence = OUTCOMES[result]
    assert error["code"] == code and error["message"] == f"{sentence} {error['data']['what']}", (row, reply)


def check_no_secret(ferry):
    """In nothing that can be read: logs, stderr, lists."""
    for name in os.listdir(ferry.data):
        if name.startswith("ferry.jsonl"):
            with open(os.path.join(ferry.data, name), encoding="utf-8") as file:
                assert SECRET not in file.read(), name
    assert SECRET not in ferry.said()
    for arguments in (["list", "--all"], ["list", "--all", "--json"]):
        assert SECRET not in ferry.run(*arguments).stdout, arguments


class Target:
    """A connection with one job that all rows of a table aim at, and that none of them may change."""

    def __init__(self, ferry):
        self.ferry = ferry
        self.bridge = Bridge(ferry)
        self.bridge.hello()
        self.bridge.validators.methods.clear()  # rows repeat ids
        self.made = self.bridge.ok("job.create", name="target", key="target", files=[
            {"url": f"http://127.0.0.1:9/x?token={SECRET}", "path": ferry.destination("taken.bin")}])
        self.handle, self.id = self.made["handle"], self.made["job"]["id"]
        self.before = self.look()

    def look(self):
        """The job, its files and the list of all jobs, as the very bytes that come."""
        seen = []
        for line in (f'{{"jsonrpc":"2.0","id":"look","method":"job.get","params":{{"handle":{self.handle}}}}}',
                     '{"jsonrpc":"2.0","id":"look","method":"job.list","params":{"all":true}}'):
            self.bridge.send(line)
            seen.append(self.bridge.process.stdout.readline())
            assert b'"result"' in seen[-1] and SECRET.encode() not in seen[-1], seen[-1]
        return seen

    def check(self, row, line, result, what):
        reply = self.bridge.raw(line)
        judge_reply(row, reply, result, what)
        self.said = reply["error"]["data"]["what"]
        assert self.look() == self.before, (row, self.before, self.look())


def request(method, params=None, **envelope):
    message = {"jsonrpc": "2.0", "id": 1, "method": method, **envelope}
    if params is not None:
        message["params"] = params
    return json.dumps(message, ensure_ascii=False)


# --- what is sent ---

def envelopes(handle):
    """(row, line, result, what): the message itself."""
    members = ",".join(f'"m{i}":1' for i in range(300))
    deep = '{"jsonrpc":"2.0","id":1,"method":"job.list","params":' + '{"all":' * 20 + "1" + "}" * 20 + "}"
    return [
        ("half an object", "{", "NOT_JSON", "line 1, column"),
        ("a word", "nonsense", "NOT_JSON", "line 1, column 1"),
        ("two objects", request("job.list") + request("job.list"), "NOT_JSON", "line 1, column"),
        ("a comment", "/* x */" + request("job.list"), "NOT_JSON", "line 1, column 1"),
        ("a comma too many", '{"jsonrpc":"2.0","id":1,"method":"job.list",}', "NOT_JSON", "column 44"),
        ("half a surrogate pair", '{"jsonrpc":"2.0","id":1,"method":"job.list","params":{"key":"\\ud800"}}', "NOT_JSON",
         "line 1, column"),
        ("bytes that are not UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"job.create","params":{"name":"\xff"}}',
         "NOT_UTF8", "line 1, column 65"),
        ("an overlong encoding", b'{"jsonrpc":"2.0","id":1,"method":"job.create","params":{"name":"\xc0\xaf"}}',
         "NOT_UTF8", "line 1, column 65"),
        ("a surrogate in UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"job.create","params":{"name":"\xed\xa0\x80"}}',
         "NOT_UTF8", "line 1, column 65"),
        ("a NUL byte", b'{"jsonrpc":"2.0",\0"id":1,"method":"job.list"}', "NOT_JSON", "column 18"),
        ("deeply nested objects", deep, "TOO_DEEP", "params.all.all"),
        ("very deeply nested arrays", "[" * 500000, "NOT_JSON", "line 1, column"),
        ("very deeply nested whole arrays", "[" * 200000 + "]" * 200000, "TOO_DEEP", "[0][0]"),
        ("too many members", '{"jsonrpc":"2.0","id":1,"method":"job.list","params":{' + members + "}}", "TOO_LARGE",
         "params"),
        ("a message over the limit", request("job.create", {"name": "n" * MIB}), "TOO_LARGE", "1048576"),
        ("a number", "7", "MALFORMED", "object"),
        ("null", "null", "MALFORMED", "object"),
        ("a batch", "[" + request("job.list") + "]", "MALFORMED", "batch"),
        ("no version", '{"id":1,"method":"job.list"}', "MALFORMED", "jsonrpc"),
        ("another version", request("job.list", jsonrpc="1.0"), "MALFORMED", "jsonrpc"),
        ("no id", '{"jsonrpc":"2.0","method":"job.list"}', "MALFORMED", "id"),
        ("id null", request("job.list", id=None), "MALFORMED", "id"),
        ("id with a fraction", request("job.list", id=1.5), "MALFORMED", "id"),
        ("id too large", request("job.list", id=2 ** 53), "MALFORMED", "id"),
        ("id an object", request("job.list", id={}), "MALFORMED", "id"),
        ("id too long", request("job.list", id="i" * 65), "MALFORMED", "id"),
        ("id with a control character", request("job.list", id="\t"), "MALFORMED", "id"),
        ("no method", '{"jsonrpc":"2.0","id":1}', "MALFORMED", "method"),
        ("method a number", request(5), "MALFORMED", "method"),
        ("unknown method", request("job.fly"), "UNKNOWN_METHOD", "job.fly"),
        ("method in capitals", request("JOB.LIST"), "UNKNOWN_METHOD", "JOB.LIST"),
        ("unknown method, long", request("m" * 5000), "UNKNOWN_METHOD", "method"),
        ("unknown member beside", request("job.list", extra=1), "MALFORMED", "extra"),
        ("method twice", '{"jsonrpc":"2.0","id":1,"method":"job.cancel","method":"job.list"}', "DUPLICATE_FIELD", "method"),
        ("handle twice", f'{{"jsonrpc":"2.0","id":1,"method":"job.cancel","params":{{"handle":9,"handle":{handle}}}}}',
         "DUPLICATE_FIELD", "params.handle"),
        ("url twice", request("job.addFiles", {"handle": handle, "files": []}).replace(
            "[]", '[{"url":"http://h/a","url":"http://h/b","path":"/x"}]'), "DUPLICATE_FIELD", "params.files[0].url"),
        ("params an array", request("job.cancel", [handle]), "INVALID_ARGUMENT", "params"),
        ("params null", '{"jsonrpc":"2.0","id":1,"method":"job.list","params":null}', "INVALID_ARGUMENT", "params"),
    ]


def fields(target):
    """(row, method, params, result, what): members of params."""
    handle = target.handle
    good = {"url": "http://127.0.0.1:9/y", "path": target.ferry.destination("y")}
    create = lambda **more: ("job.create", {"name": "n", **more})
    change = lambda **more: ("job.setProperties", {"handle": handle, **more})
    add = lambda *files: ("job.addFiles", {"handle": handle, "files": list(files)})
    no_id = "00000000-0000-4000-8000-000000000000"
    rows = [
        ("hello without protocol", ("hello", {"client": "c"}), "MISSING_FIELD", "params.protocol"),
        ("hello in another protocol", ("hello", {"protocol": 2, "client": "c"}), "INVALID_ARGUMENT", "params.protocol"),
        ("hello, client too long", ("hello", {"protocol": 1, "client": "c" * 128}), "TOO_LONG", "params.client"),
        ("hello, client with a line feed", ("hello", {"protocol": 1, "client": "a\nb"}), "INVALID_ARGUMENT",
         "params.client"),
        ("create without params", ("job.create", None), "MISSING_FIELD", "params.name"),
        ("create without name", ("job.create", {}), "MISSING_FIELD", "params.name"),
        ("create, unknown member", create(colour=1), "UNKNOWN_FIELD", "params.colour"),
        ("create, a member of another method", create(handle=handle), "UNKNOWN_FIELD", "params.handle"),
        ("create, member in capitals", create(Key="k"), "UNKNOWN_FIELD", "params.Key"),
        ("create, name a number", create(name=5), "INVALID_ARGUMENT", "params.name"),
        ("create, name null", create(name=None), "INVALID_ARGUMENT", "params.name"),
        ("create, name empty", create(name=""), "INVALID_ARGUMENT", "params.name"),
        ("create, name too long", create(name="n" * 1024), "TOO_LONG", "params.name"),
        ("create, name too long in bytes only", create(name="ü" * 512), "TOO_LONG", "params.name"),
        ("create, name with U+0000", create(name="a\0b"), "INVALID_ARGUMENT", "params.name"),
        ("create, name with a control character", create(name="a\x1b[2J"), "INVALID_ARGUMENT", "params.name"),
        ("create, key empty", create(key=""), "INVALID_ARGUMENT", "params.key"),
        ("create, key too long", create(key="k" * 256), "TOO_LONG", "params.key"),
        ("create, description too long", create(description="d" * 4096), "TOO_LONG", "params.description"),
        ("create, description with a bell", create(description="\a"), "INVALID_ARGUMENT", "params.description"),
        ("create, priority unknown", create(priority="urgent"), "INVALID_ARGUMENT", "params.priority"),
        ("create, auto_complete a text", create(auto_complete="true"), "INVALID_ARGUMENT", "params.auto_complete"),
        ("create, retry_delay_s below zero", create(retry_delay_s=-1), "INVALID_ARGUMENT", "params.retry_delay_s"),
        ("create, retry_delay_s with a fraction", create(retry_delay_s=1.0), "INVALID_ARGUMENT", "params.retry_delay_s"),
        ("create, max_time_s zero", create(max_time_s=0), "INVALID_ARGUMENT", "params.max_time_s"),
        ("create, max_time_s too large", create(max_time_s=315360001), "INVALID_ARGUMENT", "params.max_time_s"),
        ("create, no_progress_timeout_s of 2^64", create(no_progress_timeout_s=2 ** 64), "INVALID_ARGUMENT",
         "params.no_progress_timeout_s"),
        ("create, files no array", create(files={}), "INVALID_ARGUMENT", "params.files"),
        ("create, one bad file of two", create(files=[good, {"url": "x", "path": "x"}]), "BAD_URL", "params.files[1].url"),
        ("open without a job", ("job.open", {}), "MISSING_FIELD", "params.job"),
        ("open a number", ("job.open", {"job": 5}), "INVALID_ARGUMENT", "params.job"),
        ("open what is no id", ("job.open", {"job": "not-an-id"}), "NOT_FOUND", "params.job"),
        ("open an empty id", ("job.open", {"job": ""}), "NOT_FOUND", "params.job"),
        ("open half an id", ("job.open", {"job": target.id[:8]}), "NOT_FOUND", "params.job"),
        ("open an id in braces", ("job.open", {"job": "{" + target.id + "}"}), "NOT_FOUND", "params.job"),
        ("open SQL", ("job.open", {"job": "' OR 1=1 --"}), "NOT_FOUND", "params.job"),
        ("open a long id", ("job.open", {"job": "f" * 100000}), "NOT_FOUND", "params.job"),
        ("open the id of no job", ("job.open", {"job": no_id}), "NOT_FOUND", "params.job"),
        ("get without a handle", ("job.get", {}), "MISSING_FIELD", "params.handle"),
        ("get a handle of nobody", ("job.get", {"handle": 999}), "BAD_HANDLE", "params.handle"),
        ("get handle zero", ("job.get", {"handle": 0}), "INVALID_ARGUMENT", "params.handle"),
        ("get handle below zero", ("job.get", {"handle": -1}), "INVALID_ARGUMENT", "params.handle"),
        ("get handle of 2^53", ("job.get", {"handle": 2 ** 53}), "INVALID_ARGUMENT", "params.handle"),
        ("get a handle as text", ("job.get", {"handle": str(handle)}), "INVALID_ARGUMENT", "params.handle"),
        ("get, limit too large", ("job.get", {"handle": handle, "limit": 65}), "INVALID_ARGUMENT", "params.limit"),
        ("get, from beyond every file", ("job.get", {"handle": handle, "from": 2 ** 33}), "INVALID_ARGUMENT",
         "params.from"),
        ("list, limit zero", ("job.list", {"limit": 0}), "INVALID_ARGUMENT", "params.limit"),
        ("list, all a number", ("job.list", {"all": 1}), "INVALID_ARGUMENT", "params.all"),
        ("subscribe to a handle of nobody", ("events.subscribe", {"handle": 999}), "BAD_HANDLE", "params.handle"),
        ("status with an argument", ("service.status", {"verbose": True}), "UNKNOWN_FIELD", "params.verbose"),
        ("set, name empty", change(name=""), "INVALID_ARGUMENT", "params.name"),
        ("set, state", change(state="TRANSFERRED"), "UNKNOWN_FIELD", "params.state"),
        ("set, one good and one bad", change(name="renamed", priority=3), "INVALID_ARGUMENT", "params.priority"),
        ("add no files", add(), "INVALID_ARGUMENT", "params.files"),
        ("add without files", ("job.addFiles", {"handle": handle}), "MISSING_FIELD", "params.files"),
        ("add a text", add("http://h/x"), "INVALID_ARGUMENT", "params.files[0]"),
        ("add, no url", add({"path": good["path"]}), "MISSING_FIELD", "params.files[0].url"),
        ("add, no path", add({"url": good["url"]}), "MISSING_FIELD", "params.files[0].path"),
        ("add, url null", add({**good, "url": None}), "INVALID_ARGUMENT", "params.files[0].url"),
        ("add, path a number", add({**good, "path": 7}), "INVALID_ARGUMENT", "params.files[0].path"),
        ("add, unknown member", add({**good, "sha1": "x"}), "UNKNOWN_FIELD", "params.files[0].sha1"),
        ("add, size below zero", add({**good, "size_bytes": -1}), "INVALID_ARGUMENT", "params.files[0].size_bytes"),
        ("add, size of 2^63", add({**good, "size_bytes": 2 ** 63}), "INVALID_ARGUMENT", "params.files[0].size_bytes"),
        ("add, second of two wrong", add(good, {"url": good["url"]}), "MISSING_FIELD", "params.files[1].path"),
    ]
    for method in ("resume", "suspend", "cancel", "complete", "addFiles", "setProperties"):
        params = {"handle": 999, "files": [good]} if method == "addFiles" else {"handle": 999}
        rows.append((f"{method} on a handle of nobody", (f"job.{method}", params), "BAD_HANDLE", "params.handle"))
    return rows


# (row, url, what beside the field); all are BAD_URL but the ones that are too long
URLS = [
    ("empty", "", ""),
    ("ftp", f"ftp://h/x?{SECRET}", "http or https"),
    ("file", "file:///etc/passwd", "http or https"),
    ("a UNC path", "\\\\server\\share\\x", "backslash"),
    ("javascript", f"javascript:alert('{SECRET}')", "http or https"),
    ("no scheme", f"127.0.0.1/x?{SECRET}", "http or https"),
    ("relative", f"//h/x?{SECRET}", "http or https"),
    ("one slash", f"http:/h/x?{SECRET}", "http or https"),
    ("user and password", f"http://user:{SECRET}@h/x", "user name"),
    ("user", f"http://{SECRET}@h/x", "user name"),
    ("no host", f"http:///x?{SECRET}", "no host"),
    ("nothing behind the scheme", "http://", "no host"),
    ("port only", f"http://:80/x?{SECRET}", "no host"),
    ("port zero", f"http://h:0/?{SECRET}", "port"),
    ("port too large", f"http://h:65536/?{SECRET}", "port"),
    ("port of letters", f"http://h:{SECRET}/", "port"),
    ("host of digits", f"http://2130706433/?{SECRET}", "host"),
    ("host in hexadecimal", f"http://0x7f000001/?{SECRET}", "host"),
    ("host that ends in a dot", f"http://h./?{SECRET}", "host"),
    ("half an IPv6 address", f"http://[::1/?{SECRET}", "host"),
    ("tab", f"http://h/\t?{SECRET}", "control character"),
    ("line feed, then a header", f"http://h/x HTTP/1.1\r\nAuthorization: {SECRET}", ""),
    ("line feed", f"http://h/?{SECRET}\n", "control character"),
    ("delete", f"http://h/\x7f?{SECRET}", "control character"),
    ("space", f"http://h/a b?{SECRET}", "space"),
    ("beyond ASCII", f"http://h/ä?{SECRET}", "ASCII"),
    ("half a percent", f"http://h/%4?{SECRET}", "%"),
    ("fragment", f"http://h/x#{SECRET}", "fragment"),
    ("backslash", f"http://h\\x?{SECRET}", "backslash"),
]


def destinations(ferry):
    """(row, path, result, what beside the field), for this ground's paths."""
    landed = ferry.destination("")  # with its separator
    program = native(os.path.dirname(os.path.realpath(os.path.join(os.environ["FERRY_BIN"], "ferryd"))))
    rows = [
        ("empty", "", "BAD_DESTINATION", "no path"),
        ("relative", "x.bin", "BAD_DESTINATION", "absolute"),
        ("relative with a folder", f"a{SEPARATOR}x.bin", "BAD_DESTINATION", "absolute"),
        ("two dots", landed + f"a{SEPARATOR}..{SEPARATOR}x.bin", "BAD_DESTINATION", "'..'"),
        ("two dots at the end", landed + "..", "BAD_DESTINATION", "'..'"),
        ("one dot", landed + f".{SEPARATOR}x.bin", "BAD_DESTINATION", "'.'"),
        ("two separators", landed + f"a{SEPARATOR}{SEPARATOR}x.bin", "BAD_DESTINATION", "separators"),
        ("ends in a separator", landed, "BAD_DESTINATION", "folder"),
        ("control character", landed + "a\nb", "BAD_DESTINATION", "control character"),
        ("U+0000", landed + "a\0b", "INVALID_ARGUMENT", "U+0000"),
        ("name too long", landed + "n" * 256, "TOO_LONG", "255"),
        ("path too long", landed + f"n{SEPARATOR}" * 1024 + "x", "TOO_LONG", "2048"),
        ("Ferry's data", native(os.path.join(ferry.data, "queue.sqlite3")), "BAD_DESTINATION", "Ferry's own"),
        ("below Ferry's data", native(os.path.join(ferry.data, "a", "x")), "BAD_DESTINATION", "Ferry's own"),
        ("Ferry's program", program + SEPARATOR + "x", "BAD_DESTINATION", "Ferry's own"),
        ("the same as another's", ferry.destination("taken.bin"), "DUPLICATE_DESTINATION", ""),
    ]
    if not WINDOWS:
        return rows + [("a Windows path", "C:\\x.bin", "BAD_DESTINATION", "absolute")]
    bad = lambda row, path, what: (row, path, "BAD_DESTINATION", what)
    return rows + [
        bad("a POSIX path", "/tmp/x.bin", "slash"),
        bad("forward slashes", "C:/folder/x.bin", "slash"),
        bad("relative to a drive", "C:x.bin", "drive"),
        bad("relative to the root", "\\folder\\x.bin", "absolute"),
        bad("device path", "\\\\.\\C:\\x.bin", "device"),
        bad("device itself", "\\\\.\\PhysicalDrive0", "device"),
        bad("verbatim path", "\\\\?\\C:\\x.bin", "device"),
        bad("a pipe", "\\\\server\\pipe\\Ferry", "share"),
        bad("a share alone", "\\\\server\\share", "share"),
        bad("a WebDAV port", "\\\\server@8080\\share\\x", "server name"),
        bad("CON", landed + "CON", "device"),
        bad("nul in small letters", landed + "nul", "device"),
        bad("aux with an extension", landed + "aux.txt", "device"),
        bad("COM1 with two", landed + "com1.tar.gz", "device"),
        bad("LPT9 as a folder", landed + "LPT9\\x.bin", "device"),
        bad("COM with a superscript", landed + "COM²", "device"),
        bad("CONIN$", landed + "conin$", "device"),
        bad("NUL behind a space", landed + "nul .txt", "device"),
        bad("alternate stream", landed + "x.bin:stream", "stream"),
        bad("default stream", landed + "x.bin::$DATA", "stream"),
        bad("trailing dot", landed + "x.bin.", "dot or a space"),
        bad("trailing space", landed + "x.bin ", "dot or a space"),
        bad("folder with a trailing dot", landed + "a.\\x.bin", "dot or a space"),
        bad("wildcard", landed + "*.bin", "?*"),
        bad("quotation mark", landed + '"x"', "?*"),
        bad("pipe sign", landed + "a|b", "?*"),
        bad("Ferry's data, in capitals", native(os.path.join(ferry.data, "x")).upper(), "Ferry's own"),
        ("the same in capitals", ferry.destination("TAKEN.BIN"), "DUPLICATE_DESTINATION", ""),
    ]


def messages__are_refused_by_name_and_change_nothing():
    target = Target(Ferry().start())
    for row, line, result, what in envelopes(target.handle):
        target.check(row, line, result, what)
    for row, (method, params), result, what in fields(target):
        target.check(row, request(method, params), result, what)
    assert [target.bridge.raw(request("job.open", {"job": job})) for job in ("none", "f" * 40)] == \
        [target.bridge.raw(request("job.open", {"job": "00000000-0000-4000-8000-000000000000"}))] * 2
    check_no_secret(target.ferry)
    target.bridge.close()


def urls_and_destinations__are_refused_by_rule_and_change_nothing():
    target = Target(Ferry().start())
    ferry = target.ferry
    good = {"url": f"http://127.0.0.1:9/y?{SECRET}", "path": ferry.destination("y")}
    for method, place in (("job.create", {"name": "n"}), ("job.addFiles", {"handle": target.handle})):
        rows = [(row, url, "BAD_URL", what) for row, url, what in URLS]
        rows.append(("over the limit", "http://h/" + "x" * 2200, "TOO_LONG", "2200"))
        for row, url, result, what in rows:
            target.check(f"{method}, URL, {row}", request(method, {**place, "files": [good, {**good, "url": url}]}),
                         result, "params.files[1].url")
            assert what in target.said, (row, what, target.said)
        for row, path, result, what in destinations(ferry):
            if method == "job.create" and result == "DUPLICATE_DESTINATION":
                continue  # of another job: that is its owner's business
            target.check(f"{method}, path, {row}", request(method, {**place, "files": [{**good, "path": path}]}), result,
                         "params.files[0].path")
            assert what in target.said, (row, what, target.said)
        target.check(f"{method}, two files with one destination", request(method, {**place, "files": [good, good]}),
                     "DUPLICATE_DESTINATION", "params.files[1].path")
    check_no_secret(ferry)
    assert os.listdir(ferry.landed) == []
    target.bridge.close()


# --- limits ---

SMALL = {"queue": {"jobs_per_owner_max": 3, "files_per_job_max": 2, "jobs_per_machine_max": 4, "exempt_jobs_max": 3,
                   "exempt_files_per_job_max": 2},
         "door": {"handles_per_connection_max": 6}}


def as_nobody():
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ORDINARY else {}


def check_limits(prefix, **options):
    """Of a caller whose settings are called queue.`prefix`jobs...; (row, method, params, result, what)."""
    ferry = Ferry(SMALL).start()
    bridge = Bridge(ferry, **options)
    bridge.hello()
    entry = lambda n: {"url": f"http://127.0.0.1:9/{n}?{SECRET}", "path": ferry.destination(f"{n}")}
    handle = bridge.ok("job.create", name="one", files=[entry(0), entry(1)])["handle"]
    bridge.ok("job.create", name="two")
    jobs = "queue.exempt_jobs_max" if prefix else "queue.jobs_per_owner_max"
    too_many = "TOO_MANY_JOBS_PER_MACHINE" if prefix else "TOO_MANY_JOBS"
    files = f"queue.{prefix}files_per_job_max"
    steps = [
        ("too many files in a new job", "job.create", {"name": "n", "files": [entry(2), entry(3), entry(4)]},
         "TOO_MANY_FILES", files),
        ("too many files for a job that is there", "job.addFiles", {"handle": handle, "files": [entry(2)]},
         "TOO_MANY_FILES", files),
        ("room for one more job", "job.create", {"name": "three"}, None, None),
        ("too many jobs", "job.create", {"name": "four"}, too_many, jobs),
        ("too many jobs, but this one is there by its key", "job.create", {"name": "three", "key": "k"}, too_many,
         jobs),
        ("handles", "job.open", {"job": bridge.ok("job.list")["jobs"][0]["id"]}, None, None),
        ("handles", "job.open", {"job": bridge.ok("job.list")["jobs"][0]["id"]}, None, None),
        ("handles", "job.open", {"job": bridge.ok("job.list")["jobs"][0]["id"]}, None, None),
        ("too many handles", "job.open", {"job": bridge.ok("job.list")["jobs"][0]["id"]}, "TOO_MANY_HANDLES",
         "door.handles_per_connection_max"),
    ]
    for row, method, params, result, what in steps:
        before = json.dumps(bridge.ok("job.list", all=True)), json.dumps(bridge.ok("job.get", handle=handle))
        reply = bridge.call(method, **params)
        if result is None:
            assert "result" in reply, (row, reply)
            continue
        judge_reply(row, reply, result, what)
        assert before == (json.dumps(bridge.ok("job.list", all=True)), json.dumps(bridge.ok("job.get", handle=handle)))
    check_no_secret(ferry)
    return ferry, bridge


def limits__are_told_by_their_setting_and_change_nothing():
    if ORDINARY or not WINDOWS:
        ferry, bridge = check_limits("", **as_nobody())
        bridge.close()
    else:
        print("  not shown: limits of ordinary owners")
    if WINDOWS or ORDINARY:
        ferry, bridge = check_limits("exempt_")
        bridge.close()
    else:
        print("  not shown: limits of exempt owners")


def machine_full__is_told_by_its_setting():
    if not ORDINARY:
        print("  not shown: two ordinary owners")
        return
    ferry, bridge = check_limits("", **as_nobody())
    other = Bridge(ferry, user=NOBODY - 1, group=NOBODY - 1, extra_groups=[])
    other.hello()
    other.ok("job.create", name="the machine's last")
    judge_reply("machine full", other.call("job.create", name="n"), "TOO_MANY_JOBS_PER_MACHINE",
                "queue.jobs_per_machine_max")
    other.close()
    bridge.close()


def door_full__says_busy():
    ferry = Ferry({"door": {"connections_max": 4}}).start()
    bridges = [Bridge(ferry) for _ in range(4)]
    for bridge in bridges:
        bridge.hello()
    done = ferry.run("status", check=False)
    assert done.returncode == 3 and "(BUSY 0x800700AA)" in done.stderr and "door.connections_max" in done.stderr, done
    assert re.search(r"^  what to do: .+\.$", done.stderr, re.M), done.stderr
    for bridge in bridges:
        bridge.ok("service.status")
        bridge.close()


# --- what the world does to a job that runs ---

BODY = bytes(range(256)) * 40
TAG = b'ETag: "v1"'


def head(status, *lines):
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Connection: close", *lines, b"", b""])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# (name, what is answered: bytes, or what is done to the connection; result, native source, code, bytes that are kept).
# No result: the file is whole, since what a server sends behind the length it announced is no part of it.
SERVERS = [
    ("refused", reset, "CONNECTION_CLOSED", "curl", None, 0),
    ("nothing-and-closed", b"", "CONNECTION_CLOSED", "curl", 52, 0),
    ("nothing", None, "STALLED", None, None, 0),
    ("status-400", head(b"400 Bad", b"Content-Length: 3") + b"bad", "HTTP_STATUS", "http", 400, 0),
    ("status-403", head(b"403 No", b"Content-Length: 2") + b"no", "HTTP_STATUS", "http", 403, 0),
    ("status-410", head(b"410 Gone", b"Content-Length: 0"), "HTTP_STATUS", "http", 410, 0),
    ("status-500", head(b"500 Oops", b"Content-Length: 4") + b"oops", "HTTP_TRANSIENT", "http", 500, 0),
    ("status-503", head(b"503 Busy", b"Content-Length: 0"), "HTTP_TRANSIENT", "http", 503, 0),
    ("status-999", head(b"999 What", b"Content-Length: 0"), "HTTP_TRANSIENT", "http", 999, 0),
    ("no-http", b"220 ftp.example.com ready\r\n", "BAD_RESPONSE", "curl", 1, 0),
    ("empty-204", head(b"204 Nothing"), "INSUFFICIENT_HTTP", "http", 204, 0),
    ("unasked-range", head(b"206 Part", b"Content-Range: bytes 5-9/10", b"Content-Length: 5") + b"56789",
     "INSUFFICIENT_HTTP", "http", 206, 0),
    ("packed", head(b"200 OK", b"Content-Encoding: gzip", b"Content-Length: 3") + b"abc", "INSUFFICIENT_HTTP", None, None, 0),
    ("two-lengths", head(b"200 OK", b"Content-Length: 3", b"Content-Length: 4") + b"abcd",
     "INSUFFICIENT_HTTP", None, None, 0),
    ("length-no-number", head(b"200 OK", b"Content-Length: many") + b"abcd", "BAD_RESPONSE", "curl", 8, 0),
    ("cut", head(b"200 OK", b"Content-Length: %d" % (len(BODY) + 9), TAG) + BODY, "CONNECTION_CLOSED", "curl", 18,
     len(BODY)),
    ("chunks-cut", head(b"200 OK", b"Transfer-Encoding: chunked", TAG) + b"2800\r\n" + BODY, "CONNECTION_CLOSED",
     "curl", 18, len(BODY)),
    ("chunks-wrong", head(b"200 OK", b"Transfer-Encoding: chunked") + b"xyz\r\n" + BODY, "CONNECTION_CLOSED",
     "curl", 56, 0),
    ("over-long", head(b"200 OK", b"Content-Length: 10") + BODY, None, None, None, 10),
    ("to-a-file", head(b"302 There", b"Location: file:///etc/passwd", b"Content-Length: 0"), "REDIRECT_REFUSED", None, None, 0),
    ("to-userinfo", head(b"302 There", b"Location: http://u:%s@127.0.0.1/" % SECRET.encode(), b"Content-Length: 0"),
     "REDIRECT_REFUSED", None, None, 0),
    ("to-itself", head(b"302 Here", b"Location: /to-itself?%s" % SECRET.encode(), b"Content-Length: 0"),
     "REDIRECT_REFUSED", None, None, 0),
]


class Server:
    """Answers each name of SERVERS as its row says."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.stalled = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(65536) or b"\r\n\r\n"
        name = re.split(r"[/? ]", asked.decode())[2]
        answer = next((row[1] for row in SERVERS if row[0] == name), b"")
        if b"range: bytes=%d-" % len(BODY) in asked.lower():  # tried again, from what was kept: the rest does not come
            answer = head(b"206 Part", b"Content-Range: bytes %d-%d/%d" % (len(BODY), len(BODY) + 8, len(BODY) + 9),
                          b"Content-Length: 9", TAG)
        if answer is None:
            self.stalled.append(connection)
            return
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65536)
        connection.close()


class World:
    """A daemon, a client that is no administrator where the ground has one, and a job with a folder for each row."""

    def __init__(self):
        self.ferry = Ferry({"transfer": {"stall_timeout_s": 1, "files_active_max": 64, "connections_per_host_max": 64},
                            "queue": {"background_jobs_max": 64}}).start()
        self.bridge = Bridge(self.ferry, **as_nobody())
        self.bridge.hello()
        self.handles = {}

    def folder(self, row):
        path = os.path.join(self.ferry.landed, row)
        os.mkdir(path)
        if ORDINARY:
            os.chown(path, NOBODY, NOBODY)
        return path

    def create(self, row, url, path, **more):
        before = [{"url": url, "path": native(os.path.join(self.ferry.landed, row, "first.bin"))}] if more.pop("two", 0) else []
        made = self.bridge.ok("job.create", name=row, files=before + [{"url": url, "path": native(path)}], **more)
        self.handles[row] = made["handle"]
        return made["handle"]

    def look(self, row, limit=0):
        return self.bridge.ok("job.get", handle=self.handles[row], **({} if limit else {"limit": 0}))

    def ended(self, row):
        """Job and files of one moment: what is transient is tried again within a second."""
        def state():
            seen = self.look(row, 1)
            return seen if seen["job"]["state"] in ("ERROR", "TRANSIENT_ERROR", "TRANSFERRED") else None
        return wait_until(state, 30, row)


def old_file(folder, name="file.bin"):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(b"what was there before")
    if ORDINARY:
        os.chown(path, NOBODY, NOBODY)
    return path


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def partials(folder):
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".part")]


def judge_job(row, job, result, what, source=None, number=None):
    judge(row, job["error"], result, what, source, number)
    transient = OUTCOMES[result][0] == "transient"
    assert job["state"] == ("TRANSIENT_ERROR" if transient else "ERROR"), (row, job)
    assert job["error_count"] >= 1 and SECRET not in json.dumps(job), (row, job)
    if transient:
        assert job["wait"]["next_try_ms"] > job["created_ms"], (row, job)
    else:
        assert job["wait"] is None, (row, job)


def servers_that_fail__leave_the_old_file_and_say_why():
    world, server = World(), Server()
    nginx = Nginx(os.path.join(world.ferry.folder, "nginx"))
    os.makedirs(os.path.join(nginx.www, "secret"), 0o000)
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # and does not listen
    rows = [(*row, f"http://127.0.0.1:{server.port}/{row[0]}") for row in SERVERS]
    rows.append(("down", None, "CONNECT_FAILED", "curl", 7, 0, f"http://127.0.0.1:{closed.getsockname()[1]}/down"))
    rows.append(("missing", None, "HTTP_STATUS", "http", 404, 0, nginx.url("missing")))
    for row, _, _, _, _, _, url in rows:
        path = old_file(world.folder(row))
        world.bridge.ok("job.resume", handle=world.create(row, f"{url}?{SECRET}", path))
    for row, _, result, source, number, kept, url in rows:
        seen = world.ended(row)
        folder = os.path.join(world.ferry.landed, row)
        if result is None:
            assert seen["job"]["state"] == "TRANSFERRED" and not seen["job"]["error"], (row, seen)
        else:
            judge_job(row, seen["job"], result, f"fetching {url}", source, number)
        assert seen["files"][0]["transferred_bytes"] == kept, (row, seen)
        assert len(partials(folder)) == 1, (row, os.listdir(folder))
        if kept:
            wait_until(lambda: contents(partials(folder)[0]) == BODY[:kept], 20, f"{row}: the partial file holds it")
    check_no_secret(world.ferry)
    for row, *_ in rows:
        world.bridge.ok("job.cancel", handle=world.handles[row])
        folder = os.path.join(world.ferry.landed, row)
        wait_until(lambda: os.listdir(folder) == ["file.bin"], 20, f"{row}: the partial file is gone")
        assert contents(os.path.join(folder, "file.bin")) == b"what was there before", row
    world.bridge.close()


def resume_rows(folder):
    """(row, path, result); what job.resume finds wrong at a destination before anything is fetched."""
    def make(name, mode=0o755, file=False):
        path = os.path.join(folder, name)
        if file:
            old_file(folder, name)
        else:
            os.mkdir(path)
        os.chmod(path, mode)
        return path
    yield "folder missing", os.path.join(folder, "missing", "x"), "PATH_NOT_FOUND"
    yield "a file where the folder should be", os.path.join(make("plain", file=True), "x"), "PATH_NOT_FOUND"
    yield "destination is a folder", make("taken"), "IS_FOLDER"
    if WINDOWS:
        yield "destination is read-only", make("readonly", 0o444, file=True), "DENIED"
        print("  not shown: folders that may not be written, links")
        return
    if ORDINARY or os.getuid() != 0:
        yield "folder may not be written", os.path.join(make("closed", 0o555), "x"), "DENIED"
        yield "folder may not be entered", os.path.join(make("shut", 0o000), "x"), "DENIED"
        yield "destination is read-only", make("readonly", 0o444, file=True), "DENIED"
    os.symlink("/tmp", os.path.join(folder, "link"))
    yield "folder is a link", os.path.join(folder, "link", "x"), "REPARSE_POINT"


def destinations_that_cannot_be_written__are_told_at_resume():
    world = World()
    folder = world.folder("rows")
    for row, path, result in resume_rows(folder):
        world.folder(row)
        kept = sha256(path) if os.path.isfile(path) and os.access(path, os.R_OK) else None
        handle = world.create(row, f"http://127.0.0.1:9/x?{SECRET}", path, two=True)
        before = world.look(row, 1)
        reply = world.bridge.call("job.resume", handle=handle)
        judge_reply(row, reply, result, "files[1].path")
        assert world.look(row, 1) == before, row
        world.bridge.ok("job.cancel", handle=handle)
        assert kept is None or sha256(path) == kept, row
    check_no_secret(world.ferry)
    world.bridge.close()


def destination_in_use__is_tried_again():
    """A second daemon, since it holds its lock file open and shares it with nobody."""
    if not WINDOWS:
        print("  not shown: files that are open can be replaced here")
        return
    world = World()
    nginx = Nginx(os.path.join(world.ferry.folder, "nginx"))
    nginx.file("new.bin", 5000)
    holder = Ferry()
    holder.start()
    held = [name for name in os.listdir(holder.data) if "lock" in name]
    path = os.path.join(holder.data, held[0])
    world.create("in use", f"{nginx.url('new.bin')}?{SECRET}", path, auto_complete=True)
    world.bridge.ok("job.resume", handle=world.handles["in use"])
    judge_job("in use", world.ended("in use")["job"], "LOCKED", held[0])
    holder.kill()
    world.bridge.ok("job.resume", handle=world.handles["in use"])
    wait_until(lambda: world.look("in use")["job"]["state"] == "ACKNOWLEDGED", 20, "it lands when it is released")
    assert sha256(path) == sha256(os.path.join(nginx.www, "new.bin"))
    world.bridge.close()


class OnSmallDisk(Ferry):
    """Its folder `landed` is a file system of 1 MiB that only it sees, and we through /proc."""

    def __init__(self):
        super().__init__()
        self.serve = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"', self.landed, *self.serve]

    def seen(self, name):
        return f"/proc/{self.process.pid}/root{self.landed}/{name}"


def full_disk__is_told_and_goes_on_when_there_is_room():
    if WINDOWS or subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("  not shown: a small disk needs Linux and the right to mount one")
        return
    ferry = OnSmallDisk().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("known.bin", 700 * 1024)
    with open(os.path.join(nginx.www, "unknown.bin"), "wb") as file:
        file.write(os.urandom(700 * 1024))
    for name in ("filler", "known.bin"):
        with open(ferry.seen(name), "wb") as file:
            file.write(b"x" * (600 * 1024 if name == "filler" else 100))
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="full", files=[
        {"url": f"{nginx.url('known.bin')}?{SECRET}", "path": ferry.destination("known.bin")}])["handle"]
    bridge.ok("job.resume", handle=handle)
    look = lambda: bridge.ok("job.get", handle=handle)["job"]
    job = wait_until(lambda: look() if look()["error"] else None, 20, "it is full")
    judge_job("full", job, "DISK_FULL", "", "errno", 28)
    assert job["wait"]["reason"] == "disk-full", job
    with open(ferry.seen("known.bin"), "rb") as file:
        assert file.read() == b"x" * 100
    os.remove(ferry.seen("filler"))
    bridge.ok("job.resume", handle=handle)
    wait_until(lambda: look()["state"] == "TRANSFERRED", 20, "it goes on")
    bridge.ok("job.complete", handle=handle)
    wait_until(lambda: look()["state"] == "ACKNOWLEDGED", 20, "it lands")
    assert sha256(ferry.seen("known.bin")) == sha256(os.path.join(nginx.www, "known.bin"))
    bridge.close()


# --- the command line's words ---

def command_line__says_what_which_number_and_what_to_do():
    ferry = Ferry()
    url, path = f"http://127.0.0.1:9/x?{SECRET}", ferry.destination("x")
    done = ferry.run("list", check=False)
    assert done.returncode == 3 and "(NOT_RUNNING 0x80070426" in done.stderr and "what to do" in done.stderr, done
    ferry.start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    job = ferry.run("submit", "--suspended", "--no-wait", url, path).stdout.split()[0]
    finished = ferry.run("submit", "--suspended", "--no-wait", "--name", "given up", url, path).stdout.split()[0]
    ferry.run("cancel", finished)
    rows = [  # (row, arguments, exit code, words)
        ("no verb of that name", ["fetch", url], 1, "fetch"),
        ("unknown option", ["list", "--fast"], 1, "--fast"),
        ("URL without a destination", ["submit", "http://127.0.0.1:9/x"], 1, ""),
        ("unknown scheme", ["submit", f"ftp://h/x?{SECRET}", path], 1, "URL"),
        ("userinfo", ["submit", f"http://u:{SECRET}@h/x", path], 1, "URL"),
        ("two files, one destination", ["submit", url, path, url, path], 4, "(DUPLICATE_DESTINATION 0x80070057)"),
        ("Ferry's own folder", ["submit", url, native(os.path.join(ferry.data, "x"))], 4, "(BAD_DESTINATION 0x80070057)"),
        ("no such job", ["show", "00000000-0000-4000-8000-000000000000"], 5, ""),
        ("no such name", ["show", "nobody's"], 5, ""),
        ("a job that is over", ["resume", finished], 4, "(INVALID_STATE 0x80200002)"),
        ("status 404", ["submit", f"{nginx.url('missing')}?{SECRET}", path], 2, "(HTTP_STATUS 0x80190194; http 404)"),
    ]
    for row, arguments, code, words in rows:
        done = ferry.run(*arguments, check=False)
        if ALOUD:
            print(f"    {row}: {done.returncode}\n{done.stdout}{done.stderr}")
        assert done.returncode == code, (row, done)
        assert words in done.stderr and "ferry: " in done.stderr, (row, done)
        # What the command line finds out itself is one sentence; what the service answers has a number and a remedy.
        assert "(" not in words or re.search(r"^  what to do: .+", done.stderr, re.M), (row, done)
        assert SECRET not in done.stdout + done.stderr, (row, done)
    told = json.loads(ferry.run("resume", finished, "--json", check=False).stdout)["error"]
    assert told["result"] == "INVALID_STATE" and told["remedy"] and told["message"], told
    assert ferry.json("show", job)[0]["job"]["state"] == "SUSPENDED"
    check_no_secret(ferry)


# --- starting the daemon ---

def database(ferry):
    return os.path.join(ferry.data, "queue.sqlite3")


def template():
    """The bytes of a queue of 40 jobs."""
    ferry = Ferry().start()
    bridge = Bridge(ferry)
    bridge.hello()
    for i in range(40):
        bridge.ok("job.create", name=f"job {i}", files=[{"url": f"http://127.0.0.1:9/{i}?{SECRET}" + "x" * 500,
                                                         "path": ferry.destination(f"{i}")}])
    bridge.close()
    ferry.kill()
    with sqlite3.connect(database(ferry)) as connection:  # bring the log's content into the file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return contents(database(ferry))


def on_disk(folder):
    """All that lies there, but for what is written while refusing: the log, and the lock file that Windows needs."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(at, name)
            status = os.lstat(path)
            if not name.startswith(("ferry.jsonl", "ferryd.err")) and "lock" not in name:
                found[path] = (stat.S_IFMT(status.st_mode) if WINDOWS else status.st_mode, status.st_uid,
                               contents(path) if os.path.isfile(path) and not os.path.islink(path) else None)
    return found


def refused(row, ferry, result, what, arguments=(), **options):
    """A start that must fail; what the terminal shows of it."""
    before = on_disk(ferry.folder)
    done = subprocess.run([*ferry.serve, *arguments], env=ferry.environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, encoding="utf-8", timeout=60, **options)
    if ALOUD:
        print(f"    {row}: {done.returncode}\n{done.stderr}")
    told = re.fullmatch(r"ferryd: [\w-]+: (.+)\n  (.+)\n  \((\w+) (0x[0-9A-F]{8})(?:; (\w+) (-?\d+))?\)\n  (.+\.)\n", done.stderr)
    assert done.returncode == 2 and told, (row, done)
    assert told[3] == result and told[1] == OUTCOMES[result][3] and int(told[4], 16) == OUTCOMES[result][2], (row, done)
    for part in (what,) if isinstance(what, str) else what:
        assert part in told[2], (row, part, told[2])
    assert SECRET not in done.stderr and on_disk(ferry.folder) == before, (row, done)


def queues_that_cannot_be_opened__are_refused_and_left_alone():
    whole = template()

    def changed(offset, *parts):
        return whole[:offset] + b"".join(parts) + whole[offset + sum(map(len, parts)):]

    def recipes(path):
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE recipe (name TEXT)")
        connection.close()

    rows = [  # (row, the file's content or what makes it, result, what beside the path)
        ("newer", changed(60, struct.pack(">I", 9999)), "STORE_TOO_NEW", "schema version 9999"),
        ("another program's, by its id", changed(68, b"MOZI"), "STORE_FOREIGN", "another program's database"),
        ("another program's", recipes, "STORE_FOREIGN", "another program's database"),
        ("no database", b"Dear diary\n" * 1000, "STORE_FOREIGN", "not an SQLite database"),
        ("two bytes", b"xy", "STORE_FOREIGN", "not an SQLite database"),
        ("header overwritten", changed(0, b"\xa5" * 100), "STORE_FOREIGN", "not an SQLite database"),
        ("a folder in its place", os.mkdir, "DATA_UNUSABLE", "unable to open"),
    ]
    for row, make, result, what in rows:
        ferry = Ferry()
        if callable(make):
            make(database(ferry))
        else:
            with open(database(ferry), "wb") as file:
                file.write(make)
        refused(row, ferry, result, (what, native(database(ferry))))
        event = [event for event in ferry.events() if event["id"] == 16392]
        assert len(event) == 1 and what in event[0]["message"], (row, event)
        assert not glob.glob(os.path.join(ferry.data, "queue.damaged-*")), row
    ferry = Ferry()
    with open(database(ferry), "wb") as file:
        file.write(whole)
    if WINDOWS:
        print("  not shown: a lock that a Linux program holds")
    else:
        # In a process of its own: ours would lose the lock with the first descriptor of the file that it closes.
        hold = ("import sqlite3, sys; held = sqlite3.connect(sys.argv[1], isolation_level=None);"
                "held.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()")
        holder = subprocess.Popen([sys.executable, "-c", hold, database(ferry)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"held\n"
        refused("locked", ferry, "DATA_UNUSABLE", (native(database(ferry)), "database is locked", "another program"))
        holder.communicate(timeout=20)
    ferry.start()
    assert len(ferry.jobs()) == 40
    check_no_secret(ferry)


def damaged_queues__are_kept_aside_and_said():
    whole = template()
    half = len(whole) // 2 // 4096 * 4096
    rows = [
        ("a page in the middle", whole[:4096] + b"\xa5" * 4096 + whole[8192:], {}),
        ("everything but the header", whole[:100] + b"\xa5" * (len(whole) - 100), {}),
        ("cut in the middle", whole[:half], {}),
        ("cut in the header", whole[:4096], {}),
        ("begins with zeros", b"\0" * 4096 + whole[4096:], {}),
        ("empty beside its log", b"", {"-wal": b"x" * 5000}),
    ]
    for row, content, beside in rows:
        ferry = Ferry()
        for suffix, part in {"": content, **beside}.items():
            with open(database(ferry) + suffix, "wb") as file:
                file.write(part)
        ferry.start()
        event = [event for event in ferry.events() if event["id"] == 16391]
        kept = [path for path in glob.glob(os.path.join(ferry.data, "queue.damaged-*")) if not re.search("-(wal|shm)$", path)]
        assert len(event) == 1 and len(kept) == 1 and os.path.basename(kept[0]) in event[0]["message"], (row, event, kept)
        if ALOUD:
            print(f"    {row}: {event[0]['message']}")
        assert contents(kept[0]) == content and ferry.jobs() == [], row
        for suffix, part in beside.items():
            assert contents(kept[0] + suffix) == part, row
        check_no_secret(ferry)
        ferry.close()
    ferry = Ferry()
    open(database(ferry), "wb").close()  # nothing is lost with an empty file: it becomes a queue
    ferry.start()
    assert not [event for event in ferry.events() if event["id"] == 16391] and ferry.jobs() == []


def data_folders_that_cannot_be_used__are_refused():
    def fresh(make):
        ferry = Ferry()
        os.rmdir(ferry.data)
        make(ferry.data)
        return ferry

    file = fresh(lambda path: open(path, "w").close())
    refused("a file", file, "DATA_UNUSABLE", (native(file.data), "no folder" if not WINDOWS else "file"))
    alone = Ferry()
    missing = native(os.path.join(alone.folder, "no", "data"))
    options = ["--data", missing] if not WINDOWS else []
    if WINDOWS:
        alone.serve[alone.serve.index("--data") + 1] = missing
    refused("a folder above is missing", alone, "DATA_UNUSABLE", (missing, "does not exist"), options)
    if WINDOWS:
        print("  not shown: links, owners and rights of folders")
        return
    # Whoever opened one of these in the ordinary way would wait for the other end.
    for name in ("ferry.jsonc", "ferry.jsonl", "queue.mark"):
        pipe = Ferry()
        os.mkfifo(os.path.join(pipe.data, name))
        if name != "queue.mark":
            pipe.start()
            continue
        done = subprocess.run(pipe.serve, env=pipe.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20)
        assert done.returncode == 2 and "DATA_UNUSABLE" in done.stderr and os.path.join(pipe.data, name) in done.stderr, done
    link = fresh(lambda path: os.symlink("/tmp", path))
    refused("a link", link, "DATA_UNUSABLE", (link.data, "link"))
    if os.getuid() != 0:
        print("  not shown: folders of somebody else, as only root can make them")
        return

    def anothers(path, name="theirs"):
        os.mkdir(path)
        if name:
            open(os.path.join(path, name), "w").close()
        os.chown(path, NOBODY, NOBODY)
    foreign = fresh(anothers)
    refused("somebody else's", foreign, "DATA_UNUSABLE", (foreign.data, f"uid {NOBODY}", "remove it"))
    # The folder is ours, and others could put something in it: a queue with jobs of anybody's, say.
    lax = fresh(lambda path: (os.mkdir(path), os.chmod(path, 0o777), os.mkdir(os.path.join(path, "queue.sqlite3"))))
    refused("open to others", lax, "DATA_UNUSABLE", (lax.data, "mode 777", "remove it"))
    assert os.stat(lax.data).st_mode & 0o777 == 0o777 and os.listdir(lax.data) == ["queue.sqlite3"]
    empty = fresh(lambda path: (os.mkdir(path), os.chmod(path, 0o777))).start()
    assert os.stat(empty.data).st_mode & 0o777 == 0o700
    empty = fresh(lambda path: anothers(path, None)).start()
    status = os.stat(empty.data)
    assert (status.st_uid, status.st_mode & 0o777) == (0, 0o700)

    # As a user whom rights bind; root passes by all of them.
    def own(ferry, path, mode):
        os.chown(path, NOBODY, NOBODY)
        os.chmod(path, mode)
        os.chown(ferry.folder, NOBODY, NOBODY)
        return ferry
    rows = [("no folder may be made", lambda ferry: (os.rmdir(ferry.data), own(ferry, ferry.folder, 0o555)), "data"),
            ("root's folder", lambda ferry: os.chmod(ferry.data, 0o755), "data"),
            ("unreadable queue", lambda ferry: (own(ferry, ferry.data, 0o700),
                                                open(database(ferry), "w").close(), own(ferry, database(ferry), 0o000)),
             "queue.sqlite3"),
            ("queue that may not be written", lambda ferry: (own(ferry, ferry.data, 0o700),
                                                             open(database(ferry), "w").close(),
                                                             own(ferry, database(ferry), 0o444)), "queue.sqlite3")]
    for row, prepare, what in rows:
        ferry = Ferry()
        prepare(ferry)
        refused(row, ferry, "DATA_UNUSABLE", os.path.join(ferry.folder, "data") if what == "data" else database(ferry),
                **as_nobody())


def second_daemons__are_refused_and_the_first_goes_on():
    target = Target(Ferry().start())
    first, other = target.ferry, Ferry()
    before = target.look()
    done = []
    for row, data, address in (("the same data", first.data, other.address), ("the same address", other.data, first.address)):
        second = Ferry()
        second.serve = [*second.serve[:second.serve.index("console") + 1], "--data", native(data), "--address", address]
        if row == "the same data":
            refused(row, second, "ALREADY_RUNNING", native(data))
        else:
            refused(row, second, "ALREADY_RUNNING", address)
        assert target.look() == before, row
        done.append(row)
    first.run("status")
    target.bridge.close()


def configurations_that_cannot_be_read__are_told():
    ferry = Ferry()
    ferry.serve = ferry.serve[:ferry.serve.index("console")] + ["check-config"]
    missing, folder, wrong = (native(os.path.join(ferry.folder, name)) for name in ("missing.jsonc", "data", "wrong.jsonc"))
    with open(os.path.join(ferry.folder, "wrong.jsonc"), "w") as file:
        file.write('{\n  "transfer": { "checkpoint_byte": 1 }\n}\n')
    refused("missing", ferry, "DATA_UNUSABLE", (missing, "does not exist"), [missing])
    refused("a folder", ferry, "DATA_UNUSABLE", folder, [folder])
    refused("a slip", ferry, "BAD_SETTING", ("line 2", "checkpoint_bytes"), [wrong])


faulthandler.dump_traceback_later(150, exit=True)  # what is not answered hangs
run(messages__are_refused_by_name_and_change_nothing, urls_and_destinations__are_refused_by_rule_and_change_nothing,
    limits__are_told_by_their_setting_and_change_nothing, machine_full__is_told_by_its_setting, door_full__says_busy,
    servers_that_fail__leave_the_old_file_and_say_why, destinations_that_cannot_be_written__are_told_at_resume,
    destination_in_use__is_tried_again, full_disk__is_told_and_goes_on_when_there_is_room,
    command_line__says_what_which_number_and_what_to_do, queues_that_cannot_be_opened__are_refused_and_left_alone,
    damaged_queues__are_kept_aside_and_said, data_folders_that_cannot_be_used__are_refused,
    second_daemons__are_refused_and_the_first_goes_on, configurations_that_cannot_be_read__are_told)
