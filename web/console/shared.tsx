// shared.tsx - editing what all tenants share (GET and PUT /settings): a draft of some of its members, and lists of things that each have a type, a name
// and the settings of their type.
import { useMemo, useState } from "preact/hooks";
import type { Dispatch, StateUpdater } from "preact/hooks";
import { api, Problem } from "./api";
import { marksOf, SettingsForm, withMember } from "./form";
import type { Marks } from "./form";
import { t } from "./i18n";
import { dropGuard, useGuard } from "./router";
import type { Doc, Json, ProblemItem, Schema, Settings } from "./types";
import { ask, Badge, explain, Field, say } from "./ui";
import type { Children } from "./ui";

export interface Draft {
  draft: Doc;
  setDraft: Dispatch<StateUpdater<Doc>>;
  marks: Marks;
  header: (title: string) => Children; // the page's title, the button, and what went wrong
}
/** page: the first part of its address. loaded: with what was saved; again: it is to be read anew. */
export function useDraft(of: { settings: Settings; etag: string | null; members: (keyof Settings)[]; page: string; loaded: (s: Settings, etag: string | null) => void; again: () => void }): Draft {
  const start = useMemo(() => Object.fromEntries(of.members.map((m) => [m, of.settings[m]])) as Doc, [of.settings]);
  const [draft, setDraft] = useState<Doc>(start);
  const [problems, setProblems] = useState<ProblemItem[]>([]);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const dirty = JSON.stringify(draft) !== JSON.stringify(start);
  useGuard(dirty ? { mine: (route) => route[0] === of.page, mayLeave: () => ask({ title: t("unsaved.title"), text: t("unsaved.text"), yes: t("unsaved.leave"), danger: true }) } : null);
  const marks = marksOf(problems, new Set(), true, (path) => setProblems((all) => all.filter((p) => p.field !== path)), false);
  const save = async () => {
    setBusy(true);
    setFailure("");
    try {
      const r = await api<Settings>("PUT", "/settings", draft, of.etag ? { "If-Match": of.etag } : {});
      say(t("settings.saved"));
      dropGuard();
      of.loaded(r.value, r.etag);
    } catch (e) {
      const found = e instanceof Problem ? e.problems : [];
      setProblems(found);
      setFailure(e instanceof Problem && e.status === 412 ? t("save.changed") : found.length ? t("save.problems", { n: found.length }) : explain(e));
    }
    setBusy(false);
  };
  const header = (title: string) => (
    <>
      <header class="bar">
        <h1>{title}</h1>
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
            <button type="button" class="secondary small" onClick={of.again}>
              {t("save.reload")}
            </button>
          )}
        </p>
      )}
    </>
  );
  return { draft, setDraft, marks, header };
}

export interface Kind {
  name: string;
  title: string;
  schema: Schema;
}
/** member: "notifiers". fresh: what a new one has beside type and name. extra: fields before those of its type. */
export function TypedList({ d, member, kinds, fresh, addTitle, typeTitle, extra }: { d: Draft; member: string; kinds: Kind[]; fresh: Doc; addTitle: string; typeTitle: string; extra: (item: Doc, path: string, change: (next: Doc) => void, kind: Kind | undefined) => Children }) {
  const list = (d.draft[member] as Doc[] | undefined) ?? [];
  const [adding, setAdding] = useState(kinds[0]?.name ?? "");
  const put = (next: Doc[]) => d.setDraft({ ...d.draft, [member]: next });
  const titleOf = (type: Json | undefined) => kinds.find((k) => k.name === type)?.title ?? String(type);
  const add = () => {
    const names = new Set(list.map((n) => n["name"]));
    let name = adding;
    for (let n = 2; names.has(name); n++) name = `${adding}-${n}`;
    put([...list, { type: adding, name, ...fresh }]);
  };
  const wrongWithAll = d.marks.error(member);
  return (
    <>
      {wrongWithAll && (
        <p class="failed" role="alert">
          {wrongWithAll}
        </p>
      )}
      {list.map((item, i) => {
        const kind = kinds.find((k) => k.name === item["type"]);
        const path = `${member}[${i}]`;
        const change = (next: Doc) => put(list.map((x, k) => (k === i ? next : x)));
        const wrong = d.marks.error(path);
        return (
          <article class="account" key={`${i} ${String(item["type"])}`} data-testid={member}>
            <header>
              <h3>{titleOf(item["type"])}</h3>
              <button type="button" class="secondary small" aria-label={`${t("remove")}: ${String(item["name"] ?? item["type"])}`} onClick={() => put(list.filter((_, k) => k !== i))}>
                {t("remove")}
              </button>
            </header>
            {wrong && (
              <p class="failed" role="alert">
                {wrong}
              </p>
            )}
            <Field
              path={`${path}.name`}
              title={t("name")}
              error={d.marks.error(`${path}.name`)}
              control={(props) => (
                <input
                  {...props}
                  value={typeof item["name"] === "string" ? item["name"] : ""}
                  onInput={(e) => {
                    change(withMember(item, "name", e.currentTarget.value || undefined));
                    d.marks.touch(`${path}.name`);
                  }}
                />
              )}
            />
            {extra(item, path, change, kind)}
            {kind && <SettingsForm schema={kind.schema} value={item} path={path} marks={d.marks} change={change} />}
          </article>
        );
      })}
      <div class="adder">
        <select aria-label={typeTitle} value={adding} onChange={(e) => setAdding(e.currentTarget.value)} data-testid={`${member}-type`}>
          {kinds.map((k) => (
            <option key={k.name} value={k.name}>
              {k.title}
            </option>
          ))}
        </select>
        <button type="button" class="secondary" onClick={add} data-testid={`${member}-add`}>
          {addTitle}
        </button>
      </div>
    </>
  );
}
