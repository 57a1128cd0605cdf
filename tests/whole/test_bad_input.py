"""Bad input at the door: messages, URLs, paths, limits, the command line's words.  Every one is refused by name, and
nothing has changed.  One table for each family; a row says what is sent and what must come of it.
"""
import faulthandler
import json
import os
import re

from ground import MIB, Bridge, Ferry, Nginx, native, not_shown, program, run
from outcomes import ALOUD, ORDINARY, NOBODY, SECRET, WINDOWS, Target, as_nobody, check_no_secret, judge_reply

SEPARATOR = "\\" if WINDOWS else "/"


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
        ("method twice", '{"jsonrpc":"2.0","id":1,"method":"job.cancel","method":"job.list"}', "DUPLICATE_FIELD",
         "method"),
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
        ("create, retry_delay_s with a fraction", create(retry_delay_s=1.0), "INVALID_ARGUMENT",
         "params.retry_delay_s"),
        ("create, max_time_s zero", create(max_time_s=0), "INVALID_ARGUMENT", "params.max_time_s"),
        ("create, max_time_s too large", create(max_time_s=315360001), "INVALID_ARGUMENT", "params.max_time_s"),
        ("create, no_progress_timeout_s of 2^64", create(no_progress_timeout_s=2 ** 64), "INVALID_ARGUMENT",
         "params.no_progress_timeout_s"),
        ("create, files no array", create(files={}), "INVALID_ARGUMENT", "params.files"),
        ("create, one bad file of two", create(files=[good, {"url": "x", "path": "x"}]), "BAD_URL",
         "params.files[1].url"),
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
    ("a path of this machine", "C:\\folder\\x", "path of this machine"),
    ("a device", "\\\\.\\C:\\x", "device"),
    ("a long path", "\\\\?\\UNC\\server\\share\\x", "device"),
    ("a share, pipes", "\\\\localhost\\PIPE\\x", "no files"),
    ("a share, a stream", "\\\\server\\share\\x:y", "':'"),
    ("a share, two dots", "\\\\server\\share\\..\\x", "'..'"),
    ("a share, by WebDAV", "\\\\server@SSL\\share\\x", "WebDAV"),
    ("a share and no file", "\\\\server\\share", "without a file"),
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
    own = native(os.path.dirname(os.path.realpath(program("ferryd")[-1])))
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
        ("Ferry's program", own + SEPARATOR + "x", "BAD_DESTINATION", "Ferry's own"),
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
            target.check(f"{method}, path, {row}", request(method, {**place, "files": [{**good, "path": path}]}),
                         result, "params.files[0].path")
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
        not_shown("limits of ordinary owners", "Linux")
    if WINDOWS or ORDINARY:
        ferry, bridge = check_limits("exempt_")
        bridge.close()
    else:
        not_shown("limits of exempt owners", "Linux as root; Wine")


def machine_full__is_told_by_its_setting():
    if not ORDINARY:
        not_shown("a machine full of two ordinary owners' jobs", "Linux as root")
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
    elevated = WINDOWS or os.getuid() == 0  # one place is kept for them
    bridges = [Bridge(ferry) for _ in range(4 if elevated else 3)]
    for bridge in bridges:
        bridge.hello()
    done = ferry.run("status", check=False)
    assert done.returncode == 3 and "(BUSY 0x800700AA)" in done.stderr and "door.connections_max" in done.stderr, done
    assert re.search(r"^  what to do: .+\.$", done.stderr, re.M), done.stderr
    for bridge in bridges:
        bridge.ok("service.status")
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
        ("unknown scheme", ["submit", f"ftp://h/x?{SECRET}", path], 1, "URL 1 is"),
        ("userinfo", ["submit", url, path, f"http://u:{SECRET}@h/x", path], 1, "URL 2 is"),
        ("two files, one destination", ["submit", url, path, url, path], 4, "(DUPLICATE_DESTINATION 0x80070057)"),
        ("Ferry's own folder", ["submit", url, native(os.path.join(ferry.data, "x"))], 4,
         "(BAD_DESTINATION 0x80070057)"),
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
        assert words in done.stderr, (row, done)
        form = r"^ferry: .+ \(\w+ 0x[0-9A-F]{8}(; \w+ -?\d+)?\)\n  what to do: .+"
        assert re.search(form, done.stderr, re.M), (row, done)
        assert SECRET not in done.stdout + done.stderr, (row, done)
    told = json.loads(ferry.run("resume", finished, "--json", check=False).stdout)["error"]
    assert told["result"] == "INVALID_STATE" and told["remedy"] and told["message"], told
    assert ferry.json("show", job)[0]["job"]["state"] == "SUSPENDED"
    check_no_secret(ferry)


faulthandler.dump_traceback_later(150, exit=True)  # what is not answered hangs
run(messages__are_refused_by_name_and_change_nothing, urls_and_destinations__are_refused_by_rule_and_change_nothing,
    limits__are_told_by_their_setting_and_change_nothing, machine_full__is_told_by_its_setting, door_full__says_busy,
    command_line__says_what_which_number_and_what_to_do)
