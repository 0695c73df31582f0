"""Rows of results.jsonl -> the table of results.md. Of each bench the runs of its newest start count."""
import statistics


def newest(rows):
    last = {}
    for r in rows:
        key = r["bench"]
        if key not in last or last[key][0]["at"] != r["at"]:
            last[key] = []
        last[key].append(r)
    return last


def number(v):
    return "–" if v is None else f"{v:,.0f}" if abs(v) >= 1000 or v == int(v) else f"{v:.1f}" if abs(v) >= 10 else f"{v:.2f}"


def scored(rows):
    return [r for r in rows if r.get("conservation", {}).get("passed")]


def bench_lines(name, what, targets, rows):
    good = scored(rows)
    if not good:
        said = next((r[k] for r in rows for k in ("skipped", "failed") if k in r), "conservation did not pass")
        word = "skipped" if any("skipped" in r for r in rows) else "no score"
        return [f"| {name} | {what} | | | | {word}: {said.splitlines()[0][:120]} |"]
    lines = []
    for i, (figure, words, way, limit) in enumerate(targets):
        values = [r[figure] for r in good if r.get(figure) is not None]
        if not values:
            continue
        median, worst = statistics.median(values), min(values) if way == "min" else max(values)
        met = "" if way is None else "met" if (median >= limit if way == "min" else median <= limit) else "**missed**"
        target = "" if way is None else ("≥ " if way == "min" else "≤ ") + number(limit)
        lines.append(f"| {name if i == 0 else ''} | {what if i == 0 else ''} | {words}: {number(median)} | {number(worst)} | {target} | {met} |")
    if len(good) < len(rows):
        lines.append(f"| | | {len(rows) - len(good)} of {len(rows)} runs without a score | | | |")
    return lines


def ratio(hub, peer, key):
    if any(key not in r for r in peer):
        return "–"
    h, p = [statistics.median([r[key] for r in rows]) for rows in (hub, peer)]
    return f"{number(p)} ({h / p:.2f}×)" if p else number(p)


PEER_FIGURES = ("cpu_us", "answer_p50_ms", "answer_p99_ms", "per_second", "peak_mib")


def hub_line(name, rows):
    return f"| | **Dragoman**, {name} | {' | '.join(number(statistics.median([r[k] for r in rows])) for k in PEER_FIGURES)} |"


def peer_lines(last, benches):
    """Each bench of the hub, then the peers that did the same work."""
    out = []
    for beside in dict.fromkeys(p[2] for p in benches.PEERS.values()):
        hub = scored(last.get(beside, []))
        peers = {k: p for k, p in benches.PEERS.items() if p[2] == beside and "peer-" + k in last}
        if not hub or not peers:
            continue
        out.append(hub_line(beside, hub))
        for key, (what, _, _) in peers.items():
            rows = last["peer-" + key]
            good = scored(rows)
            figures = " | ".join(ratio(hub, good, k) for k in PEER_FIGURES) if good else next(
                (r[k].splitlines()[0] for r in rows for k in ("skipped", "failed") if k in r), "no score")[:100] + " | | | |"
            out.append(f"| {key} | {what} | {figures} |")
    return out


def render(rows, benches):
    last = newest(rows)
    if not last:
        return "No results.\n"
    every = sorted((r for l in last.values() for r in l), key=lambda r: r["at"])
    m, times, commits = every[-1]["machine"], list(dict.fromkeys([every[0]["at"], every[-1]["at"]])), list(dict.fromkeys(r["machine"]["commit"] for r in every))
    others = max(r.get("others_cpus", 0) for r in every)
    lines = ["# Results of the last run", "",
             f"{' to '.join(times)}, commit {', '.join(commits)}, {m['cores']} cores ({m['cpu']}), {m['memory_gib']} GiB, Linux {m['kernel']}. Hub, simulators and generator share the machine "
             "(loopback), default durability, a fresh data directory each. Median and worst of the runs; a run that loses, doubles or reorders a message has no score. "
             f"Made by `make bench` (`bench/run`). Meanwhile other programs of the machine used up to {others:.1f} CPUs.", "",
             "| | work | median | worst | target | |", "|---|---|---|---|---|---|"]
    for name, (what, _, targets) in benches.BENCHES.items():
        if name in last:
            lines += bench_lines(name, what, targets, last[name])
    peers = peer_lines(last, benches)
    if peers:
        lines += ["", "Peers at the same work (in brackets: the hub's figure divided by the peer's). a, b and e deliver nothing; none of them removes repeats, keeps order, tries again or "
                  "survives a desk that is down, and none asks LINE who the guest is.", "",
                  "| | peer | CPU per message, µs | p50 of the 200, ms | p99, ms | accepted a second | memory, MiB |", "|---|---|---|---|---|---|---|"] + peers
    return "\n".join(lines) + "\n"
