"""Hostile clients do not hurt an honest one: while each of these deeds is done, it makes calls and a real transfer,
new clients get in, and afterwards the daemon has the threads, descriptors and memory it had before.

On the Linux ground, as root, the honest client and the hostile ones are different users."""
import atexit
import ctypes
import json
import os
import queue
import random
import resource
import socket
import subprocess
import threading
import time

from ground import GROUND, MIB, Bridge, Ferry, Nginx, native, not_shown, program, run, wait_until

LINUX = GROUND == "linux"
USERS = LINUX and os.getuid() == 0
HONEST, HOSTILE = 65101, 65110  # uids; further hostile ones follow
LATENCY_S_MAX = 5  # of a call; it catches what hangs, not what is slow
MEMORY_MAX = 96 * MIB  # more than before the deed, under ASan with what it keeps of freed memory
PEAK_MAX = 256 * MIB  # at any time more than at first: docs/security.md section 10
SHADOWED = os.environ.get("FERRY_SANITIZE") == "thread"  # whose shadow of the memory is larger, and stays
LONG = bool(os.environ.get("FERRY_HOSTILE_LONG"))

HELLO = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1, "client": "crowd"}})


def call(method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 2, "method": method, "params": params})


def user(uid):
    return {"user": uid, "group": uid, "extra_groups": []} if USERS else {}


class Honest(Bridge):
    """A client of another user, if there can be one, whose calls are timed."""

    def __init__(self, ferry, uid=HONEST):
        self.process = subprocess.Popen(ferry.arguments(["pipe"]), env=ferry.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **user(uid))
        self.number = 0
        self.notifications = []
        self.validators = None
        self.worst = 0
        self.calls = 0

    def raw(self, line, number=None):
        patience = threading.Timer(20, self.process.kill)  # a hang is a failure, not a wait
        patience.start()
        try:
            return super().raw(line, number)
        finally:
            patience.cancel()

    def ok(self, method, **params):
        begun = time.monotonic()
        result = super().ok(method, **params)
        self.worst = max(self.worst, time.monotonic() - begun)
        self.calls += 1
        return result

    def transfer(self, nginx, folder, name):
        made = self.ok("job.create", name=name, auto_complete=True,
                       files=[{"url": nginx.url("small.bin"), "path": native(os.path.join(folder, name))}])
        self.ok("job.resume", handle=made["handle"])
        wait_until(lambda: self.ok("job.get", handle=made["handle"])["job"]["state"] == "ACKNOWLEDGED", 60, name)
        with open(os.path.join(folder, name), "rb") as landed:
            assert landed.read() == nginx.content
        self.ok("job.list")


class Crowd:
    """tests/whole/crowd.c; `ends` is false if it is told what it cannot end."""

    def __init__(self, scene, uid=HOSTILE, ends=True):
        self.ends = ends
        self.start(scene, uid)
        scene.crowds.append(self)
        atexit.register(self.process.kill)
        self.lines, self.orders = queue.Queue(), queue.Queue()
        self.told = self.done = 0
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.read, self.write)]
        for thread in self.threads:
            thread.start()

    def start(self, scene, uid):
        # Under Wine it may be started without its arguments (see Ferry.run).
        for _ in range(1 if LINUX else 3):
            self.process = subprocess.Popen(program("tests/crowd") + [scene.ferry.address], env=scene.ferry.environment,
                                            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, **user(uid))
            if self.process.stdout.readline() == "ready\n":
                return
            print(f"NOTE: a crowd ended with {self.process.wait()} before it was ready", flush=True)
        raise AssertionError("no crowd could be started")

    def read(self):
        for line in self.process.stdout:
            if line.strip() == "done":
                self.done += 1
            else:
                self.lines.put(line.strip())

    def write(self):
        try:
            while orders := self.orders.get():
                self.process.stdin.write(orders)
                self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def tell(self, *commands):
        self.told += 1
        self.orders.put("".join(command + "\n" for command in commands) + "mark done\n")

    def busy(self):
        return self.ends and self.done < self.told

    def answers(self, count):
        lines = [self.lines.get(timeout=60) for _ in range(count)]
        return [json.loads(line) if line != "-" else None for line in lines]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.orders.put(None)
        for thread in self.threads:
            thread.join()


class Raw:
    """A socket of its own, on the Linux ground: packets of a flag byte (0: more follows, 1: last) and a payload."""

    def __init__(self, scene):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with speaking_as(HOSTILE):
            self.socket.connect(scene.ferry.address)
        self.socket.setblocking(False)

    def send(self, packet, uid=HOSTILE):
        """Whatever the daemon still takes."""
        try:
            with speaking_as(uid):
                self.socket.send(packet)
            return True
        except (BlockingIOError, BrokenPipeError, ConnectionError):
            return False


class speaking_as:
    """This thread alone, for the kernel alone: libc's wrapper would change every thread."""

    def __init__(self, uid):
        self.uid = uid

    def __enter__(self):
        self.become(self.uid)

    def __exit__(self, *what):
        self.become(0)

    def become(self, uid):
        if USERS:
            setresuid = {"x86_64": 117, "aarch64": 147}[os.uname().machine]
            real = ctypes.c_uint32(uid)
            assert ctypes.CDLL(None).syscall(setresuid, real, real, ctypes.c_uint32(0)) == 0


class Scene:
    def __init__(self, settings=()):
        self.ferry = Ferry(settings)
        # What is freed is given back soon, or growth could not be told from what the sanitizer keeps.
        self.ferry.environment["ASAN_OPTIONS"] = (os.environ.get("ASAN_OPTIONS", "") +
                                                  ":quarantine_size_mb=4:allocator_release_to_os_interval_ms=100")
        self.crowds = []
        self.nginx = Nginx(os.path.join(self.ferry.folder, "nginx"))
        self.nginx.file("small.bin", 50000)
        with open(os.path.join(self.nginx.www, "small.bin"), "rb") as file:
            self.nginx.content = file.read()
        self.folders = {}
        for uid in (HONEST, HOSTILE):
            self.folders[uid] = os.path.join(self.ferry.landed, str(uid))
            os.makedirs(self.folders[uid])
            if USERS:
                os.chown(self.folders[uid], uid, uid)
        self.ferry.start()
        self.serial = 0

    def usage(self):
        """(threads, descriptors, bytes of memory) of the daemon."""
        folder = f"/proc/{self.ferry.process.pid}"
        with open(folder + "/statm") as file:
            pages = int(file.read().split()[1])
        # Of a process that may not be traced nobody but root sees the descriptors (platform/posix/service.c).
        descriptors = len(os.listdir(folder + "/fd")) if os.access(folder + "/fd", os.R_OK) else 0
        return len(os.listdir(folder + "/task")), descriptors, pages * resource.getpagesize()

    def processor_s(self):
        with open(f"/proc/{self.ferry.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def bystander(self, honest, what):
        """What honest clients do while the deed lasts, three times at least: one that is connected, and some that come."""
        honest.worst = honest.calls = 0
        end = time.monotonic() + 30
        rounds = refused = 0
        while rounds < 3 or (any(crowd.busy() for crowd in self.crowds) and time.monotonic() < end):
            rounds += 1
            self.serial += 1
            honest.transfer(self.nginx, self.folders[HONEST], f"{self.serial}.bin")
            refused += self.newcomer(honest)
        print(f"       {what}: {honest.calls} calls of the honest, the slowest {1000 * honest.worst:.0f} ms; of new ones "
              f"{refused} were told BUSY, {rounds} got in", flush=True)
        assert honest.worst < LATENCY_S_MAX

    def newcomer(self, honest):
        """Whoever is slow to say hello while others storm the door may be told BUSY and has to come again; how often."""
        for refused in range(20):
            newcomer = Honest(self.ferry)
            begun = time.monotonic()
            reply = newcomer.raw(HELLO)
            assert reply is not None, "a new client waits in vain"
            if "error" in reply:
                assert reply["error"]["data"]["result"] == "BUSY", reply
                newcomer.close()
                continue
            newcomer.ok("service.status")
            honest.worst = max(honest.worst, time.monotonic() - begun)
            newcomer.close()
            return refused
        raise AssertionError("nobody new gets in")

    def end_of(self, what, idle):
        """All hostile ones are gone at once, and what they cost with them."""
        for crowd in self.crowds:
            crowd.kill()
        self.crowds.clear()
        threads, descriptors, memory = idle
        try:
            wait_until(lambda: self.usage()[0] == threads and self.usage()[1] == descriptors, 20, "nothing is left")
            wait_until(lambda: SHADOWED or self.usage()[2] <= memory + MEMORY_MAX, 20, "no memory is left in use")
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}: at first {idle}, now {self.usage()}") from None


# --- the deeds ---

def silent_connects(scene):
    Crowd(scene).tell("open 2000")


def half_messages(scene):
    """A first packet on all connections there can be; then silence, while others of them die."""
    scene.raw = [Raw(scene) for _ in range(300)]
    for raw in scene.raw:
        raw.send(b"\0" + b"x" * 32768)
    for raw in scene.raw[::2]:
        raw.socket.close()


def most_of_a_message(scene):
    """All that 36 greeted connections can put into a message that does not end."""
    scene.raw = [Raw(scene) for _ in range(36)]
    for raw in scene.raw:
        raw.send(b"\1" + HELLO.encode())

    def fill():
        for _ in range(60):
            for raw in scene.raw:
                raw.send(b"\0" + b" " * 32768)
    scene.threads = [threading.Thread(target=fill, daemon=True)]
    scene.threads[0].start()


def oversized_messages(scene):
    crowd = Crowd(scene)
    crowd.tell("open 20 " + HELLO, "hear 0 20", f"say 0 1 1 @{5 * MIB}", "hear 0 1", f"ask 0 20 2 @{5 * MIB}")
    crowd.answers(20)
    error = crowd.answers(1)[0]["error"]
    assert error["data"]["result"] == "TOO_LARGE" and error["data"]["what"] == f"a message may have {MIB} bytes", error


def garbage(scene):
    crowd = Crowd(scene)
    noise = "".join(chr(random.Random(1).randrange(33, 127)) for _ in range(3000)).replace("@", "x").replace("#", "y")
    crowd.tell("open 8 " + HELLO, "hear 0 8", "ask 0 4 200 #", "ask 4 4 200 " + noise, "ask 0 8 20 " + "[" * 5000)


def wrong_packets(scene):
    scene.raw = [Raw(scene) for _ in range(30)]
    for i, raw in enumerate(scene.raw):
        for packet in (b"\2{}", b"\xff" * 100, b"", b"\0", b"\1", os.urandom(200), b"\0" + b"x" * 40000):
            raw.send(packet)
        if i % 3 == 0:
            for _ in range(1000):
                raw.send(b"\0")


def pipelined(scene):
    for _ in range(4):
        Crowd(scene, ends=False).tell("open 1 " + HELLO, "say 0 1 20000 " + call("service.status"))
    Crowd(scene, ends=False).tell("open 1", "say 0 1 20000 " + call("job.list"))  # before hello


def others_handles(scene):
    crowd = Crowd(scene)
    crowd.tell("open 30 " + HELLO, "hear 0 30", "say 0 1 1 " + call("job.create", name="mine"), "hear 0 1",
               "say 1 29 1 " + call("job.cancel", handle=1), "hear 1 29",
               "say 0 1 1 " + call("job.get", handle=1), "hear 0 1",
               *("ask 0 30 10 " + call("job.get", handle=n) for n in (0, 1, 2, 7, 2**53 - 1)))
    crowd.answers(30)
    assert crowd.answers(1)[0]["result"]["handle"] == 1
    for reply in crowd.answers(29):
        assert reply["error"]["data"]["result"] == "BAD_HANDLE", reply
    assert crowd.answers(1)[0]["result"]["job"]["state"] == "SUSPENDED"


def deaf_subscribers(scene):
    """30 of them never read; one job of theirs is changed again and again, with all the text it may have."""
    deaf, busy = Crowd(scene), Crowd(scene)
    deaf.tell("open 30 " + HELLO, "say 0 30 1 " + call("events.subscribe"))
    made = call("job.create", name="loud", key="loud", description='"' * 1024)
    busy.tell("open 1 " + HELLO, "hear 0 1", "say 0 1 1 " + made, "hear 0 1")
    handle = busy.answers(2)[1]["result"]["handle"]
    busy.tell(*["ask 0 1 1 " + call("job.setProperties", handle=handle, priority=priority)
                for _ in range(2000 if LONG else 600) for priority in ("low", "high")])


def slow_reader(scene):
    raw = Raw(scene)
    raw.send(b"\1" + HELLO.encode())
    raw.send(b"\1" + call("events.subscribe").encode())
    scene.raw = [raw]

    def sip():
        for _ in range(100):
            raw.send(b"\1" + call("job.list", all=True).encode())
            try:
                raw.socket.recv(1)
            except (BlockingIOError, ConnectionError):
                pass
            time.sleep(0.02)  # that is the deed
    scene.threads = [threading.Thread(target=sip, daemon=True)]
    scene.threads[0].start()


def connect_storm(scene):
    for text in ("", " " + HELLO):
        Crowd(scene).tell(f"storm {20000 if LINUX else 1000}{text}")


def death_at_each_step(scene):
    crowd, chance = Crowd(scene), random.Random(2)
    url = scene.nginx.url("small.bin")
    folder = scene.folders[HOSTILE]
    opened = 0
    for i in range(400 if LINUX else 100):
        path = native(os.path.join(folder, f"loot-{i % 5}.bin"))
        steps = [call("job.create", name="loot", key=f"loot {i % 5}"),
                 call("job.addFiles", handle=1, files=[{"url": url, "path": path}]), call("job.resume", handle=1),
                 call("events.subscribe", handle=1), call("job.complete", handle=1)]
        crowd.tell("open 1 " + HELLO)
        for step in steps[:chance.randrange(len(steps) + 1)]:
            crowd.tell(("say", "ask")[chance.randrange(2)] + f" {opened} 1 1 " + step)
        crowd.tell(f"drop {opened} 1")
        opened += 1


def flood_of_calls(scene):
    """Three users, each with all the connections it may have, and the most expensive calls there are."""
    folder = scene.folders[HOSTILE]
    files = [{"url": "http://127.0.0.1/" + "u" * 2100, "path": native(os.path.join(folder, f"{i % 199}" + "p" * 200))}
             for i in range(200)]  # as many as there may be, and the last one is refused: all are for nothing
    heavy = call("job.addFiles", handle=1, files=files)
    first = call("job.create", name="first", key="0")
    times = 2000 if LONG else 2
    for uid in range(HOSTILE + 1, HOSTILE + (4 if USERS else 2)):
        for kind in (call("job.list", all=True), heavy, call("job.get", handle=1),
                     call("job.setProperties", handle=1, priority="low")):
            crowd = Crowd(scene, uid)
            crowd.tell("open 8 " + HELLO, "hear 0 8",
                       *["ask 0 1 1 " + call("job.create", name='"' * 1023, description='"' * 1024, key=str(n))
                         for n in range(30)], "ask 0 8 1 " + first, f"ask 0 8 {times} " + kind)


# --- the tests ---

DEEDS = [silent_connects, oversized_messages, garbage, pipelined, others_handles, deaf_subscribers, connect_storm,
         death_at_each_step, flood_of_calls]
RAW_DEEDS = [half_messages, most_of_a_message, wrong_packets, slow_reader]


def every_deed__the_honest_are_served_and_nothing_stays_behind():
    # Where the honest are the same owner as the hostile, they need places of the same share.
    scene = Scene({"worker": {"idle_s": 1}, "door": {"connections_per_owner_max": 32 if USERS else 40}})
    honest = Honest(scene.ferry)
    honest.hello()
    idle = scene.usage()
    scene.bystander(honest, "nothing")
    for do in DEEDS + (RAW_DEEDS if LINUX else []):
        scene.raw, scene.threads = [], []
        begun = time.monotonic()
        do(scene)
        scene.bystander(honest, do.__name__)
        if do is deaf_subscribers:  # all of them are cut off at their bound
            wait_until(lambda: honest.ok("service.status")["service"]["connections"] == 2, 20, "the deaf are gone")
        for thread in scene.threads:
            thread.join()
        for raw in scene.raw:
            raw.socket.close()
        scene.end_of(do.__name__, idle)
        print(f"       {do.__name__}: {time.monotonic() - begun:.1f} s, {scene.usage()[2] // MIB} MiB", flush=True)
    with open(f"/proc/{scene.ferry.process.pid}/status") as file:
        peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    print(f"       at most {(peak - idle[2]) // MIB} MiB more than at first")
    assert SHADOWED or peak - idle[2] < PEAK_MAX
    honest.close()
    stop_in_order(scene)


def refusals(crowd, count):
    return [reply["error"]["data"]["what"] if "error" in reply else None for reply in crowd.answers(count)]


def each_limit_of_the_door__is_named():
    scene = Scene({"door": {"connections_max": 40, "connections_per_owner_max": 30, "handles_per_connection_max": 3}})
    crowd = Crowd(scene)
    own_max = 30 if LINUX else 32  # who is elevated may have two more
    crowd.tell(f"open {own_max + 1} " + HELLO, f"hear 0 {own_max + 1}", f"hear {own_max} 1")
    assert refusals(crowd, own_max + 1) == own_max * [None] + ["door.connections_per_owner_max is 30"]
    assert crowd.answers(1) == [None]  # and closed
    create = call("job.create", name="a", key="a")
    crowd.tell("ask 0 1 3 " + create, "say 0 1 1 " + create, "hear 0 1", "drop 1 1", "open 1 " + HELLO,
               f"hear {own_max + 1} 1")
    assert refusals(crowd, 2) == ["door.handles_per_connection_max is 3", None]
    if USERS:
        other, administrator = Crowd(scene, HOSTILE + 1), Crowd(scene, 0)
        full = "door.connections_max is 40, and 2 of them are for elevated administrators"
        other.tell("open 9 " + HELLO, "hear 0 9")
        assert refusals(other, 9) == 8 * [None] + [full]
        administrator.tell("open 3 " + HELLO, "hear 0 3", "say 0 1 1 " + call("service.status"), "hear 0 1")
        assert refusals(administrator, 3) == 2 * [None] + [full]
        assert administrator.answers(1)[0]["result"]["service"]["connections"] == 40
    silent = Crowd(scene)
    silent.tell("open 33", "hear 0 1", "hear 0 1")
    answer, end = silent.answers(2)
    assert answer["id"] is None and answer["error"]["data"]["result"] == "BUSY" and end is None
    assert answer["error"]["data"]["what"] == "32 connections have not said hello, and the oldest of them gave way"
    for crowd in scene.crowds:
        crowd.kill()
    stop_in_order(scene)


def second_hello_as_somebody_else__counts_for_them():
    if not USERS:
        not_shown("a second hello as somebody else", "Linux as root")
        return
    scene = Scene({"door": {"connections_per_owner_max": 2}})
    other, own = Crowd(scene, HOSTILE + 1), Crowd(scene)

    def said(raw):
        raw.socket.settimeout(20)
        packet = raw.socket.recv(33000)
        raw.socket.setblocking(False)
        return json.loads(packet[1:]) if packet else None

    turncoat = Raw(scene)
    for uid in (HOSTILE, HOSTILE + 1, HOSTILE + 1):  # its own place among theirs is not counted against it
        turncoat.send(b"\1" + HELLO.encode(), uid)
        assert said(turncoat)["result"]["owner"] == f"uid:{uid}"
    own.tell("open 2 " + HELLO, "hear 0 2")  # it has left its first owner's two to others
    assert refusals(own, 2) == [None, None]
    other.tell("open 2 " + HELLO, "hear 0 2")
    assert refusals(other, 2) == [None, "door.connections_per_owner_max is 2"]
    turncoat.send(b"\1" + HELLO.encode(), HOSTILE)
    assert said(turncoat)["error"]["data"]["what"] == "door.connections_per_owner_max is 2"
    assert said(turncoat) is None
    other.tell("open 1 " + HELLO, "hear 2 1")
    assert refusals(other, 1) == [None]
    for crowd in scene.crowds:
        crowd.kill()
    stop_in_order(scene)


def daemon_out_of_descriptors__rests_and_serves_those_who_waited():
    if not USERS:
        not_shown("the daemon out of descriptors", "Linux as root")
        return
    scene = Scene()
    honest = Honest(scene.ferry)
    honest.hello()
    pid = scene.ferry.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    limit = max(int(number) for number in os.listdir(f"/proc/{pid}/fd")) + 6
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
    crowd = Crowd(scene)
    crowd.tell("open 20 " + HELLO)
    wait_until(lambda: scene.usage()[1] == limit, 20, "all descriptors are used")
    used = scene.processor_s()
    for _ in range(50):
        honest.ok("service.status")
        time.sleep(0.02)  # what is measured is a second of doing little
    assert scene.processor_s() - used < 0.5, "it spins"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
    crowd.tell("hear 0 20")
    assert all(reply["result"]["protocol"] == 1 for reply in crowd.answers(20))
    crowd.kill()
    honest.close()
    stop_in_order(scene)


def stop_in_order(scene):
    if LINUX:
        _, code = scene.ferry.terminate()
        said = scene.ferry.said()
        assert code == 0 and "Sanitizer" not in said and "runtime error" not in said, (code, said)


if SHADOWED:
    not_shown("bounds of memory: ThreadSanitizer keeps its shadow of it", "the other presets")
if LINUX and not USERS:
    not_shown("that no descriptor stays open: of the daemon only root sees them", "Linux as root")
if not LINUX:
    not_shown("messages broken off or framed wrongly: here they are written whole", "Linux")
run(each_limit_of_the_door__is_named, every_deed__the_honest_are_served_and_nothing_stays_behind,
    second_hello_as_somebody_else__counts_for_them, daemon_out_of_descriptors__rests_and_serves_those_who_waited)
