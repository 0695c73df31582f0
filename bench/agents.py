#!/usr/bin/env python3
"""Agents of the built-in desk for B9: each on a page of its own (server-sent events), each answering the guests it is given.

  agents.py PORT TOKENS.json SECONDS EVERY OUT      prints {"ready":N}; begins with the first guest, ends SECONDS later, when stdin is closed

OUT: JSON with "arrived" (of guests' messages by number) and "said" (of agents' messages by number: when each was due), µs of the monotonic clock.
"""
import asyncio, json, re, sys, time

PORT, SECONDS, EVERY = int(sys.argv[1]), float(sys.argv[3]), float(sys.argv[4])
TEXT = re.compile(r"n=(\d{7}) g=")
arrived, said, refused, begun = {}, [], [], []


def now_us():
    return time.monotonic_ns() // 1000


class Agent:
    def __init__(self, token):
        self.token, self.guests, self.line = token, {}, asyncio.Lock()

    async def connect(self, method, path, body=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=1 << 22)
        writer.write(self.request(method, path, body))
        return reader, writer

    def request(self, method, path, body):
        return (f"{method} /api/v1{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    async def call(self, method, path, value):
        async with self.line:
            if not hasattr(self, "reader"):
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", PORT)
            self.writer.write(self.request(method, path, json.dumps(value).encode()))
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            await self.reader.readexactly(int(re.search(r"(?i)content-length: (\d+)", head).group(1)))
            return int(head.split()[1])

    async def listen(self, hello):
        reader, _ = await self.connect("GET", "/desk/events")
        if b" 200 " not in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]:
            sys.exit("a page was refused")
        text = b""
        while True:
            size = int(await reader.readline(), 16)
            text += (await reader.readexactly(size + 2))[:-2]
            *events, text = text.split(b"\n\n")
            for e in events:
                self.take(e, hello)

    def take(self, event, hello):
        lines = event.decode().split("\n")
        name = next((x[7:] for x in lines if x.startswith("event: ")), "")
        data = "\n".join(x[6:] for x in lines if x.startswith("data: "))
        if name == "hello":
            hello.set()
        elif name == "message":
            m = TEXT.search(data)
            if m and '"from":"guest"' in data:
                arrived.setdefault(int(m.group(1)), now_us())
        elif name == "interaction":
            d = json.loads(data)
            if d["state"] == "open" and d["id"] not in self.guests:
                number = int(d["contact"]["name"].split()[1])
                arrived.setdefault(number, now_us())  # what it begins with
                self.guests[d["id"]] = number
                if not begun:
                    begun.append(time.monotonic())
                asyncio.ensure_future(self.answers(d["id"]))

    async def answers(self, it):
        due, k = time.monotonic() + 1, 0
        while due < begun[0] + SECONDS:
            await asyncio.sleep(max(0, due - time.monotonic()))
            n = len(said)
            said.append(int(due * 1e6))
            status = await self.call("POST", f"/desk/interactions/{it}/messages", {"id": f"m{n}", "text": f"a={n:07} k={k:06} it is on its way"})
            if status != 202:
                refused.append(status)
            due, k = due + EVERY, k + 1


async def main():
    agents = [Agent(t) for t in json.load(open(sys.argv[2]))]
    hellos = [asyncio.Event() for _ in agents]
    tasks = [asyncio.ensure_future(a.listen(h)) for a, h in zip(agents, hellos)]
    for a, h in zip(agents, hellos):
        await h.wait()
        if await a.call("PUT", "/desk/me/status", {"media": "all", "state": "ready"}) != 200:
            sys.exit("not ready")
    print(json.dumps({"ready": len(agents)}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for t in tasks:
        t.cancel()
    json.dump({"arrived": arrived, "said": said, "refused": refused}, open(sys.argv[5], "w"))


asyncio.run(main())
