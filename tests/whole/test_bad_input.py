"""Every bad input is answered: with the documented outcome, the field or file that is wrong, what to do about it, no
secret, and nothing changed.  One table for each family; a row says what is done and what must come of it.

FERRY_ALOUD=1 prints every error as its reader sees it.
"""
import faulthandler
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

from ground import GROUND, MIB, SOURCE, Bridge, Ferry, Nginx, native, run, sha256, wait_until

# job.resume looks at the destinations itself, and answers what is wrong with them.
RESUME_LOOKS = False
# Elevated administrators and services have limits of their own (queue.exempt_*).
EXEMPT_HAVE_LIMITS = False

SECRET = "geheim5f3a"  # is in the query or the userinfo of every URL here, and may be seen nowhere
WINDOWS = GROUND == "wine"
NOBODY = 65534
ORDINARY = not WINDOWS and os.getuid() == 0  # whether clients can be somebody who is no administrator
SEPARATOR = "\\" if WINDOWS else "/"
ALOUD = bool(os.environ.get("FERRY_ALOUD"))


def documented_outcomes():
    """{result: (class, code, HRESULT, sentence)}, from the table that docs/protocol.md promises."""
    with open(os.path.join(SOURCE, "docs", "protocol.md"), encoding="utf-8") as page:
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (-\d+) \| (0x[0-9A-F]{8})[^|]* \| (.*) \|$", page.read(), re.M)
    return {name: (kind, int(code), int(hresult, 16), sentence) for name, kind, code, hresult, sentence in rows}


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


faulthandler.dump_traceback_later(120, exit=True)  # what is not answered hangs
run(messages__are_refused_by_name_and_change_nothing, urls_and_destinations__are_refused_by_rule_and_change_nothing)
