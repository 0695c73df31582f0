// dialogs.tsx - what an agent decides about an interaction: to whom it goes, how long it waits, how it ended.
import { useState } from "preact/hooks";
import { get } from "../console/api";
import { FormModal } from "../console/form_modal";
import { Badge, Field, Loading, useLoad } from "../console/ui";
import type { Children } from "../console/ui";
import { t, word } from "./i18n";
import { act, state } from "./state";
import type { Interaction, Targets } from "./types";

export type Dialog = "transfer" | "consult" | "conference" | "hold" | "done" | "note" | "reject";

/** By this page itself: its words alone are shown. */
class Refusal extends Error {
  override toString() {
    return this.message;
  }
}

function Form({ title, yes, close, children, doing }: { title: string; yes: string; close: () => void; children?: Children; doing: () => Promise<void> }) {
  const submit = async () => {
    await doing();
    close();
  };
  return (
    <FormModal title={title} yes={yes} testid="dialog-yes" cancel={close} submit={submit}>
      {() => children}
    </FormModal>
  );
}

/* ---- to whom ---------------------------------------------------------------------------------------------------------------- */

function Target({ i, verb, close }: { i: Interaction; verb: "transfer" | "consult" | "conference"; close: () => void }) {
  const targets = useLoad("targets", () => get<Targets>("/desk/targets"));
  const [chosen, set] = useState("");
  const [note, setNote] = useState("");
  const [q, setQ] = useState("");
  const fits = (...texts: (string | undefined)[]) => !q || texts.some((x) => x?.toLowerCase().includes(q.toLowerCase()));
  const doing = async () => {
    if (!chosen) throw new Refusal(t("target.choose"));
    const [kind, ...name] = chosen.split(":");
    await act(i.id, verb, { [kind === "queue" ? "queue" : "user"]: name.join(":"), ...(verb === "transfer" && note.trim() ? { note: note.trim() } : {}) });
  };
  const option = (value: string, title: string, more?: Children, off = false) => (
    <li key={value}>
      <label>
        <input type="radio" name="target" value={value} checked={chosen === value} disabled={off} onChange={() => set(value)} data-testid="target" />
        <bdi>{title}</bdi> {more}
      </label>
    </li>
  );
  const title = { transfer: t("transfer.title"), consult: t("consult.title"), conference: t("conference.title") }[verb];
  return (
    <Form title={title} yes={{ transfer: t("transfer"), consult: t("consult"), conference: t("conference") }[verb]} close={close} doing={doing}>
      <p class="help">{{ transfer: t("transfer.help"), consult: t("consult.help"), conference: t("conference.help") }[verb]}</p>
      <input type="search" autofocus aria-label={t("search")} placeholder={t("search")} value={q} onInput={(e) => setQ(e.currentTarget.value)} />
      <Loading of={targets}>
        {(all) => {
          const agents = all.agents.filter((a) => a.user !== state.me?.user && !i.agents.some((x) => x.user === a.user) && fits(a.user, a.display_name));
          const queues = all.queues.filter((x) => fits(x.name, x.title));
          return (
            <div class="targets">
              <fieldset>
                <legend>{t("agents")}</legend>
                {agents.length ? (
                  <ul>{agents.map((a) => option(`user:${a.user}`, a.display_name || a.user, a.state && <Badge kind={a.state === "ready" ? "good" : "plain"}>{word("agent", a.state)}</Badge>, verb === "transfer" && a.state !== "ready"))}</ul>
                ) : (
                  <p>{t("target.no_agents")}</p>
                )}
              </fieldset>
              <fieldset>
                <legend>{t("queues")}</legend>
                <ul>{queues.map((x) => option(`queue:${x.name}`, x.title || x.name))}</ul>
              </fieldset>
            </div>
          );
        }}
      </Loading>
      {verb === "transfer" && <Field path="note" title={t("transfer.note")} control={(props) => <textarea {...props} rows={2} dir="auto" value={note} onInput={(e) => setNote(e.currentTarget.value)} />} />}
    </Form>
  );
}

/* ---- how long ---------------------------------------------------------------------------------------------------------------- */

const hour_ms = 3600000;
/** What an input of the kind datetime-local wants. */
function local(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
function tomorrow(): number {
  const at = new Date();
  at.setDate(at.getDate() + 1);
  at.setHours(9, 0, 0, 0);
  return at.getTime();
}

function Hold({ i, close }: { i: Interaction; close: () => void }) {
  const [until, set] = useState("guest");
  const [at, setAt] = useState(local(tomorrow()));
  const times: [string, string, number][] = [
    ["hour", t("hold.hour"), Date.now() + hour_ms],
    ["hours", t("hold.hours"), Date.now() + 4 * hour_ms],
    ["tomorrow", t("hold.tomorrow"), tomorrow()],
  ];
  const doing = async () => {
    const ms = until === "guest" ? 0 : until === "time" ? new Date(at).getTime() : (times.find(([name]) => name === until)?.[2] ?? 0);
    if (until !== "guest" && !(ms > Date.now())) throw new Refusal(t("hold.past"));
    await act(i.id, "hold", ms ? { until_ms: ms } : {});
  };
  const option = (name: string, title: string) => (
    <label key={name}>
      <input type="radio" name="until" autofocus={until === name} value={name} checked={until === name} onChange={() => set(name)} data-testid={`hold-${name}`} />
      {title}
    </label>
  );
  return (
    <Form title={t("hold.title")} yes={t("hold")} close={close} doing={doing}>
      <p class="help">{t("hold.help")}</p>
      <fieldset>
        <legend>{t("hold.until")}</legend>
        {option("guest", t("hold.guest"))}
        {times.map(([name, title]) => option(name, title))}
        {option("time", t("hold.time"))}
      </fieldset>
      {until === "time" && <input type="datetime-local" aria-label={t("hold.time")} value={at} onInput={(e) => setAt(e.currentTarget.value)} data-testid="hold-at" />}
    </Form>
  );
}

/* ---- how it ended -------------------------------------------------------------------------------------------------------------- */

const dispositionsKey = "dragoman-dispositions";
const dispositionsKept = 12;
function dispositions(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(dispositionsKey) ?? "[]");
    return Array.isArray(kept) ? kept.filter((x): x is string => typeof x === "string") : [];
  } catch {
    return [];
  }
}
function keepDisposition(text: string): void {
  if (!text) return;
  try {
    localStorage.setItem(dispositionsKey, JSON.stringify([text, ...dispositions().filter((x) => x !== text)].slice(0, dispositionsKept)));
  } catch {
    // no storage: it is typed again next time
  }
}

function Ending({ i, done, close }: { i: Interaction; done: boolean; close: () => void }) {
  const [disposition, setDisposition] = useState(i.disposition ?? "");
  const [note, setNote] = useState(i.note ?? "");
  const doing = async () => {
    await act(i.id, done ? "done" : "disposition", { disposition: disposition.trim(), note: note.trim() });
    keepDisposition(disposition.trim());
  };
  return (
    <Form title={t(done ? "done.title" : "note.title")} yes={t(done ? "done" : "save")} close={close} doing={doing}>
      {done && <p class="help">{t("done.help")}</p>}
      <Field
        path="disposition"
        title={t("disposition")}
        control={(props) => <input {...props} autofocus dir="auto" list="dispositions" maxLength={200} value={disposition} onInput={(e) => setDisposition(e.currentTarget.value)} data-testid="disposition" />}
      />
      <datalist id="dispositions">
        {dispositions().map((x) => (
          <option key={x} value={x} />
        ))}
      </datalist>
      <Field path="note" title={t("note")} control={(props) => <textarea {...props} rows={3} dir="auto" value={note} onInput={(e) => setNote(e.currentTarget.value)} data-testid="note" />} />
    </Form>
  );
}

function Reject({ i, close }: { i: Interaction; close: () => void }) {
  const [reason, set] = useState("");
  return (
    <Form title={t("reject.title")} yes={t("reject")} close={close} doing={() => act(i.id, "reject", reason.trim() ? { reason: reason.trim() } : {})}>
      <Field path="reason" title={t("reject.reason")} control={(props) => <input {...props} autofocus dir="auto" value={reason} onInput={(e) => set(e.currentTarget.value)} />} />
    </Form>
  );
}

export function DialogOf({ which, i, close }: { which: Dialog; i: Interaction; close: () => void }) {
  switch (which) {
    case "hold":
      return <Hold i={i} close={close} />;
    case "done":
    case "note":
      return <Ending i={i} done={which === "done"} close={close} />;
    case "reject":
      return <Reject i={i} close={close} />;
    default:
      return <Target i={i} verb={which} close={close} />;
  }
}
