// settings.tsx - what all tenants share: the outbound proxy, and where operators are told.
import { useState } from "preact/hooks";
import { api, get } from "./api";
import { CommanderForm } from "./commander";
import { t, time, word } from "./i18n";
import { dropGuard } from "./router";
import { TypedList, useDraft } from "./shared";
import type { Doc, Notifier, Settings, Standing } from "./types";
import { Badge, explain, Field, Loading, useEvery, useLoad } from "./ui";

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

interface EditorProps {
  settings: Settings;
  etag: string | null;
  notifiers: Notifier[];
  loaded: (s: Settings, etag: string | null) => void;
  again: () => void;
}
function Editor({ settings, etag, notifiers, loaded, again }: EditorProps) {
  const d = useDraft({ settings, etag, members: ["proxy", "notifiers", "commander"], page: "settings", loaded, again });
  const { draft, setDraft, marks } = d;
  return (
    <>
      {d.header(t("settings.title"))}
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
        <h2>{t("commander.of_all")}</h2>
        <CommanderForm
          value={(draft["commander"] as Doc | undefined) ?? settings.commander_of_file ?? {}}
          path="commander"
          ofAll
          readOnly={false}
          marks={marks}
          change={(next) => setDraft({ ...draft, commander: next })}
        />
        <h2>{t("notifiers.title")}</h2>
        <p class="help">{t("notifiers.help")}</p>
        <TypedList
          d={d}
          member="notifiers"
          kinds={notifiers}
          fresh={{ topics: ["Default"] }}
          addTitle={t("notifier.add")}
          typeTitle={t("notifier.type")}
          extra={(n, path, change, kind) => {
            const topics = (n["topics"] as string[] | undefined) ?? [];
            const wrong = marks.error(`${path}.topics`);
            return (
              <fieldset class="field" data-path={`${path}.topics`}>
                <legend>{t("notifier.topics")}</legend>
                {(notifiers.find((x) => x.name === kind?.name)?.topics ?? []).map((topic) => (
                  <label key={topic}>
                    <input
                      type="checkbox"
                      checked={topics.includes(topic)}
                      onChange={(e) => {
                        change({ ...n, topics: e.currentTarget.checked ? [...topics, topic] : topics.filter((x) => x !== topic) });
                        marks.touch(`${path}.topics`);
                      }}
                    />
                    {word("topic", topic)}
                  </label>
                ))}
                {wrong && (
                  <small class="error" role="alert" data-testid="field-error">
                    {wrong}
                  </small>
                )}
              </fieldset>
            );
          }}
        />
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
