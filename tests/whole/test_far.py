"""Many small files from a server that is far away: more of them at once, as far as the settings let it."""
import asyncio
import os
import socket
import threading
import time

from ground import BIN, GROUND, Ferry, Nginx, run, skip

FILES = 120


class FarAway:
    """A relay that holds back what goes either way, and counts what is open at once.  That a connection takes long to be made
    no relay can do, since the kernel answers for it: whole/far.c does."""

    def __init__(self, port, one_way_s):
        self.to, self.one_way_s, self.open, self.most = port, one_way_s, 0, 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.task = self.loop.create_task(self.serve())
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(asyncio.wait([self.task]),))
        self.thread.start()

    async def serve(self):
        self.listener.listen(64)
        server = await asyncio.start_server(self.accept, sock=self.listener)
        await server.serve_forever()

    async def accept(self, reader, writer):
        self.open += 1
        self.most = max(self.most, self.open)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer), return_exceptions=True)
        self.open -= 1

    async def pump(self, reader, writer):
        held = asyncio.Queue()

        async def let_go():
            while (item := await held.get()) is not None:
                due, data = item
                await asyncio.sleep(max(0, due - time.monotonic()))
                writer.write(data)
                await writer.drain()
            writer.close()

        task = asyncio.create_task(let_go())
        try:
            while data := await reader.read(65536):
                held.put_nowait((time.monotonic() + self.one_way_s, data))
        finally:
            held.put_nowait(None)
            await task

    def close(self):
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join()


def fetched(settings, far, before=0):
    """How many connections were open at once, and how long it took; after a job of so many of the files."""
    ferry = Ferry({"transfer": settings})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    names = [f"{number}.bin" for number in range(FILES)]
    for name in names:
        nginx.file(name, 2000)
    relay = FarAway(nginx.port, 0.015 if far else 0)
    if far:
        ferry.environment["LD_PRELOAD"] = os.path.join(BIN, "tests", "far.so")
        ferry.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    ferry.start()
    ferry.environment.pop("LD_PRELOAD", None)

    def submit(some):
        ferry.run("submit", "--from", ferry.listing((f"http://127.0.0.1:{relay.port}/{name}", ferry.destination(name))
                                                    for name in some))

    if before:
        submit(names[:before])
        assert relay.most <= 6, relay.most
    begun = time.monotonic()
    submit(names)
    took = time.monotonic() - begun
    ferry.check_landed(nginx, names)
    ferry.close()
    relay.close()
    nginx.close()
    return relay.most, took


def server_is_far_away__small_files_are_fetched_more_at_once():
    more, took = fetched({}, far=True)
    assert 6 < more <= 16, more
    usual, longer = fetched({"far_connections_per_host_max": 6}, far=True)
    assert usual <= 6, usual
    print(f"       {more} at once: {took:.2f} s; {usual} at once: {longer:.2f} s")


def connections_are_there_already__how_far_they_go_is_not_forgotten():
    more, _ = fetched({}, far=True, before=6)
    assert 6 < more <= 16, more


def server_is_near__few_at_once_will_do():
    most, _ = fetched({}, far=False)
    assert most <= 6, most


if GROUND != "linux":
    skip("shown by Linux: a connection is made to last by a library that is preloaded")
run(server_is_far_away__small_files_are_fetched_more_at_once,
    connections_are_there_already__how_far_they_go_is_not_forgotten, server_is_near__few_at_once_will_do)
