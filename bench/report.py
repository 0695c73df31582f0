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
    h, p = [statistics.median([r[key] for r in rows]) for rows in (hub, peer)]
    return f"{number(p)} ({h / p:.2f}×)" if p else number(p)


def peer_lines(last, benches):
    out = []
    hub = scored(last.get("B1", []))
    for key, (what, _) in benches.PEERS.items():
        rows = last.get("peer-" + key, [])
        good = scored(rows)
        if not rows:
            continue
        if not good or not hub:
            out.append(f"| {key} | {what} | {next((r[k] for r in rows for k in ('skipped', 'failed') if k in r), 'no score')[:100]} | | | |")
            continue
        out.append(f"| {key} | {what} | {ratio(hub, good, 'cpu_us')} | {ratio(hub, good, 'answer_p50_ms')} | {ratio(hub, good, 'answer_p99_ms')} | {ratio(hub, good, 'peak_mib')} |")
    if hub:
        m = [number(statistics.median([r[k] for r in hub])) for k in ("cpu_us", "answer_p50_ms", "answer_p99_ms", "peak_mib")]
        out.append(f"| | **Dragoman**: durable 200, profile asked, delivered to the desk in order | {' | '.join(m)} |")
    return out


def render(rows, benches):
    last = newest(rows)
    if not last:
        return "No results.\n"
    newest_row = max((r for l in last.values() for r in l), key=lambda r: r["at"])
    m = newest_row["machine"]
    lines = ["# Results of the last run", "",
             f"{newest_row['at']}, commit {m['commit']}, {m['cores']} cores ({m['cpu']}), {m['memory_gib']} GiB, Linux {m['kernel']}. Hub, simulators and generator share the machine "
             "(loopback), default durability, a fresh data directory each. Median and worst of the runs; a run that loses, doubles or reorders a message has no score. "
             "Made by `make bench` (`bench/run`).", "",
             "| | work | median | worst | target | |", "|---|---|---|---|---|---|"]
    for name, (what, _, targets) in benches.BENCHES.items():
        if name in last:
            lines += bench_lines(name, what, targets, last[name])
    peers = peer_lines(last, benches)
    if peers:
        lines += ["", "Peers, the work of B1 (in brackets: the hub's figure divided by the peer's). Peers a, b and e deliver nothing; none of them deduplicates, keeps order, retries or "
                  "survives a desk that is down.", "", "| | peer | CPU per message, µs | p50 of the 200, ms | p99, ms | memory, MiB |", "|---|---|---|---|---|---|"] + peers
    return "\n".join(lines) + "\n"
