"""Malformed configurations: the shipped ferry.jsonc, broken in one place by mutators that know which line it is.

Whether a mutant is broken is judged by a second opinion, Python's own JSON and the schema, never by Ferry: those that are valid
still are discarded, and one that Ferry takes all the same is a finding.  `ferryd check-config` must name the line; a reload must
leave the running service as it was.
"""
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys

from ground import GROUND, MIB, SOURCE, Ferry, Nginx, native, program, run, skip, wait_until

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian puts it, whichever python3 comes first
try:
    import jsonschema
except ImportError:
    skip("python3-jsonschema is not installed")

SEED = 7
MUTANTS = 200 if GROUND == "linux" else 16  # each is a start of ferryd
RELOADED = 16 if GROUND == "linux" else 5
with open(os.path.join(SOURCE, "config", "ferry.jsonc"), "rb") as file:
    SHIPPED = file.read().split(b"\n")
with open(os.path.join(SOURCE, "schema", "settings.schema.json")) as file:
    SCHEMA = jsonschema.Draft202012Validator(json.load(file))
KEY = re.compile(rb'^    "(\w+)": (.+?)(,?)$')
KEYS = [number for number, line in enumerate(SHIPPED) if KEY.match(line)]
NUMBERS = [number for number in KEYS if KEY.match(SHIPPED[number])[2].isdigit()]
LISTS = [number for number in KEYS if KEY.match(SHIPPED[number])[2] == b"[]"]
WORDS = [number for number in KEYS if KEY.match(SHIPPED[number])[2].startswith(b'"')]
GROUPS = [number for number, line in enumerate(SHIPPED) if re.match(rb'^  "\w+": {$', line)]
BEFORE_ANOTHER = [number for number in KEYS if KEY.match(SHIPPED[number])[3]]


# --- the second opinion ---

def without_comments(text):
    """The same with blanks in their place, and commas before a closing bracket dropped."""
    parts = re.split(r'("(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/)', text, flags=re.S)
    plain = "".join(part if part[:1] == '"' or part[:1] != "/" else re.sub(r"[^\n]", " ", part) for part in parts)
    parts = re.split(r'("(?:[^"\\\n]|\\.)*")', plain)
    return "".join(part if part[:1] == '"' else re.sub(r",(\s*[]}])", r"\1", part) for part in parts)


def once_each(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def no_constant(text):
    raise ValueError(f"{text} is no JSON")


def is_valid(content):
    try:
        value = json.loads(without_comments(content.decode("utf-8", "strict")), object_pairs_hook=once_each, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return False
    return SCHEMA.is_valid(value)


# --- mutators: (the file's lines, the lines that may be named, counted from 1) ---

def with_line(number, line):
    return [*SHIPPED[:number], line, *SHIPPED[number + 1:]], {number + 1}


def with_value(number, value):
    key, _, comma = KEY.match(SHIPPED[number]).groups()
    return with_line(number, b'    "' + key + b'": ' + value + comma)


def of_another_type(rng):
    return with_value(rng.choice(KEYS), rng.choice([b"true", b"null", b"1.5", b"-1", b"{}", b"[[]]", b'"x"', b"[1]", b"[null]", b'{ "a": 1 }']))


def out_of_bounds(rng):
    return with_value(rng.choice(NUMBERS), rng.choice([b"18446744073709551615", b"18446744073709551616", b"9" * 40, b"1e300", b"1E400", b"-0.5"]))


def no_number(rng):
    return with_value(rng.choice(NUMBERS), rng.choice([b"NaN", b"Infinity", b"-Infinity", b"0x10", b"017", b"+1", b"1.", b".5", b"1e", b"1_000", b"- 1"]))


def unknown_key(rng):
    number = rng.choice(KEYS + GROUPS)
    line = SHIPPED[number]
    begin, end = line.index(b'"') + 1, line.rindex(b'":')
    at = rng.randrange(begin, end)
    return with_line(number, rng.choice([line[:at] + line[at + 1:], line[:at] + b"x" + line[at:], line[:at] + line[at:at + 1] + line[at:],
                                         line[:begin] + line[begin:end].upper() + line[end:]]))


def key_twice(rng):
    number = rng.choice(BEFORE_ANOTHER)
    return [*SHIPPED[:number + 1], *SHIPPED[number:]], {number + 2}


def group_twice(rng):
    number = rng.choice(GROUPS)
    name = re.match(rb'^  ("\w+")', SHIPPED[number])[1]
    return [*SHIPPED[:-2], b"  " + name + b": {}", *SHIPPED[-2:]], {len(SHIPPED) - 1}


def punctuation(rng):
    number = rng.choice(KEYS)
    key, value, comma = KEY.match(SHIPPED[number]).groups()
    return with_line(number, rng.choice([b'    "' + key + b'" ' + value + comma, b"    " + key + b": " + value + comma,
                                         b"    '" + key + b"': " + value + comma, b'    "' + key + b'": ' + comma,
                                         b'    "' + key + b'": ' + value + b",,", b'    "' + key + b'":: ' + value + comma,
                                         b'    "' + key + b'": ' + value + b";", b'    , "' + key + b'": ' + value + comma,
                                         b'    "' + key + b'": ' + value + b" 5" + comma]))


def something_missing(rng):
    """A comma, or a bracket: the next key is what cannot stand there."""
    number = rng.choice(BEFORE_ANOTHER)
    following = next(later for later in range(number + 1, len(SHIPPED)) if KEY.match(SHIPPED[later]) or SHIPPED[later].startswith(b"  }"))
    lines, _ = with_line(number, SHIPPED[number][:-1]) if rng.random() < 0.7 else with_value(number, b"[[]")
    return lines, {number + 1, following + 1}


def bad_escape(rng):
    return with_value(rng.choice(WORDS), rng.choice([b'"\\q"', b'"\\u12"', b'"\\ud800"', b'"\\x41"', b'"a\\"', b'"\\udc00\\ud800"']))


def bad_byte(rng):
    return with_value(rng.choice(WORDS + LISTS), b'"' + rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x00", b"\x01", b"\t"]) + b'"')


def open_ended(rng):
    """A text ends with its line at the latest; a comment with the file."""
    number = rng.choice(WORDS + LISTS)
    if rng.random() < 0.6:
        return with_value(number, b'"all')
    lines, named = with_line(number, SHIPPED[number] + b" /* never closed")
    return [line.replace(b"*/", b"") for line in lines], named | {len(lines), len(lines) - 1}


def bracket(rng):
    return with_value(rng.choice(LISTS), rng.choice([b"]", b"[}", b"[]]", b"[,]", b'["a" "b"]', b'["a",,]', b"(a)"]))


def deep(rng):
    depth = rng.choice([20, 200, 5000])
    return with_value(rng.choice(LISTS), b"[" * depth + b"]" * depth)


def wrong_item(rng):
    return with_value(rng.choice(LISTS), rng.choice([b"[1]", b"[true]", b"[null]", b"[{}]", b'[["a"]]', b'["' + b"a" * 5000 + b'"]']))


def junk_behind(rng):
    return [*SHIPPED[:-1], rng.choice([b"x", b"{}", b"}", b"]", b'"a"', b"1", b"/", b"/*"])], {len(SHIPPED)}


MUTATORS = [of_another_type, out_of_bounds, no_number, unknown_key, key_twice, group_twice, punctuation, something_missing, bad_escape, bad_byte, open_ended,
            bracket, deep, wrong_item, junk_behind]


def mutants():
    """As many as wanted, of all kinds in turn, each once: (kind, content, lines)."""
    rng, seen, made = random.Random(SEED), set(), []
    while len(made) < MUTANTS:
        mutator = MUTATORS[len(made) % len(MUTATORS)]
        for _ in range(1000):
            lines, named = mutator(rng)
            content = b"\n".join(lines)
            if content not in seen and not is_valid(content):
                break
        else:
            rng.shuffle(MUTATORS)  # this kind has no more
            continue
        seen.add(content)
        made.append((mutator.__name__, content, named))
    return made


def check(path):
    return subprocess.run([*program("ferryd"), "check-config", native(path)], env=dict(os.environ, FERRY_TEST_ROOT=os.path.dirname(path)),
                          capture_output=True, text=True, encoding="utf-8", timeout=60)


def each_malformed_file__is_refused_and_the_line_is_named():
    ferry = Ferry()
    assert is_valid(b"\n".join(SHIPPED))

    def judge(number, kind, content, named):
        path = os.path.join(ferry.folder, f"{number}.jsonc")
        with open(path, "wb") as file:
            file.write(content)
        done = check(path)
        said = {int(line) for line in re.findall(r": line (\d+), column \d+: ", done.stderr)}
        if done.returncode != 2 or not said or not said <= named:
            return f"{kind}: lines {sorted(named)}, not {sorted(said)}: {done.returncode} {done.stderr}\n{content.split(bytes([10]))[min(named) - 1][:200]}"
        return None
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = [line for line in pool.map(lambda row: judge(row[0], *row[1]), enumerate(mutants())) if line]
    assert not wrong, f"{len(wrong)} of {MUTANTS}:\n" + "\n".join(wrong)
    ferry.close()


def reloads_of_malformed_files__leave_the_running_service_as_it_was():
    ferry = Ferry({"queue": {"slice_s": 61}}).start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=2 * MIB)
    nginx.file("large.bin", 16 * MIB)
    ferry.submit(nginx, ["large.bin"], "--name", "a", "--no-wait")
    wait_until(lambda: ferry.bytes_written() > 0, 30, "it runs")
    before = ferry.json("config", "show")
    path = os.path.join(ferry.data, "ferry.jsonc")
    rows = mutants()
    for kind, content, _ in random.Random(SEED).sample(rows, RELOADED):
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.replace(path + ".new", path)
        done = ferry.run("config", "reload", check=False)
        assert done.returncode == 4, (kind, done)
        assert ferry.json("config", "show") == before, kind
    ferry.run("wait", "a")
    assert len(nginx.requests()) == 1, nginx.requests()  # in one go
    ferry.check_landed(nginx, ["large.bin"])
    nginx.close()
    ferry.close()


run(each_malformed_file__is_refused_and_the_line_is_named, reloads_of_malformed_files__leave_the_running_service_as_it_was)
