"""Starts the programs of a bench, reads what the kernel says they cost, and checks that nothing was lost.

Everything is started by us and stopped by its process id. Times are seconds unless the name says otherwise.
"""
import array, json, os, re, resource, shutil, signal, socket, subprocess, tempfile, threading, time, urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("DRAGOMAN_BUILD", ROOT / "build"))
SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
DESK_SECRET = "a-long-enough-token-for-benches"
ADMIN = "the-admin-token-of-the-bench"
ADMIN_PASSWORD = "seven quiet herons"
TICKS = os.sysconf("SC_CLK_TCK")


class Skipped(Exception):
    """This bench cannot be run here; says why."""


def get(port, path, data=None, token=None, timeout=30, kind=None):
    q = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data, method="POST" if data is not None else "GET")
    if kind:
        q.add_header("Content-Type", kind)
    if token:
        q.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(q, timeout=timeout) as r:
        return r.read()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, test, seconds, pause=0.01):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


class Process:
    """One program, its costs from /proc."""

    def __init__(self, folder, name, args, env=None, before=None, cwd=None, stdin=False):
        self.name, self.log = name, Path(folder) / f"{name}.log"
        self.err = open(self.log, "ab")

        def prepare():
            resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
            if before:
                before()
        self.popen = subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE, stdin=subprocess.PIPE if stdin else None, stderr=self.err, cwd=cwd or folder,
                                      env={**os.environ, **(env or {})}, preexec_fn=prepare)
        self.pid = self.popen.pid
        self.also = []  # programs that count as this one

    def line(self):
        text = self.popen.stdout.readline()
        if not text:
            raise RuntimeError(f"{self.name} ended: {self.log.read_text()[-800:]}")
        return json.loads(text)

    def proc(self, what):
        return Path(f"/proc/{self.pid}/{what}").read_text()

    def children(self):
        return [int(x) for x in self.proc(f"task/{self.pid}/children").split()]

    def cpu_s(self):  # user and system, all threads, also those that have ended; with what it started and what counts as it
        ticks = 0
        for pid in [self.pid, *self.children()]:
            f = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(f[11]) + int(f[12])
        return ticks / TICKS + sum(p.cpu_s() for p in self.also)

    def threads_s(self):  # by thread; the first is the loop's
        times = {}
        for t in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                f = (t / "stat").read_text()
            except OSError:
                continue
            name, rest = f[f.index("(") + 1:f.rindex(")")], f.rsplit(")", 1)[1].split()
            name = "loop" if t.name == str(self.pid) else f"{name}-{t.name}"
            times[name] = times.get(name, 0) + (int(rest[11]) + int(rest[12])) / TICKS
        return times

    def status_kib(self, key):
        return int(re.search(rf"^{key}:\s+(\d+) kB", self.proc("status"), re.M).group(1))

    def rss_mib(self):
        return self.status_kib("VmRSS") / 1024

    def peak_mib(self):
        status = [Path(f"/proc/{pid}/status").read_text() for pid in [self.pid, *self.children()]]
        return sum(int(re.search(r"^VmHWM:\s+(\d+) kB", s, re.M).group(1)) for s in status) / 1024 + sum(p.peak_mib() for p in self.also)

    def forget_peak(self):  # from here on the peak is of the work, not of the start
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def wakes(self):  # times any thread gave up the CPU to wait
        n = 0
        for t in Path(f"/proc/{self.pid}/task").iterdir():
            n += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (t / "status").read_text(), re.M).group(1))
        return n

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def alive(self):
        return self.popen.poll() is None

    def stop(self, seconds=30):
        if self.alive():
            self.popen.send_signal(signal.SIGINT if self.name == "perf" else signal.SIGTERM)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.popen.stdout.close()
        self.err.close()


class Bench:
    """A temporary folder and the programs in it; a context that stops all of them."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="dragoman-bench-")
        self.programs, self.cgroup = [], None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in reversed(self.programs):
            p.stop()
        if self.cgroup:
            self.cgroup.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, args, **more):
        p = Process(self.folder, name, args, **more)
        self.programs.append(p)
        return p

    # ---- sink ----
    def sink(self, *options):
        p = self.start("sink", [BUILD / "bench/bench-sink", *options])
        ports = p.line()
        self.desk_port, self.line_port = ports["desk"], ports["line"]
        return p

    def sink_says(self):
        return json.loads(get(self.line_port, "/result"))

    def arrivals(self, end):
        a = array.array("q")
        a.frombytes(get(self.line_port, f"/arrivals/{end}"))
        return a

    # ---- hub ----
    def config(self, tenants, hub, line, desk, webchat=None):
        pairs = lambda o, pad: "".join(f"{pad}{k}: {json.dumps(v)}\n" for k, v in o.items())
        text = (f"listen: 127.0.0.1:{self.port}\npublic_url: {self.scheme}://127.0.0.1:{self.port}\ndata: {self.folder}/data\n"
                f"guard: off\nadmin_token: {ADMIN}\n" + pairs(hub, "") + "tenants:\n")
        for i in range(tenants):
            text += (f"  - name: Bench {i}\n    desk:\n      type: genesys-cloud\n      base_url: http://127.0.0.1:{self.desk_port}\n"
                     f"      client_id: bench\n      client_secret: bench-secret\n      integration: {{name: Bench {i}, token: {DESK_SECRET}}}\n"
                     + pairs(desk, "      ") +
                     f"    channels:\n      - type: line\n        base_url: http://127.0.0.1:{self.line_port}\n"
                     f"        channel_id: \"{1234567890 + i}\"\n        channel_secret: {SECRET}\n        bot_id: \"@bench\"\n" + pairs(line, "        "))
            if webchat is not None:
                text += "      - type: webchat\n" + pairs(webchat, "        ")
        path = Path(self.folder) / "hub.yaml"
        path.write_text(text)
        return path

    def hub(self, tenants=1, hub=None, line=None, desk=None, cgroup=None, seconds=20, webchat=None):
        self.port, self.scheme = free_port(), "https" if hub and "tls.cert" in hub else "http"
        hub = dict(hub or {})
        if "tls.cert" in hub:
            hub["tls"] = {"cert": hub.pop("tls.cert"), "key": hub.pop("tls.key")}
        path = self.config(tenants, hub, line or {}, desk or {}, webchat)
        before = cgroup.enter if cgroup else None
        began = time.monotonic()
        p = self.start("hub", [BUILD / "dragoman", "serve", "--config", path], env={"LOG_LEVEL": "WARN", "DRAGOMAN_METRICS_PORT": "0"}, before=before)
        if not until("ready", lambda: self.ready(p), seconds, 0.0005):
            raise RuntimeError(f"the hub is not ready after {seconds} s: {p.log.read_text()[-800:]}")
        self.ready_ms = (time.monotonic() - began) * 1000
        if not until("set up", lambda: self.sink_says()["integrations"] >= tenants, seconds, 0.05):
            raise RuntimeError(f"the hub did not set up its accounts: {p.log.read_text()[-800:]}")
        time.sleep(1 if cgroup is None else 4)  # the rest of the set-up; then it is quiet
        p.start_peak_mib = p.peak_mib()
        p.forget_peak()
        get(self.line_port, "/clear", b"")
        if os.environ.get("BENCH_PERF"):  # a folder: perf's record of the hub under load goes there
            self.start("perf", ["perf", "record", "-q", "-F", "1999", "-g", "-p", p.pid, "-o", f"{os.environ['BENCH_PERF']}/perf-{p.pid}.data"])
            time.sleep(1)
        return p

    def replicas(self, n):
        """n replicas that serve as one, on servers of their own; with two the load goes to the door of the one that does not work."""
        servers = self.start("backends", ["node", ROOT / "bench/backends.mjs"], stdin=True).line()
        first = self.hub(hub={**servers, "secret_key": "b1" * 32}, seconds=90)
        for i in range(1, n):
            port = free_port()
            p = self.start(f"hub{i + 1}", [BUILD / "dragoman", "serve", "--config", Path(self.folder) / "hub.yaml", "--listen", f"127.0.0.1:{port}", "--data", f"{self.folder}/data{i + 1}"],
                           env={"LOG_LEVEL": "WARN", "DRAGOMAN_METRICS_PORT": "0"})
            self.port = port
            if not until("ready", lambda: self.ready(p), 60):
                raise RuntimeError(f"a replica is not ready: {p.log.read_text()[-800:]}")
            first.also.append(p)
        time.sleep(2)
        return first

    def ready(self, p):
        if not p.alive():
            raise RuntimeError(f"the hub ended: {p.log.read_text()[-800:]}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as s:
                if self.scheme == "https":
                    return True
                s.sendall(b"GET /healthz/readiness HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                return s.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def journal(self):
        if self.scheme == "https":
            return {}
        return json.loads(get(self.port, "/internal/journal/counts", token=ADMIN))

    # ---- load ----
    def load_start(self, name="load", port=None, program="bench-load", **o):
        out = Path(self.folder) / f"{name}.i64"
        args = [BUILD / "bench" / program, "--port", port or self.port, "--out", out]
        for k, v in o.items():
            args += [f"--{k}", v]
        p = self.start(name, args)
        p.out = out
        return p

    def load_end(self, p):
        text = p.popen.stdout.read()
        p.popen.wait()
        if not text:
            raise RuntimeError(f"the generator ended: {p.log.read_text()[-800:]}")
        sent = array.array("q")
        sent.frombytes(p.out.read_bytes())
        return json.loads(text), sent

    def load(self, **o):
        return self.load_end(self.load_start(**o))


def conservation(said, end, sent, arrived):
    """ids accepted = ids arrived, none twice, each guest's in order. Unanswered requests may have arrived or not."""
    r = said[end]
    accepted = [i for i, t in enumerate(sent) if t]
    lost = sum(1 for i in accepted if i >= len(arrived) or not arrived[i])
    foreign = sum(1 for i, t in enumerate(arrived) if t and (i >= len(sent) or not sent[i]))
    return {"accepted": len(accepted), "arrived": r["unique"], "lost": lost, "doubled": r["doubles"], "swallowed": r["swallowed"], "out_of_order": r["disorder"],
            "not_accepted_but_arrived": foreign, "repeats_made_harmless": r["repeats"],
            "passed": lost == 0 and r["doubles"] == 0 and r["swallowed"] == 0 and r["disorder"] == 0 and foreign == 0}


def end_to_end_ms(sent, arrived, share):
    took = sorted(arrived[i] - t for i, t in enumerate(sent) if t and i < len(arrived) and arrived[i])
    return took[min(len(took) - 1, int(len(took) * share))] / 1000 if took else None


class Sampler(threading.Thread):
    """Memory and descriptors of a process, once a second."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.rows, self.ending = process, [], threading.Event()
        self.start()

    def run(self):
        while not self.ending.wait(1) and self.process.alive():
            self.rows.append((time.monotonic(), self.process.rss_mib(), self.process.descriptors()))

    def end(self):
        self.ending.set()
        self.join()
        return self.rows


class Cgroup:
    """CPU and memory limits for one process, in whichever version of cgroups can be written."""

    def __init__(self, cpu_milli, memory_mib):
        name, top = f"dragoman-bench-{os.getpid()}", Path("/sys/fs/cgroup")
        self.folders, self.peak_file = [], None
        limit = str(memory_mib << 20)
        try:
            if (top / "cgroup.controllers").exists():
                have = (top / "cgroup.subtree_control").read_text().split()
                if "cpu" not in have or "memory" not in have:
                    (top / "cgroup.subtree_control").write_text("+cpu +memory")
                self.make(top / name, {"cpu.max": f"{cpu_milli * 100} 100000", "memory.max": limit})
                self.peak_file = top / name / "memory.peak"
            else:
                self.make(top / "cpu" / name, {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": str(cpu_milli * 100)})
                self.make(top / "memory" / name, {"memory.limit_in_bytes": limit})
                self.peak_file = top / "memory" / name / "memory.max_usage_in_bytes"
        except OSError as e:
            self.remove()
            raise Skipped(f"cgroups cannot be written here: {e}")

    def make(self, folder, values):
        folder.mkdir()
        self.folders.append(folder)
        for k, v in values.items():
            (folder / k).write_text(v)

    def enter(self):
        for f in self.folders:
            (f / "cgroup.procs").write_text("0")

    def peak_mib(self):
        return int(self.peak_file.read_text()) / (1 << 20) if self.peak_file and self.peak_file.exists() else None

    def throttled_s(self):
        text = "".join((f / "cpu.stat").read_text() for f in self.folders if (f / "cpu.stat").exists())
        m = re.search(r"throttled_time (\d+)", text)
        u = re.search(r"throttled_usec (\d+)", text)
        return int(m.group(1)) / 1e9 if m else int(u.group(1)) / 1e6 if u else None

    def remove(self):
        for f in reversed(self.folders):
            until("empty", lambda: not (f / "cgroup.procs").read_text().strip(), 5)
            f.rmdir()
        self.folders = []
