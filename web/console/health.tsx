// health.tsx - is the hub well: queues, what waits longest, accounts and their tokens, webhooks against the vendors' deadlines, and small charts.
import { useEffect } from "preact/hooks";
import { get, listen } from "./api";
import { ago, clock, number, t, time, word } from "./i18n";
import { href } from "./router";
import { standing } from "./tenants";
import type { Channel, Counts, Health as HealthAnswer, Sample } from "./types";
import { Badge, Loading, Table, useEvery, useLoad, useThrottle } from "./ui";

const refresh_ms = 5000;
const throttle_ms = 2000;
const width = 320;
const height = 80;
const mib = 1 << 20;

function Chart({ title, samples, of, unit }: { title: string; samples: Sample[]; of: (s: Sample) => number; unit: (n: number) => string }) {
  const values = samples.map(of);
  const top = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((v, i) => `${(i * step).toFixed(1)},${(height - (v / top) * (height - 4)).toFixed(1)}`);
  const now = values.at(-1) ?? 0;
  const said = t("chart.said", { title, now: unit(now), most: unit(Math.max(0, ...values)) });
  return (
    <figure class="chart">
      <figcaption>
        {title} <strong>{unit(now)}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={said}>
        {points.length > 1 && <polygon points={`0,${height} ${points.join(" ")} ${width},${height}`} />}
        {points.length > 1 && <polyline points={points.join(" ")} />}
      </svg>
      <div class="axis">
        <span>{samples[0] && clock(samples[0].at)}</span>
        <span>{t("chart.most", { most: unit(Math.max(0, ...values)) })}</span>
        <span>{samples.length > 0 && clock(samples.at(-1)!.at)}</span>
      </div>
    </figure>
  );
}

export function Health() {
  const health = useLoad("health", () => get<HealthAnswer>("/health"));
  const channels = useLoad("channels", async () => (await get<{ items: Channel[] }>("/channels")).items);
  const again = () => {
    health.again();
    channels.again();
  };
  const refresh = useThrottle(again, throttle_ms);
  useEvery(refresh_ms, again);
  useEffect(() => listen("health", refresh), []);
  const states: (keyof Counts)[] = ["waiting", "parked", "delivered", "dead", "unknown", "ignored"];
  return (
    <section>
      <h1>{t("health.title")}</h1>
      <Loading of={health}>
        {(h) => (
          <>
            <p>
              <Badge kind={h.healthy ? "good" : "bad"}>{h.healthy ? t("health.good") : t("health.bad")}</Badge> {h.why} <span class="help">{t("health.since", { version: h.version, when: time(h.started) })}</span>
            </p>
            <dl class="numbers">
              {states.map((s) => (
                <div key={s}>
                  <dt>{word("state", s)}</dt>
                  <dd data-testid={`count-${s}`}>{number(h.journal[s])}</dd>
                </div>
              ))}
              <div>
                <dt>{t("health.in_flight")}</dt>
                <dd>{number(h.in_flight)}</dd>
              </div>
              <div>
                <dt>{t("health.oldest")}</dt>
                <dd>{h.oldest_waiting ? ago(h.oldest_waiting) : "–"}</dd>
              </div>
            </dl>
            <div class="charts">
              <Chart title={t("chart.accepted")} samples={h.series.samples} of={(s) => s.accepted} unit={number} />
              <Chart title={t("chart.delivered")} samples={h.series.samples} of={(s) => s.delivered} unit={number} />
              <Chart title={t("chart.waiting")} samples={h.series.samples} of={(s) => s.waiting} unit={number} />
              <Chart title={t("chart.memory")} samples={h.series.samples} of={(s) => s.rss_bytes / mib} unit={(n) => t("mib", { n: number(n) })} />
            </div>
            {h.queues.length > 0 && (
              <Table label={t("health.queues")} caption testid="health-queues" heads={[t("account"), t("state.waiting"), t("health.oldest")]}>
                {h.queues.map((q) => (
                  <tr key={q.account}>
                    <th scope="row">{q.account}</th>
                    <td>{number(q.waiting)}</td>
                    <td>{ago(q.oldest)}</td>
                  </tr>
                ))}
              </Table>
            )}
            {h.webhooks.length > 0 ? (
              <Table label={t("health.webhooks")} caption testid="health-webhooks" heads={[t("health.connector"), t("health.webhooks.number"), "p50", "p99", t("health.deadline")]}>
                {h.webhooks.map((w) => (
                  <tr key={w.connector}>
                    <th scope="row">{w.title}</th>
                    <td>{number(w.webhooks)}</td>
                    <td>{t("ms", { n: number(w.p50_ms) })}</td>
                    <td>
                      <Badge kind={w.deadline_ms && w.p99_ms > w.deadline_ms / 2 ? "bad" : "good"}>{t("ms", { n: number(w.p99_ms) })}</Badge>
                    </td>
                    <td>{w.deadline_ms === null ? "–" : t("ms", { n: number(w.deadline_ms) })}</td>
                  </tr>
                ))}
              </Table>
            ) : (
              <p>{t("health.webhooks.none")}</p>
            )}
          </>
        )}
      </Loading>
      <Loading of={channels}>
        {(list) => (
          <Table label={t("health.accounts")} caption testid="health-accounts" heads={[t("account"), t("standing"), t("health.token"), t("state.waiting")]}>
            {list.map((c) => {
              const now = standing([c]);
              return (
                <tr key={c.id}>
                  <th scope="row">
                    <a href={href("tenants", c.tenant_id, c.side === "desk" ? "desk" : "messaging")}>{c.id}</a>
                  </th>
                  <td>
                    <Badge kind={now.kind}>{now.text}</Badge> {c.why}
                  </td>
                  <td>{c.token_expires ? ago(c.token_expires) : "–"}</td>
                  <td>{number(c.waiting)}</td>
                </tr>
              );
            })}
          </Table>
        )}
      </Loading>
    </section>
  );
}
