"""What each bench does. Every function makes one run in a fresh folder and returns its figures; "conservation" must have passed."""
import array, hashlib, json, re, shutil, statistics, subprocess, sys, time, urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from measure import ADMIN, ADMIN_PASSWORD, BUILD, ROOT, Bench, Cgroup, Sampler, Skipped, conservation, end_to_end_ms, free_port, get, until

B1 = {"count": 10000, "guests": 5000, "connections": 32, "seconds": 5}
SETTLE = 0.3  # outcomes are written to the journal within 50 ms


def texts(b, hub, wait=30, load=None, cgroup=None, **o):
    """Texts from the network to the desk through a hub that runs, and what that cost."""
    before, threads = hub.cpu_s(), hub.threads_s()
    figures, sent = b.load_end(load) if load else b.load(kind="line", **{**B1, **o})
    until("all at the desk", lambda: b.sink_says()["desk"]["unique"] >= figures["accepted"], wait)
    time.sleep(SETTLE)
    used, after = hub.cpu_s() - before, hub.threads_s()
    said, arrived = b.sink_says(), b.arrivals("desk")
    n = max(figures["accepted"], 1)
    desk_s = (said["desk"]["last_us"] - figures["began_us"]) / 1e6
    return {**figures, "cpu_us": used * 1e6 / n, "desk_s": desk_s, "desk_per_second": said["desk"]["unique"] / desk_s if desk_s > 0 else 0,
            "end_to_end_p50_ms": end_to_end_ms(sent, arrived, 0.5), "end_to_end_p99_ms": end_to_end_ms(sent, arrived, 0.99),
            "peak_mib": hub.peak_mib(), "start_peak_mib": hub.start_peak_mib, "descriptors": hub.descriptors(), "cgroup_peak_mib": cgroup.peak_mib() if cgroup else None,
            "cpu_us_by_thread": {k: round((v - threads.get(k, 0)) * 1e6 / n, 1) for k, v in after.items() if v > threads.get(k, 0)},
            "ready_ms": b.ready_ms, "sink": said, "journal": b.journal(), "conservation": conservation(said, "desk", sent, arrived)}


def b1():
    with Bench() as b:
        b.sink()
        return texts(b, b.hub())


def b1r(n, **o):
    def run():
        with Bench() as b:
            b.sink()
            return texts(b, b.replicas(n), **o)
    return run


def b1n():
    with Bench() as b:
        b.sink()
        return texts(b, b.hub(line={"profile": False}))


def b1q():
    with Bench() as b:
        b.sink()
        b.cgroup = Cgroup(cpu_milli=50, memory_mib=64)
        hub = b.hub(cgroup=b.cgroup, seconds=60)
        throttled = b.cgroup.throttled_s()
        r = texts(b, hub, wait=90, cgroup=b.cgroup)
        r["throttled_s"] = b.cgroup.throttled_s() - throttled
        return r


def b1x():
    with Bench() as b:
        b.sink()
        return texts(b, b.hub(), seconds=0)


def b1t():
    plain = b1()  # at the same hour on the same machine: what TLS adds is a difference
    with Bench() as b:
        b.sink()
        cert, key = f"{b.folder}/cert.pem", f"{b.folder}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)
        r = texts(b, b.hub(hub={"tls.cert": cert, "tls.key": key}), tls=1)
        r["plain_cpu_us"], r["tls_cpu_us"] = plain["cpu_us"], r["cpu_us"] - plain["cpu_us"]
        r["conservation"]["passed"] &= plain["conservation"]["passed"]
        return r


def b1w():
    with Bench() as b:
        b.sink("--delay-ms", 50, "--share-429", 0.1, "--retry-after", 1, "--share-503", 0.01, "--share-reset", 0.005)
        r = texts(b, b.hub(), wait=120)
        # A message whose answer was lost is made again with the same id and time, which the desk knows: nothing may be left unknown.
        r["unknown"] = r["journal"]["unknown"]
        r["resets"], r["repeats"] = r["sink"]["said_reset"], r["sink"]["desk"]["repeats"]
        r["conservation"]["passed"] &= r["unknown"] == 0 and r["repeats"] == r["resets"]
        return r


def image_bytes(n):
    i = bytearray(image_bytes.pattern)
    i[:4], i[4:12] = b"\xff\xd8\xff\xe0", b"%08d" % n
    return bytes(i)


image_bytes.pattern = bytes((i * 2654435761 >> 13) & 0xff for i in range(1 << 20))


def b2():
    with Bench() as b:
        b.sink()
        return images(b, b.hub())


def b2s():
    with Bench() as b:
        b.sink()
        port = free_port()
        b.start("s3", [sys.executable, ROOT / "bench/s3_peer.py", str(port)])
        s3 = {"name": "s3", "type": "s3", "endpoint": f"http://127.0.0.1:{port}", "bucket": "bench", "access_key_id": "bench", "secret_access_key": "bench"}
        r = images(b, b.hub(hub={"storages": [s3], "default_storage": "s3", "storage_instead": False}))
        r["conservation"]["passed"] &= sum(f"127.0.0.1:{port}/" in row for row in get(b.line_port, "/links").decode().splitlines()) == 1000
        return r


def images(b, hub):
    """Images from the network through the storage to the desk, and back by their links."""
    before, count = hub.cpu_s(), 1000
    figures, sent = b.load(kind="image", count=count, guests=count, connections=32, seconds=10)
    until("all at the desk", lambda: b.sink_says()["desk"]["unique"] >= figures["accepted"], 60)
    time.sleep(SETTLE)
    used, peak, said, arrived = hub.cpu_s() - before, hub.peak_mib(), b.sink_says(), b.arrivals("desk")
    check = conservation(said, "desk", sent, arrived)

    def equal(row):
        n, url, sha = row.split()
        want = image_bytes(int(n))
        with urllib.request.urlopen(url, timeout=30) as r:
            return r.read() == want and sha in ("-", hashlib.sha256(want).hexdigest())
    rows = get(b.line_port, "/links").decode().splitlines()
    with ThreadPoolExecutor(2) as pool:
        check["equal_downloads"] = sum(pool.map(equal, rows))
    check["passed"] &= check["equal_downloads"] == count and said["bad_tokens"] == 0
    return {**figures, "desk_s": (said["desk"]["last_us"] - figures["began_us"]) / 1e6, "cpu_ms": used * 1e3 / count, "peak_mib": peak,
            "fetches_at_once": said["contents_max"], "sink": said, "journal": b.journal(), "conservation": check}


def b3r(n):
    return lambda: b3(n)


def b3(replicas=0):
    with Bench() as b:
        b.sink()
        hub = b.replicas(replicas) if replicas else b.hub()
        before = hub.cpu_s()
        figures, sent = b.load(kind="reply", count=10000, guests=5000, connections=32, seconds=0)
        until("all on the network", lambda: b.sink_says()["line"]["unique"] >= figures["accepted"], 60)
        time.sleep(SETTLE)
        said, arrived = b.sink_says(), b.arrivals("line")
        return {**figures, "line_s": (said["line"]["last_us"] - figures["began_us"]) / 1e6, "most_in_a_second": said["line"]["max_in_a_second"],
                "cpu_us": (hub.cpu_s() - before) * 1e6 / max(figures["accepted"], 1), "peak_mib": hub.peak_mib(), "failed": figures["count"] - figures["accepted"],
                "sink": said, "journal": b.journal(), "conservation": conservation(said, "line", sent, arrived)}


def b5(down_s=120, rate=500):
    with Bench() as b:
        b.sink()
        hub = b.hub()
        samples = Sampler(hub)
        get(b.line_port, "/down", b"")
        figures, sent = b.load(kind="line", count=down_s * rate, guests=5000, connections=32, seconds=down_s)
        up = time.monotonic_ns() // 1000
        get(b.line_port, "/up", b"")
        until("drained", lambda: b.sink_says()["desk"]["unique"] >= figures["accepted"], 180, 0.1)
        time.sleep(SETTLE)
        said, arrived, desk = b.sink_says(), b.arrivals("desk"), b.sink_says()["desk"]
        rows = samples.end()
        drain_s = (desk["last_us"] - desk["first_us"]) / 1e6
        return {**figures, "down_s": down_s, "peak_mib": hub.peak_mib(), "first_after_up_s": (desk["first_us"] - up) / 1e6, "drain_s": drain_s,
                "drain_per_second": desk["unique"] / drain_s if drain_s > 0 else 0, "rss_after_mib": rows[-1][1], "sink": said, "journal": b.journal(),
                "conservation": conservation(said, "desk", sent, arrived)}


def slope_mib_h(rows):
    """Least squares over the second half."""
    half = rows[len(rows) // 2:]
    t, v = [r[0] for r in half], [r[1] for r in half]
    mt, mv = statistics.mean(t), statistics.mean(v)
    below = sum((x - mt) ** 2 for x in t)
    return sum((x - mt) * (y - mv) for x, y in zip(t, v)) / below * 3600 if below else 0


def b6(seconds=600):
    with Bench() as b:
        b.sink()
        hub = b.hub()
        samples, before, end = Sampler(hub), hub.cpu_s(), time.monotonic() + seconds - 1
        inbound = b.load_start("in", kind="line", count=250 * seconds, guests=5000, connections=16, seconds=seconds)
        outbound = b.load_start("out", kind="reply", count=250 * seconds, guests=5000, connections=16, seconds=seconds)
        (fi, si), (fo, so) = b.load_end(inbound), b.load_end(outbound)
        until("all there", lambda: b.sink_says()["desk"]["unique"] >= fi["accepted"] and b.sink_says()["line"]["unique"] >= fo["accepted"], 60, 0.1)
        time.sleep(SETTLE)
        rows, said = [r for r in samples.end() if r[0] < end], b.sink_says()  # the generators hang up when they are done
        there, back = conservation(said, "desk", si, b.arrivals("desk")), conservation(said, "line", so, b.arrivals("line"))
        third, last = rows[len(rows) // 2:len(rows) * 3 // 4], rows[len(rows) * 3 // 4:]
        growth = statistics.median(r[2] for r in last) - statistics.median(r[2] for r in third)
        return {"seconds": seconds, "count": fi["count"] + fo["count"], "answer_p99_ms": max(fi["answer_p99_ms"], fo["answer_p99_ms"]), "slope_mib_h": slope_mib_h(rows),
                "peak_mib": hub.peak_mib(), "rss_end_mib": rows[-1][1], "descriptors_growth": growth, "descriptors": last[-1][2],
                "cpu_us": (hub.cpu_s() - before) * 1e6 / (fi["count"] + fo["count"]), "sink": said, "journal": b.journal(),
                "conservation": {"passed": there["passed"] and back["passed"], "desk": there, "line": back}}


def b7():
    with Bench() as b:
        b.sink()
        hub = b.hub(tenants=16)
        time.sleep(4)
        wakes, cpu, began = hub.wakes(), hub.cpu_s(), time.monotonic()
        time.sleep(10)
        took = time.monotonic() - began
        return {"rss_mib": hub.rss_mib(), "peak_mib": hub.peak_mib(), "ready_ms": b.ready_ms, "wakes_per_s": (hub.wakes() - wakes) / took,
                "cpu_ms_per_s": (hub.cpu_s() - cpu) * 1e3 / took, "descriptors": hub.descriptors(), "conservation": {"passed": True, "note": "no messages"}}


def b8():
    with Bench() as b:
        b.sink()
        hub, n = b.hub(), 10000
        before = hub.rss_mib()
        holder = b.start("idle", [BUILD / "bench/bench-load", "--port", b.port, "--idle", n])
        holder.line()
        time.sleep(1)
        each = (hub.rss_mib() - before) * 1024 / n
        return {**texts(b, hub), "kib_each": each}


def b9(guests=2000, agents=100, seconds=60, poll_ms=3000):
    with Bench() as b:
        b.sink()
        hub = b.hub(hub={"admin": {"password": ADMIN_PASSWORD}}, webchat={})
        token = json.loads(get(b.port, "/api/v1/auth/login", json.dumps({"user": "admin", "password": ADMIN_PASSWORD}).encode(), kind="application/json"))["token"]
        wish = {"enabled": True, "tenant": "*", "name": "bench", "permissions": ["nexus:consumer:chat"], "capacity": 100000}  # all guests come from one address
        key = json.loads(get(b.port, "/nexus/v3/apikeys", json.dumps(wish).encode(), token, kind="application/json"))["id"]
        hub.forget_peak()
        before, threads, began = hub.cpu_s(), hub.threads_s(), time.monotonic()
        figures, sent = b.load_end(b.load_start("chat", program="bench-chat", key=key, guests=guests, agents=agents, seconds=seconds, **{"poll-ms": poll_ms}))
        took = time.monotonic() - began
        until("all at the desk", lambda: b.sink_says()["desk"]["unique"] >= figures["accepted"], 10)
        time.sleep(SETTLE)
        used, after, said, arrived = hub.cpu_s() - before, hub.threads_s(), b.sink_says(), b.arrivals("desk")
        there = conservation(said, "desk", sent, arrived)
        here = {k: figures[k] for k in ("lost", "doubled", "disordered")}
        return {**figures, "desk_p50_ms": end_to_end_ms(sent, arrived, 0.5), "desk_p99_ms": end_to_end_ms(sent, arrived, 0.99), "polls_per_second": figures["polls"] / took,
                "seen_over_poll_p99_ms": figures["seen_p99_ms"] - poll_ms, "cpu_share": used / took, "peak_mib": hub.peak_mib(), "sink": said, "journal": b.journal(),
                "cpu_s_by_thread": {k: round(v - threads.get(k, 0), 2) for k, v in after.items() if v > threads.get(k, 0)},
                "conservation": {"passed": there["passed"] and not any(here.values()) and figures["accepted"] == figures["count"], "desk": there, "pages": here}}


def at_desk(b, agents, guests):
    """A hub with a web chat and the built-in desk, and the tokens of its agents."""
    b.port, b.scheme = free_port(), "http"
    path = Path(b.folder) / "hub.yaml"
    path.write_text(json.dumps({"listen": f"127.0.0.1:{b.port}", "public_url": f"http://127.0.0.1:{b.port}", "data": f"{b.folder}/data", "admin_token": ADMIN, "admin": {"password": ADMIN_PASSWORD},
                                "tenants": [{"name": "Bench 0", "desk": {"type": "builtin", "auto_answer": True}, "channels": [{"type": "webchat"}]}]}))
    hub = b.start("hub", [BUILD / "dragoman", "serve", "--config", path], env={"LOG_LEVEL": "WARN", "DRAGOMAN_METRICS_PORT": "0"})
    if not until("ready", lambda: b.ready(hub), 20):
        raise RuntimeError(f"the hub is not ready: {hub.log.read_text()[-800:]}")
    post = lambda path, value, token=None: json.loads(get(b.port, path, json.dumps(value).encode(), token, kind="application/json"))
    log_in = lambda user: post("/api/v1/auth/login", {"user": user, "password": ADMIN_PASSWORD})["token"]
    admin, tokens = log_in("admin"), []
    for i in range(agents):
        post("/api/v1/users", {"name": f"agent{i}", "role": "agent", "display_name": f"Agent {i}", "password": ADMIN_PASSWORD, "capacity": {"chat": min(100, -(-guests // agents) + 5)}}, admin)
        tokens.append(log_in(f"agent{i}"))
    wish = {"enabled": True, "tenant": "*", "name": "bench", "permissions": ["nexus:consumer:chat"], "capacity": 100000}
    return hub, tokens, post("/nexus/v3/apikeys", wish, admin)["id"]


def share_ms(us, share):
    us = sorted(us)
    return us[min(len(us) - 1, int(len(us) * share))] / 1000 if us else None


def b9d(guests=2000, agents=100, seconds=60, every=30, poll_ms=3000):
    with Bench() as b:
        hub, tokens, key = at_desk(b, agents, guests)
        folder = Path(b.folder)
        (folder / "tokens.json").write_text(json.dumps(tokens))
        pages = b.start("agents", [sys.executable, ROOT / "bench/agents.py", b.port, folder / "tokens.json", seconds, every, folder / "agents.json"], stdin=True)
        pages.line()
        hub.forget_peak()
        before, began = hub.cpu_s(), time.monotonic()
        figures, sent = b.load_end(b.load_start("chat", program="bench-chat", key=key, guests=guests, agents=0, seconds=seconds, every=every, seen=folder / "seen.i64", **{"poll-ms": poll_ms}))
        took, used = time.monotonic() - began, hub.cpu_s() - before
        pages.popen.stdin.close()
        pages.popen.wait(30)
        told, seen = json.loads((folder / "agents.json").read_text()), array.array("q")
        seen.frombytes((folder / "seen.i64").read_bytes())
        arrived, said = {int(k): v for k, v in told["arrived"].items()}, told["said"]
        over = [seen[2 * n] - max(due, seen[2 * n + 1]) for n, due in enumerate(said) if seen[2 * n]]
        check = {"guests_said": figures["count"], "accepted": figures["accepted"], "at_the_desk": sum(1 for n, t in enumerate(sent) if t and n in arrived), "agents_said": len(said),
                 "refused": len(told["refused"]), "seen": len(over), "doubled": figures["doubled"], "disordered": figures["disordered"]}
        check["passed"] = check["guests_said"] == check["accepted"] == check["at_the_desk"] and check["agents_said"] == check["seen"] > 0 and not (check["refused"] or check["doubled"] or check["disordered"])
        waits = [seen[2 * n] - due for n, due in enumerate(said) if seen[2 * n]]
        return {"guests": guests, "agents": agents, "polls_per_second": figures["polls"] / took, "poll_p99_ms": figures["poll_p99_ms"], "answer_p99_ms": figures["answer_p99_ms"],
                "seen_p50_ms": share_ms(waits, 0.5), "seen_p99_ms": share_ms(waits, 0.99), "seen_over_poll_p99_ms": share_ms(waits, 0.99) - poll_ms if waits else None, "over_p99_ms": share_ms(over, 0.99),
                "desk_p50_ms": share_ms([arrived[n] - t for n, t in enumerate(sent) if t and n in arrived], 0.5), "desk_p99_ms": share_ms([arrived[n] - t for n, t in enumerate(sent) if t and n in arrived], 0.99),
                "cpu_share": used / took, "peak_mib": hub.peak_mib(), "journal": b.journal(), "conservation": check}


# ---- peers ---------------------------------------------------------------------------------------------------------------

def peer(start, cgroup=False, **o):
    def run():
        with Bench() as b:
            b.sink()
            b.cgroup = Cgroup(cpu_milli=50, memory_mib=64) if cgroup else None
            p = start(b)
            port = p.line()["port"]
            time.sleep(1)
            before = p.cpu_s()
            figures, sent = b.load(port=port, kind="line", path="/line", **{**B1, **o})
            forwards = p.name == "node-forward"
            if forwards:
                until("all at the desk", lambda: b.sink_says()["desk"]["unique"] >= figures["accepted"], 20)
            used = p.cpu_s() - before
            said = b.sink_says()
            check = conservation(said, "desk", sent, b.arrivals("desk")) if forwards else {"passed": figures["accepted"] == figures["count"], "note": "delivers nothing"}
            return {**figures, "cpu_us": used * 1e6 / max(figures["accepted"], 1), "peak_mib": p.peak_mib(), "conservation": check}
    return run


def node(mode):
    def start(b):
        folder = ROOT / "bench/npm"
        if not (folder / "node_modules/express").exists():
            if not shutil.which("npm") or subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder).returncode:
                raise Skipped("npm could not install the peers' packages in bench/npm")
        return b.start(f"node-{mode}", ["node", folder / "peer.mjs", mode, b.desk_port], env={"NODE_ENV": "production"},
                       before=b.cgroup.enter if b.cgroup else None)
    return start


def floor(b):
    return b.start("floor", [BUILD / "bench/bench-floor"], before=b.cgroup.enter if b.cgroup else None)


def kannel_program(name):
    """Installed, or where tools/setup unpacked it; None: neither."""
    for root in (Path("/"), ROOT / "build-bench/kannel"):
        for folder in ("usr/sbin", "usr/lib/kannel/test"):
            if (root / folder / name).exists():
                return root / folder / name


def kannel():
    """A text from a simulated SMS centre goes to a web address, what that answers goes back: no webhook signature, no JSON, store without fdatasync."""
    programs = [kannel_program(name) for name in ("bearerbox", "smsbox", "fakesmsc")]
    if None in programs:
        raise Skipped("Kannel is not there: DRAGOMAN_SETUP_BENCH=1 tools/setup unpacks it")
    bearerbox, smsbox, fakesmsc = programs
    with Bench() as b:
        b.sink()
        admin, box, smsc, send = (free_port() for _ in range(4))
        conf = Path(b.folder) / "kannel.conf"
        conf.write_text(f"""
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
store-type = file
store-location = "{b.folder}/kannel.store"
box-allow-ip = "127.0.0.1"

group = smsc
smsc = fake
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{b.line_port}/sms?from=%p&text=%r"
""")
        bearer = b.start("bearerbox", [bearerbox, "-v", "3", conf])
        time.sleep(1)
        sms = b.start("smsbox", [smsbox, "-v", "3", conf])
        time.sleep(2)
        before, count = bearer.cpu_s() + sms.cpu_s(), B1["count"]
        phone = b.start("fakesmsc", [fakesmsc, "-H", "127.0.0.1", "-r", smsc, "-i", B1["seconds"] / count, "-m", count, "123 345 text good morning, where is my order 4711?"])
        began = time.monotonic()
        back = lambda: int((re.findall(r"Got message (\d+)", phone.log.read_text(errors="replace")[-4000:]) or ["0"])[-1])
        until("all round", lambda: back() >= count, 90, 0.1)
        took, used = time.monotonic() - began, bearer.cpu_s() + sms.cpu_s() - before
        return {"count": count, "accepted": back(), "wall_s": took, "per_second": back() / took, "cpu_us": used * 1e6 / count, "peak_mib": bearer.peak_mib() + sms.peak_mib(),
                "conservation": {"passed": back() == count and b.sink_says()["sms"] == count, "asked": b.sink_says()["sms"], "back": back()}}


# id: what, function, the hub's bench it stands beside
PEERS = {
    "a": ("Node.js, express, @line/bot-sdk: acknowledges only", peer(node("ack")), "B1"),
    "b": ("the same, append and group fdatasync before the 200", peer(node("durable")), "B1"),
    "c": ("the same, forwards to the desk before the 200", peer(node("forward")), "B1"),
    "d": ("Kannel: text from a simulated SMS centre to a web address, its answer back", kannel, "B1"),
    "e": ("C floor: epoll, HMAC, group fdatasync, 200", peer(floor), "B1"),
    "bx": ("b, flat out", peer(node("durable"), seconds=0), "B1x"),
    "cx": ("c, flat out", peer(node("forward"), seconds=0), "B1x"),
    "ex": ("C floor, flat out", peer(floor, seconds=0), "B1x"),
    "bq": ("b in a cgroup of 5 % CPU", peer(node("durable"), cgroup=True), "B1q"),
    "eq": ("C floor in a cgroup of 5 % CPU", peer(floor, cgroup=True), "B1q"),
}

# id: what, function, targets (figure, words, "max" or "min", limit)
BENCHES = {
    "B1": ("10,000 texts of 5,000 guests over 5 s", b1, [("answer_p99_ms", "p99 of the 200, ms", "max", 10), ("desk_s", "all at the desk, s", "max", 5.5),
           ("cpu_us", "CPU per message, µs", "max", 100), ("peak_mib", "memory, MiB", "max", 32)]),
    "B1r": ("B1 with one replica: door, worker, RabbitMQ, PostgreSQL", b1r(1), [("answer_p99_ms", "p99 of the 200, ms", None, None), ("desk_s", "all at the desk, s", None, None),
            ("cpu_us", "CPU per message of door and worker, µs", None, None), ("peak_mib", "memory of both, MiB", None, None)]),
    "B1r2": ("B1r with two replicas, webhooks at the one that does not work", b1r(2), [("answer_p99_ms", "p99 of the 200, ms", None, None), ("desk_s", "all at the desk, s", None, None),
             ("cpu_us", "CPU per message of all four processes, µs", None, None), ("peak_mib", "memory of all, MiB", None, None)]),
    "B1n": ("B1 without asking LINE for profiles", b1n, [("answer_p99_ms", "p99 of the 200, ms", "max", 10), ("desk_s", "all at the desk, s", "max", 5.5),
            ("cpu_us", "CPU per message, µs", "max", 100)]),
    "B1q": ("B1 in a cgroup of 5 % CPU and 64 MiB", b1q, [("refused", "refused", "max", 0), ("answer_p99_ms", "p99 of the 200, ms", "max", 250), ("desk_s", "all at the desk, s", "max", 15)]),
    "B1x": ("B1 flat out", b1x, [("per_second", "accepted a second", "min", 30000), ("desk_per_second", "delivered a second", "min", 15000)]),
    "B1xr": ("B1 flat out with one replica: door, worker, RabbitMQ, PostgreSQL, all on the same two cores", b1r(1, seconds=0, wait=60), [("per_second", "accepted a second", None, None), ("desk_per_second", "delivered a second", None, None),
             ("cpu_us", "CPU per message of door and worker, µs", None, None)]),
    "B1t": ("B1 over TLS 1.3", b1t, [("tls_cpu_us", "CPU per message more than B1 just before, µs", "max", 15), ("cpu_us", "CPU per message, µs", None, None)]),
    "B1w": ("B1, desk answers after 50 ms, 10 % 429, 1 % 503, 0.5 % reset after taken", b1w, [("unknown", "left unknown", "max", 0), ("desk_s", "all at the desk, s", None, None)]),
    "B2": ("1,000 images of 1 MiB over 10 s", b2, [("desk_s", "all at the desk, s", "max", 10.5), ("cpu_ms", "CPU per image, ms", "max", 3), ("peak_mib", "memory, MiB", "max", 24),
           ("fetches_at_once", "fetches at once", "max", 8)]),
    "B2s": ("B2 with the images in S3", b2s, [("desk_s", "all at the desk, s", "max", 10.5), ("cpu_ms", "CPU per image, ms", "max", 3), ("peak_mib", "memory, MiB", "max", 24)]),
    "B3": ("10,000 replies to 5,000 guests, push limit 2,000/s", b3, [("failed", "failed", "max", 0), ("line_s", "all on LINE, s", "max", 6), ("most_in_a_second", "most pushes in any second", "max", 2000),
           ("cpu_us", "CPU per message, µs", None, None)]),
    "B3r": ("B3 with one replica", b3r(1), [("failed", "failed", "max", 0), ("line_s", "all on LINE, s", None, None), ("most_in_a_second", "most pushes in any second", "max", 2000),
            ("cpu_us", "CPU per message of door and worker, µs", None, None)]),
    "B3r2": ("B3 with two replicas, the desk's calls at the one that does not work", b3r(2), [("failed", "failed", "max", 0), ("line_s", "all on LINE, s", None, None),
             ("most_in_a_second", "most pushes in any second", "max", 2000), ("cpu_us", "CPU per message of all four processes, µs", None, None)]),
    "B5": ("desk down 120 s at 500/s, then up", b5, [("peak_mib", "memory, MiB", "max", 64), ("drain_per_second", "drained a second", "min", 5000)]),
    "B6": ("both directions at 500/s for 10 minutes", b6, [("slope_mib_h", "memory growth, MiB/h", "max", 1), ("descriptors_growth", "growth of descriptors from the third quarter to the last", "max", 0), ("answer_p99_ms", "p99 of the 200, ms", None, None)]),
    "B7": ("idle with 16 tenants", b7, [("rss_mib", "memory, MiB", "max", 12), ("ready_ms", "start to ready, ms", "max", 50), ("wakes_per_s", "wake-ups a second", "max", 5)]),
    "B8": ("10,000 idle connections and B1", b8, [("kib_each", "memory per connection, KiB", "max", 20), ("answer_p99_ms", "p99 of the 200, ms", "max", 10), ("desk_s", "all at the desk, s", "max", 5.5),
           ("cpu_us", "CPU per message, µs", "max", 100)]),
    "B9": ("2,000 guests poll web chats every 3 s, 100 agents answer: 67 messages a second each way", b9, [("seen_over_poll_p99_ms", "p99 until a guest has seen it, ms beyond the poll interval", "max", 50),
           ("desk_p99_ms", "p99 until the desk has it, ms", "max", 50), ("over_p99_ms", "the same without the wait for the poll, ms", None, None), ("poll_p99_ms", "p99 of a poll, ms", None, None), ("cpu_share", "CPU, cores", None, None), ("peak_mib", "memory, MiB", None, None)]),
    "B9d": ("B9 with the built-in desk: 100 agents on open pages", b9d, [("seen_over_poll_p99_ms", "p99 until a guest has seen it, ms beyond the poll interval", "max", 50),
            ("desk_p99_ms", "p99 until the agent's page has it, ms", "max", 50), ("over_p99_ms", "the guest's without the wait for the poll, ms", None, None), ("cpu_share", "CPU, cores", None, None), ("peak_mib", "memory, MiB", None, None)]),
}
LONG = {"B5", "B6"}
