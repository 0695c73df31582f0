// supervisor.tsx - queues, agents and what is going on, live; ?view=wallboard is the same for a screen on the wall.
import { useState } from "preact/hooks";
import { api, get, query } from "../console/api";
import { number } from "../console/i18n";
import { Badge, explain, Loading, say as tell, Table, useEvery, useLoad } from "../console/ui";
import { guestName, useNow } from "./conv";
import { clock, percent, span, t, word } from "./i18n";
import { act, useDesk } from "./state";
import type { AgentNumbers, Found, Interaction, QueueNumbers, Sample } from "./types";

const refresh_ms = 10000; // where no event comes through
const width = 160;
const height = 36;
const good_level = 0.8;
const fair_level = 0.6;

function list<T>(found: Found<T> | T[]): T[] {
  return Array.isArray(found) ? found : found.items;
}
export function levelKind(share: number): "good" | "busy" | "bad" {
  return share >= good_level ? "good" : share >= fair_level ? "busy" : "bad";
}

function Chart({ title, samples, of }: { title: string; samples: Sample[]; of: (s: Sample) => number }) {
  const values = samples.map(of);
  const most = Math.max(0, ...values);
  const top = Math.max(1, most);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((v, i) => `${(i * step).toFixed(1)},${(height - 1 - (v / top) * (height - 4)).toFixed(1)}`).join(" ");
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={t("chart.said", { title, now: number(values.at(-1) ?? 0), most: number(most) })}>
      <polygon points={`0,${height} ${points} ${width},${height}`} />
      <polyline points={points} />
    </svg>
  );
}

function Queues({ queues }: { queues: QueueNumbers[] }) {
  return (
    <Table
      label={t("queues")}
      caption
      testid="queues"
      heads={[
        t("queue"),
        t("queue.waiting"),
        t("queue.longest"),
        t("queue.open"),
        t("queue.agents"),
        t("queue.answered"),
        t("queue.abandoned"),
        t("queue.level"),
        t("queue.wait"),
        t("queue.hour"),
      ]}
    >
      {queues.map((q) => (
        <tr key={q.name}>
          <th scope="row">
            <bdi>{q.title || q.name}</bdi>
          </th>
          <td data-testid={`waiting-${q.name}`}>{number(q.waiting)}</td>
          <td>{q.waiting ? span(q.longest_ms) : "–"}</td>
          <td>{number(q.open)}</td>
          <td>
            {number(q.agents_ready)} / {number(q.agents_on)}
          </td>
          <td>{number(q.answered_today)}</td>
          <td>{number(q.abandoned_today)}</td>
          <td>
            <Badge kind={levelKind(q.service_level)}>{percent(q.service_level)}</Badge>
          </td>
          <td>{span(q.avg_wait_ms)}</td>
          <td>{q.series && q.series.length > 1 && <Chart title={`${q.title || q.name}, ${t("queue.waiting")}`} samples={q.series} of={(s) => s.waiting} />}</td>
        </tr>
      ))}
    </Table>
  );
}

function Agents({ agents, now, changed }: { agents: AgentNumbers[]; now: number; changed: () => void }) {
  const set = async (a: AgentNumbers, state: string) => {
    try {
      await api("PUT", `/desk/agents/${encodeURIComponent(a.user)}/status`, { media: "all", state });
      changed();
    } catch (e) {
      tell(explain(e));
    }
  };
  return (
    <Table
      label={t("agents")}
      caption
      testid="agents"
      heads={[
        t("agent"),
        t("agent.state"),
        t("agent.since"),
        t("queue.open"),
        t("queue.answered"),
        t("agent.change"),
      ]}
    >
      {agents.map((a) => {
        const media = Object.entries(a.media ?? {});
        const ready = media.some(([, m]) => m.state === "ready");
        return (
          <tr key={a.user}>
            <th scope="row">
              <bdi>{a.display_name || a.user}</bdi>
            </th>
            <td>
              {media.map(([name, m]) => (
                <Badge key={name} kind={m.state === "ready" ? "good" : "plain"}>
                  {word("agent", m.state)}
                  {m.reason ? ` · ${m.reason}` : ""}
                </Badge>
              ))}
            </td>
            <td>{a.since_ms ? span(now - a.since_ms) : "–"}</td>
            <td>{number(a.open?.length ?? 0)}</td>
            <td>{number(a.answered_today)}</td>
            <td>
              <button type="button" class="secondary small" onClick={() => void set(a, ready ? "not-ready" : "ready")} aria-label={`${t(ready ? "agent.make_not_ready" : "agent.make_ready")}: ${a.display_name || a.user}`}>
                {t(ready ? "agent.make_not_ready" : "agent.make_ready")}
              </button>
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

function Going({ all, now, show }: { all: Interaction[]; now: number; show: (id: string) => void }) {
  const enter = (i: Interaction, verb: string) => void act(i.id, verb).then(() => show(i.id), (e: unknown) => tell(explain(e)));
  return (
    <Table
      label={t("conversations")}
      caption
      testid="going"
      heads={[
        t("guest"),
        t("queue"),
        t("agent.state"),
        t("agent"),
        t("agent.since"),
        t("agent.change"),
      ]}
    >
      {all.map((i) => (
        <tr key={i.id}>
          <th scope="row">
            <bdi>{guestName(i)}</bdi> <span class="help">{i.network}</span>
          </th>
          <td>
            <bdi>{i.queue}</bdi>
          </td>
          <td>
            <Badge kind={i.state === "open" ? "good" : "busy"}>{word("interaction", i.state)}</Badge>
          </td>
          <td>
            <bdi>{i.agents.find((a) => a.role === "owner")?.name ?? i.owner ?? i.invited}</bdi>
          </td>
          <td>{span(now - (i.accepted_ms ?? i.queued_ms ?? i.created_ms))}</td>
          <td class="tools">
            {i.state === "queued" && (
              <button type="button" class="small" onClick={() => enter(i, "accept")} aria-label={`${t("take")}: ${guestName(i)}`} data-testid="go-accept">
                {t("take")}
              </button>
            )}
            {i.state === "open" &&
              (
                [
                  ["monitor", t("monitor")],
                  ["coach", t("coach")],
                  ["barge", t("barge")],
                ] as const
              ).map(([verb, title]) => (
                <button key={verb} type="button" class="secondary small" onClick={() => enter(i, verb)} aria-label={`${title}: ${guestName(i)}`} data-testid={`go-${verb}`}>
                  {title}
                </button>
              ))}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Wall({ queues, agents, now }: { queues: QueueNumbers[]; agents: AgentNumbers[]; now: number }) {
  const sum = (of: (q: QueueNumbers) => number) => queues.reduce((n, q) => n + of(q), 0);
  const answered = sum((q) => q.answered_today);
  const level = answered ? sum((q) => q.service_level * q.answered_today) / answered : 1;
  const ready = agents.filter((a) => Object.values(a.media ?? {}).some((m) => m.state === "ready")).length;
  const tile = (title: string, value: string, kind = "") => (
    <div class={`tile ${kind}`}>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
  return (
    <div class="wall" data-testid="wallboard">
      <p class="clock">{clock(now)}</p>
      <dl>
        {tile(t("queue.waiting"), number(sum((q) => q.waiting)), sum((q) => q.waiting) ? "busy" : "")}
        {tile(t("queue.longest"), span(Math.max(0, ...queues.map((q) => (q.waiting ? q.longest_ms : 0)))))}
        {tile(t("queue.open"), number(sum((q) => q.open)))}
        {tile(t("queue.agents"), `${number(ready)} / ${number(agents.length)}`)}
        {tile(t("queue.answered"), number(answered))}
        {tile(t("queue.abandoned"), number(sum((q) => q.abandoned_today)))}
        {tile(t("queue.level"), percent(level), levelKind(level))}
      </dl>
      <Queues queues={queues} />
    </div>
  );
}

export function Supervisor({ wall, show }: { wall: boolean; show: (id: string) => void }) {
  const desk = useDesk();
  const now = useNow();
  const [queue, setQueue] = useState("");
  const queues = useLoad("queues", async () => list(await get<Found<QueueNumbers> | QueueNumbers[]>("/desk/queues")));
  const agents = useLoad("agents", async () => list(await get<Found<AgentNumbers> | AgentNumbers[]>("/desk/agents")));
  const going = useLoad(`going ${queue}`, async () => list(await get<Found<Interaction> | Interaction[]>("/desk/interactions" + query({ queue }))).filter((i) => i.state !== "done"));
  useEvery(refresh_ms, () => {
    queues.again();
    agents.again();
    going.again();
  });
  const numbers = desk.queues && queues.value ? desk.queues.map((q) => ({ series: queues.value?.find((x) => x.name === q.name)?.series ?? [], ...q })) : queues.value;
  const people = desk.agents ?? agents.value;
  const again = () => {
    agents.again();
    going.again();
  };
  if (wall) return <Loading of={queues}>{() => <Wall queues={numbers ?? []} agents={people ?? []} now={now} />}</Loading>;
  return (
    <section class="supervisor">
      <header class="bar">
        <h2>{t("supervisor")}</h2>
        <a href={`${location.pathname}?view=wallboard`}>{t("wallboard")}</a>
      </header>
      <Loading of={queues}>{() => <Queues queues={numbers ?? []} />}</Loading>
      <Loading of={agents}>{() => <Agents agents={people ?? []} now={now} changed={again} />}</Loading>
      <label class="filter">
        {t("queue")}
        <select value={queue} onChange={(e) => setQueue(e.currentTarget.value)}>
          <option value="">{t("queue.all")}</option>
          {(numbers ?? []).map((q) => (
            <option key={q.name} value={q.name}>
              {q.title || q.name}
            </option>
          ))}
        </select>
      </label>
      <Loading of={going}>{(all) => <Going all={all} now={now} show={show} />}</Loading>
    </section>
  );
}
