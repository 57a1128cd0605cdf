#!/usr/bin/env python3
"""Hold the sources and the compiled objects against tests/rooms.txt.

    check_rooms.py --ground win32|posix --nm NM --libraries DIR SOURCE
    check_rooms.py --selftest      plant violations in a small house; each must be found

Two witnesses, because each is blind where the other sees: the #includes of every source
(macros, types and inline functions leave no symbol) and the symbols of every room's
library (a hand-written declaration needs no #include).  Whatever is listed nowhere is
refused: a new libc function in a pure room is a decision, taken here.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

# What any room may call: memory, strings and formatting.  No locale, clock, stream, errno.
PURE = set("""
    memchr memcmp memcpy memmove memset strchr strcmp strcspn strlen strncmp strnlen strpbrk strrchr strspn strstr
    malloc calloc realloc free abort qsort bsearch snprintf vsnprintf strtol strtoll strtoul strtoull strtod
    _assert _wassert __assert_fail
    """.split())
# `libc-io`: the streams, the environment, the end of the process.
LIBC_IO = set("""
    stdin stdout stderr __acrt_iob_func printf fprintf vprintf vfprintf puts putchar putc fputs fputc fgets fgetc getc
    fopen fclose fread fwrite fflush ferror feof setvbuf fseek ftell getenv exit atexit
    """.split())
# What compilers and sanitizers call on their own account.
COMPILER = re.compile(r"""^( \.refptr\..* | \.weak\..* | __(asan|ubsan|tsan|lsan|sanitizer|gcov|atomic|emutls)_.* | __odr_asan.*
    | __stack_chk_(fail|guard) | __chk_fail | _*chkstk_ms | (__)?main | _GLOBAL_OFFSET_TABLE_ | _tls_index | __tls_get_addr
    | __memcpy_chk | __(add|sub|mul|div|mod)[sdt]i3 )$""", re.X)
# Names in front of and behind the C name: imports, MinGW's own stdio, glibc's fortified calls.
DRESS = re.compile(r"^(?:__imp_)?(?:__mingw_|__ms_|__isoc99_)?(.*)$")

STANDARD_HEADERS = set("""
    assert.h float.h inttypes.h iso646.h limits.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h
    stdlib.h stdnoreturn.h string.h
    """.split())
FOREIGN_HEADERS = {"time.h": "os", "sqlite3.h": "sqlite3", "yyjson.h": "yyjson", "winhttp.h": "winhttp"}
FOREIGN_SYMBOLS = re.compile(r"^(?:(sqlite3|curl|yyjson)_|(WinHttp)[A-Z])")
FOREIGN = {"sqlite3", "curl", "yyjson", "winhttp", "os", "libc-io"}
# Never, by anybody.
BANNED = re.compile(r"\b(gets|strcpy|strncpy|strcat|strncat|stpcpy|sprintf|vsprintf|strtok|strtok_r|s?scanf|fscanf"
                    r"|ato[ifl]|atoll|alloca|system|popen|tmpnam|mktemp|rand|srand|setjmp|longjmp"
                    r"|wcscpy|wcscat|wcsncpy|lstrcpyW|lstrcatW|wsprintfW)\s*\(")
PLATFORM_IF = re.compile(r"^[ \t]*#[ \t]*(?:el)?if.*\b(_WIN32|_WIN64|WIN32|_MSC_VER|__MINGW\w*|__CYGWIN__|__linux\w*"
                         r"|__unix\w*|__APPLE__|__GLIBC__)\b", re.M)

# The laws that no row may loosen.
MAY_USE = {"core": {"core"}, "platform": {"core", "platform"}, "runtime": {"core", "platform", "runtime"},
           "daemon": {"core", "platform", "runtime"}, "client": {"core", "platform", "client"}}
SOLE_USER = {"sqlite3": "runtime/store", "curl": "runtime/transfer", "winhttp": "platform/proxy"}
POSIX_LINES_MAX = 1500  # the test ground is a ground, not a second product

# Headers that stand in no room's folder, and whose they are.
LOOSE_HEADERS = {"events.def": "runtime/events", "schema_embedded.h": "runtime/store", "ferry_build.h": None}


class House:
    def __init__(self, source):
        self.source = Path(source)
        self.uses, self.foreign, self.also, self.complaints = {}, {}, {}, []
        rows = {}
        for line in (self.source / "tests/rooms.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                room, *columns = re.split(r"\s+(with|uses|foreign):\s+", line.strip())
                if not columns:
                    sys.exit(f"tests/rooms.txt: cannot read: {line}")
                rows[room] = {name: text.split() for name, text in zip(columns[::2], columns[1::2])}
        for room, row in rows.items():
            self.foreign[room] = set(row.get("foreign", []))
            self.also.update({f"{room.rpartition('/')[0]}/{name}": room for name in row.get("with", [])})
            self.uses[room] = set()
            for use in row["uses"]:
                if use.endswith("/*"):
                    self.uses[room] |= {r for r in rows if r.rpartition("/")[0] == use[:-2]} - {room}
                elif use in rows:
                    self.uses[room].add(use)
                elif use != "-":
                    self.complain(room, f"uses {use}, which has no row")

    def complain(self, where, what):
        self.complaints.append(f"{where}: {what}")

    def room_of(self, path):
        """The room of a file below the source folder; the same rule as cmake/rooms.cmake."""
        parts = path.relative_to(self.source).parts
        if parts[:2] == ("client", "cli"):
            return "client/cli"
        folder = parts[:-1]
        layers = {("daemon",): ["daemon"], ("client",): ["client"], ("daemon", "core"): ["core"],
                  ("daemon", "runtime"): ["runtime"], ("daemon", "platform"): ["platform"],
                  ("daemon", "platform", "win32"): ["platform/win32", "platform"],
                  ("daemon", "platform", "posix"): ["platform/posix", "platform"]}.get(folder, [])
        for layer in layers:
            name = path.stem
            while name:
                here = f"{layer}/{name}"
                if here in self.uses or here in self.also:
                    return self.also.get(here, here)
                name = name.rpartition("_")[0]
        return None

    def check_table(self):
        for room, uses in self.uses.items():
            layer = room.split("/")[0]
            for use in uses:
                if use.split("/")[0] not in MAY_USE.get(layer, set()):
                    self.complain(room, f"{layer} may not use {use}")
            for part in self.foreign[room]:
                if part not in FOREIGN:
                    self.complain(room, f"no such foreign part: {part}")
                if SOLE_USER.get(part, room) != room:
                    self.complain(room, f"only {SOLE_USER[part]} uses {part}")
            if "os" in self.foreign[room] and layer not in ("platform", "client"):
                self.complain(room, "only platform/ and client/ touch the system")
        done = set()

        def walk(room, path):
            if room in path:
                self.complain(room, "a circle: " + " -> ".join([*path[path.index(room):], room]))
            elif room not in done:
                for use in sorted(self.uses[room]):
                    walk(use, [*path, room])
                done.add(room)
        for room in self.uses:
            walk(room, [])

    def check_sources(self):
        lines = 0
        for path in sorted(p for top in ("daemon", "client") for p in (self.source / top).rglob("*.[ch]")):
            where = path.relative_to(self.source)
            if where.parts[:2] in (("client", "bits"), ("client", "examples")):
                continue  # on the far side of ferry.h, like any other program
            room = self.room_of(path)
            if room is None:
                self.complain(where, "has no row in tests/rooms.txt")
                continue
            text = path.read_text()
            code = re.sub(r'/\*.*?\*/|//[^\n]*', "", text, flags=re.S)
            # A contract header speaks our nouns, whatever its room may do behind it.
            contract = where.parent == Path("daemon/platform")
            system = "os" in self.foreign[room] and not contract
            for bracket, header in re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', code, re.M):
                self.check_include(where, path, room, system, bracket, header)
            if not system and (match := PLATFORM_IF.search(code)):
                self.complain(where, f"asks for the platform: {match[1]}")
            if match := BANNED.search(re.sub(r'"(\\.|[^"\\])*"', '""', code)):
                self.complain(where, f"calls {match[1]}, which is banned")
            lines += text.count("\n") if "posix" in where.parts else 0
        if lines > POSIX_LINES_MAX:
            self.complain("daemon/platform/posix", f"has {lines} lines, at most {POSIX_LINES_MAX} are allowed")

    def check_include(self, where, path, room, system, bracket, header):
        if bracket == "<":
            part = "curl" if header.startswith("curl/") else FOREIGN_HEADERS.get(header)
            if part and part not in self.foreign[room]:
                self.complain(where, f"includes <{header}>, but its row does not list {part}")
            elif not part and not system and header not in STANDARD_HEADERS:
                self.complain(where, f"includes <{header}>: the system is platform/'s")
            return
        for base in (path.parent, self.source / "daemon", self.source / "client"):
            if (base / header).is_file() and header not in LOOSE_HEADERS:
                owner = self.room_of(base / header)
                break
        else:
            if header not in LOOSE_HEADERS:
                self.complain(where, f'includes "{header}", which is nowhere')
                return
            owner = LOOSE_HEADERS[header] or room
        if owner not in self.uses[room] | {room, None}:  # None: the file without a row is complained of itself
            self.complain(where, f'includes "{header}", but {room} does not list {owner}')

    def check_symbols(self, ground, nm, libraries):
        defined, wanted = {}, {}
        other = {"win32": "platform/posix/", "posix": "platform/win32/"}[ground]
        for room in self.uses:
            library = Path(libraries) / f"libroom_{room.replace('/', '_')}.a"
            if room.startswith(other) or not library.exists():
                continue
            wanted[room] = set()
            listing = subprocess.run([nm, "-P", "-g", library], check=True, capture_output=True, text=True).stdout
            for name, kind in re.findall(r"^(\S+) ([A-Za-z?])(?: |$)", listing, re.M):
                if COMPILER.match(name):
                    continue
                if kind in "Uwv":
                    wanted[room].add(name)
                elif defined.setdefault(name, room) != room:
                    self.complain(room, f"defines {name}, and so does {defined[name]}")
        for room, names in wanted.items():
            # Under FERRY_PARTIAL a name may belong to a room that is not written yet.
            complete = all(use in wanted or use.startswith(other) for use in self.uses[room])
            for name in sorted(names):
                owner = defined.get(name) or defined.get(name.removeprefix("__imp_"))
                self.check_symbol(room, name, owner, complete)
        return len(wanted)

    def check_symbol(self, room, name, owner, complete):
        allowed = self.foreign[room]
        bare = DRESS.match(name)[1]
        bare = re.sub(r"^_*(\w+)_chk$", r"\1", bare)
        if owner:
            if owner != room and owner not in self.uses[room]:
                self.complain(room, f"calls {name} of {owner}, which its row does not list")
        elif match := FOREIGN_SYMBOLS.match(bare):
            part = (match[1] or match[2]).lower()
            if part not in allowed:
                self.complain(room, f"calls {bare}, but its row does not list {part}")
        elif bare in PURE or "os" in allowed or (bare in LIBC_IO and "libc-io" in allowed):
            return
        elif complete:
            self.complain(room, f"calls {bare}: no room is allowed that without 'os'"
                          + (" or 'libc-io'" if bare in LIBC_IO else ""))


def check(source, ground=None, nm=None, libraries=None):
    house = House(source)
    house.check_table()
    house.check_sources()
    count = house.check_symbols(ground, nm, libraries) if libraries else 0
    return house.complaints, count


def selftest():
    """A small house that is in order, then one violation after the other."""
    import tempfile
    table = {"core/job": "uses: -", "core/url": "uses: -", "platform/file": "uses: core/job foreign: os",
             "runtime/store": "uses: core/job foreign: sqlite3", "runtime/engine": "uses: core/* runtime/store"}
    files = {"core/job.h": "int job_one(void);\n",
             "core/job.c": '#include "core/job.h"\n#include <string.h>\nint job_one(void) { return (int)strlen("_WIN32"); }\n',
             "core/url.h": "int url_one(void);\n",
             "core/url.c": '#include "core/url.h"\nint url_one(void) { return 1; }\n',
             "platform/file.h": '#include "core/job.h"\nint file_one(void);\n',
             "platform/posix/file.c": '#include "platform/file.h"\n#include <unistd.h>\n'
                                      "int file_one(void) { return getpid(); }\n",
             "runtime/store.c": "int sqlite3_one(void);\nint store_one(void);\n"
                                "int store_one(void) { return sqlite3_one(); }\n",
             "runtime/engine.c": '#include "core/url.h"\nint store_one(void);\nint engine_one(void);\n'
                                 "int engine_one(void) { return url_one() + store_one(); }\n"}
    plants = [
        ("in order", {}, {}, None),
        ("an include upwards", {}, {"core/job.c": '#include "platform/file.h"\n'}, "does not list platform/file"),
        ("an include sideways", {}, {"core/url.c": '#include "core/job.h"\n'}, "does not list core/job"),
        ("a call without an include", {}, {"core/url.c": "int job_one(void);\nint x(void) { return job_one(); }\n"},
         "calls job_one of core/job"),
        ("a clock", {}, {"core/job.c": "long time(long *);\nlong t(void) { return time(0); }\n"}, "calls time"),
        ("a stream", {}, {"core/job.c": "#include <stdio.h>\nvoid t(void) { puts(\"\"); }\n"}, "calls puts"),
        ("a system header", {}, {"runtime/store.c": "#include <pthread.h>\n"}, "the system is platform/'s"),
        ("a system header in a contract", {}, {"platform/file.h": "#include <unistd.h>\n"}, "the system is platform/'s"),
        ("SQL elsewhere", {}, {"runtime/engine.c": "int sqlite3_x(void);\nint e(void) { return sqlite3_x(); }\n"},
         "does not list sqlite3"),
        ("curl elsewhere", {}, {"runtime/engine.c": "#include <curl/curl.h>\n"}, "does not list curl"),
        ("WinHTTP elsewhere", {}, {"platform/posix/file.c": "int WinHttpX(void);\nint e(void) { return WinHttpX(); }\n"},
         "does not list winhttp"),
        ("a platform in the core", {}, {"core/job.c": "#  if defined(_WIN32)\n#endif\n"}, "asks for the platform"),
        ("a banned function", {}, {"core/job.c": "char *strcpy(char *, const char *);\n"}, "banned"),
        ("a file without a row", {}, {"core/stray.c": "int stray;\n"}, "has no row"),
        ("one name twice", {}, {"core/url.c": "int job_one(void) { return 2; }\n"}, "and so does core/job"),
        ("a row upwards", {"core/url": "uses: runtime/store"}, {}, "core may not use runtime/store"),
        ("a row in a circle", {"core/job": "uses: core/url", "core/url": "uses: core/job"}, {}, "a circle"),
        ("a row with a second SQL", {"runtime/engine": "uses: core/* foreign: sqlite3"}, {}, "only runtime/store"),
        ("a row with the system", {"runtime/engine": "uses: core/* foreign: os"}, {}, "only platform/ and client/"),
        ("a second product", {}, {"platform/posix/file.c": "\n" * (POSIX_LINES_MAX + 1)}, "lines, at most"),
    ]
    failed, compiled = 0, {}
    for title, rows, additions, expected in plants:
        with tempfile.TemporaryDirectory() as root:
            build_house(Path(root), {**table, **rows}, files, additions, compiled)
            complaints, _ = check(root, "posix", "nm", root)
        found = any(expected in c for c in complaints) if expected else not complaints
        print(f"{'ok' if found else 'NOT FOUND'}: {title}")
        if not found:
            failed += 1
            print(f"  expected: {expected}", *complaints, sep="\n  ")
    return failed


def build_house(root, table, files, additions, compiled):
    (root / "tests").mkdir()
    (root / "tests/rooms.txt").write_text("".join(f"{room} {row}\n" for room, row in table.items()))
    for name in {**files, **additions}:
        path = root / "daemon" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(name, "") + additions.get(name, ""))
    for path in (root / "daemon").rglob("*.c"):
        key, thing = (path.name, path.read_text()), path.with_suffix(".o")
        if key not in compiled:
            # What needs headers that are not here fails to compile; its #include is the witness then.
            done = subprocess.run(["cc", "-w", "-I", root / "daemon", "-c", path, "-o", thing], capture_output=True)
            compiled[key] = thing.read_bytes() if done.returncode == 0 else None
        if compiled[key]:
            thing.write_bytes(compiled[key])
            layer = path.relative_to(root / "daemon").parts[0]
            subprocess.run(["ar", "rc", root / f"libroom_{layer}_{path.stem}.a", thing], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ground", choices=["win32", "posix"])
    parser.add_argument("--nm")
    parser.add_argument("--libraries")
    parser.add_argument("--selftest", action="store_true")
    parser.add_argument("source", nargs="?")
    arguments = parser.parse_args()
    if arguments.selftest:
        return 1 if selftest() else 0
    complaints, count = check(arguments.source, arguments.ground, arguments.nm, arguments.libraries)
    print(*complaints, f"{count} rooms' objects read, {len(complaints)} complaints", sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
