// settings.tsx - what all tenants share: the outbound proxy, and where operators are told.
import { useMemo, useState } from "preact/hooks";
import { api, get, Problem } from "./api";
import { marksOf, SettingsForm, withMember } from "./form";
import { t, time, word } from "./i18n";
import { dropGuard, useGuard } from "./router";
import type { Doc, Json, Notifier, ProblemItem, Settings, Standing } from "./types";
import { ask, Badge, explain, Field, Loading, say, useEvery, useLoad } from "./ui";

const refresh_ms = 5000;

interface Tested {
  taken: boolean;
  status: number;
  answer: string;
  why?: string;
  took_ms: number;
}

function Test({ name }: { name: string }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<{ good: boolean; text: string } | null>(null);
  const send = async () => {
    setBusy(true);
    try {
      const { value } = await api<Tested>("POST", `/settings/notifiers/${encodeURIComponent(name)}/test`);
      setResult({ good: value.taken, text: value.taken ? t("notifier.taken", { n: value.took_ms }) : [value.why, value.status || "", value.answer].filter(Boolean).join(" ") });
    } catch (e) {
      setResult({ good: false, text: explain(e) });
    }
    setBusy(false);
  };
  return (
    <span class="test">
      <button type="button" class="secondary small" aria-busy={busy} aria-label={`${t("notifier.test")}: ${name}`} onClick={() => void send()} data-testid="send-test">
        {t("notifier.test")}
      </button>{" "}
      <span role="status" data-testid="test-result">
        {result && <Badge kind={result.good ? "good" : "bad"}>{result.text}</Badge>}
      </span>
    </span>
  );
}

function AtWork({ s, title }: { s: Standing; title: string }) {
  return (
    <tr>
      <th scope="row">
        {s.name} <span class="help">{title}</span>
      </th>
      <td>{s.topics.map((x) => word("topic", x)).join(", ")}</td>
      <td>
        <Badge kind={s.state === "ready" ? "good" : s.state === "waiting" ? "busy" : "bad"}>{word("state", s.state)}</Badge> {s.why}
      </td>
      <td>{t("notifier.counts", { sent: s.sent, refused: s.refused, dropped: s.dropped })}</td>
      <td>{s.last && time(s.last)}</td>
      <td>
        <Test name={s.name} />
      </td>
    </tr>
  );
}

function Editor({ settings, etag, notifiers, loaded, again }: { settings: Settings; etag: string | null; notifiers: Notifier[]; loaded: (s: Settings, etag: string | null) => void; again: () => void }) {
  const start: Doc = useMemo(() => ({ proxy: settings.proxy, notifiers: settings.notifiers }), [settings]);
  const [draft, setDraft] = useState<Doc>(start);
  const [touched, setTouched] = useState(new Set<string>());
  const [problems, setProblems] = useState<ProblemItem[]>([]);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const [adding, setAdding] = useState(notifiers[0]?.name ?? "");
  const dirty = JSON.stringify(draft) !== JSON.stringify(start);
  useGuard(dirty ? { mine: (route) => route[0] === "settings", mayLeave: () => ask({ title: t("unsaved.title"), text: t("unsaved.text"), yes: t("unsaved.leave"), danger: true }) } : null);
  const list = draft["notifiers"] as Doc[];
  const put = (next: Doc[]) => setDraft({ ...draft, notifiers: next });
  const marks = marksOf(problems, touched, true, (path) => {
    setTouched((s) => new Set(s).add(path));
    setProblems((all) => all.filter((p) => p.field !== path));
  }, false);
  const save = async () => {
    setBusy(true);
    setFailure("");
    try {
      const r = await api<Settings>("PUT", "/settings", draft, etag ? { "If-Match": etag } : {});
      say(t("settings.saved"));
      dropGuard();
      loaded(r.value, r.etag);
    } catch (e) {
      const found = e instanceof Problem ? e.problems : [];
      setProblems(found);
      setFailure(e instanceof Problem && e.status === 412 ? t("save.changed") : found.length ? t("save.problems", { n: found.length }) : explain(e));
    }
    setBusy(false);
  };
  const add = () => {
    const names = new Set(list.map((n) => n["name"]));
    let name = adding;
    for (let n = 2; names.has(name); n++) name = `${adding}-${n}`;
    put([...list, { type: adding, name, topics: ["Default"] }]);
  };
  const title = (type: Json | undefined) => notifiers.find((n) => n.name === type)?.title ?? String(type);
  return (
    <>
      <header class="bar">
        <h1>{t("settings.title")}</h1>
        <div class="tools">
          {dirty && <Badge kind="busy">{t("unsaved.badge")}</Badge>}
          <button type="button" disabled={!dirty || busy} aria-busy={busy} onClick={() => void save()} data-testid="save">
            {t("save")}
          </button>
        </div>
      </header>
      {failure && (
        <p class="failed" role="alert" data-testid="failure">
          {failure}{" "}
          {failure === t("save.changed") && (
            <button type="button" class="secondary small" onClick={again}>
              {t("save.reload")}
            </button>
          )}
        </p>
      )}
      <form noValidate onSubmit={(e) => e.preventDefault()}>
        <Field
          path="proxy"
          title={t("settings.proxy")}
          help={settings.proxy_in_use && !settings.proxy ? t("settings.proxy.in_use", { url: settings.proxy_in_use }) : t("settings.proxy.help")}
          error={marks.error("proxy")}
          control={(props) => (
            <input
              {...props}
              type="url"
              placeholder="http://proxy.example.com:3128"
              value={typeof draft["proxy"] === "string" ? draft["proxy"] : ""}
              onInput={(e) => {
                setDraft({ ...draft, proxy: e.currentTarget.value || null });
                marks.touch("proxy");
              }}
            />
          )}
        />
        <h2>{t("notifiers.title")}</h2>
        <p class="help">{t("notifiers.help")}</p>
        {list.map((n, i) => {
          const type = notifiers.find((x) => x.name === n["type"]);
          const topics = (n["topics"] as string[] | undefined) ?? [];
          const path = `notifiers[${i}]`;
          const change = (next: Doc) => put(list.map((x, k) => (k === i ? next : x)));
          const of = marks.error(path) ?? marks.error(`${path}.topics`);
          return (
            <article class="account" key={`${i} ${String(n["type"])}`} data-testid="notifier">
              <header>
                <h3>{title(n["type"])}</h3>
                <button type="button" class="secondary small" aria-label={`${t("remove")}: ${String(n["name"] ?? n["type"])}`} onClick={() => put(list.filter((_, k) => k !== i))}>
                  {t("remove")}
                </button>
              </header>
              {of && (
                <p class="failed" role="alert">
                  {of}
                </p>
              )}
              <Field
                path={`${path}.name`}
                title={t("name")}
                error={marks.error(`${path}.name`)}
                control={(props) => (
                  <input
                    {...props}
                    value={typeof n["name"] === "string" ? n["name"] : ""}
                    onInput={(e) => {
                      change(withMember(n, "name", e.currentTarget.value || undefined));
                      marks.touch(`${path}.name`);
                    }}
                  />
                )}
              />
              <fieldset class="field">
                <legend>{t("notifier.topics")}</legend>
                {(type?.topics ?? []).map((topic) => (
                  <label key={topic}>
                    <input
                      type="checkbox"
                      checked={topics.includes(topic)}
                      onChange={(e) => change({ ...n, topics: e.currentTarget.checked ? [...topics, topic] : topics.filter((x) => x !== topic) })}
                    />
                    {word("topic", topic)}
                  </label>
                ))}
              </fieldset>
              {type && <SettingsForm schema={type.schema} value={n} path={path} marks={marks} change={change} />}
            </article>
          );
        })}
        <div class="adder">
          <select aria-label={t("notifier.type")} value={adding} onChange={(e) => setAdding(e.currentTarget.value)} data-testid="notifier-type">
            {notifiers.map((n) => (
              <option key={n.name} value={n.name}>
                {n.title}
              </option>
            ))}
          </select>
          <button type="button" class="secondary" onClick={add} data-testid="notifier-add">
            {t("notifier.add")}
          </button>
        </div>
      </form>
    </>
  );
}

interface Read {
  settings: Settings;
  etag: string | null;
  notifiers: Notifier[];
}
export function SettingsPage() {
  const [fresh, setFresh] = useState<{ settings: Settings; etag: string | null } | null>(null);
  const [turn, setTurn] = useState(0);
  const read = useLoad(`settings ${turn}`, async (): Promise<Read> => {
    const [s, n] = await Promise.all([api<Settings>("GET", "/settings"), get<{ items: Notifier[] }>("/notifiers")]);
    return { settings: s.value, etag: s.etag, notifiers: n.items };
  });
  const standing = useLoad("standing", async () => (await get<Settings>("/settings")).standing);
  useEvery(refresh_ms, standing.again);
  return (
    <section>
      <Loading of={read}>
        {(r) => {
          const now = fresh ?? r;
          return (
            <>
              <Editor
                key={`${now.settings.rev} ${turn}`}
                settings={now.settings}
                etag={now.etag}
                notifiers={r.notifiers}
                loaded={(settings, etag) => {
                  setFresh({ settings, etag });
                  standing.again();
                }}
                again={() => {
                  setFresh(null);
                  dropGuard();
                  setTurn((n) => n + 1);
                }}
              />
              {(standing.value ?? []).length > 0 && (
                <div class="overflow-auto" tabIndex={0} role="region" aria-label={t("notifiers.at_work")}>
                  <table>
                    <caption>{t("notifiers.at_work")}</caption>
                    <tbody>
                      {standing.value?.map((s) => (
                        <AtWork key={s.name} s={s} title={r.notifiers.find((n) => n.name === s.type)?.title ?? s.type} />
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
            </>
          );
        }}
      </Loading>
    </section>
  );
}
