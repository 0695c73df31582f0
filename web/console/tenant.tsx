// tenant.tsx - one tenant: its tabs, what is wrong with which field, and saving.
//
// Draft    what stands in the form; nothing is changed at the hub before it is saved (PUT with If-Match: who comes second is told).
// Marks    a moment after the last key the draft is checked by the hub (POST /tenants/check); its problems' paths lead to the fields.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, get, Problem, query } from "./api";
import { CommanderForm } from "./commander";
import { isSet, marksOf, Pairs, SettingsForm, withMember } from "./form";
import type { Marks } from "./form";
import { FormModal } from "./form_modal";
import { t, time } from "./i18n";
import { chatTag, guestLink, sampleFlow, vendorLinks } from "./vendors";
import { problemText } from "./problems";
import { dropGuard, go, href, leave, replace, useGuard } from "./router";
import { standing } from "./tenants";
import type { Channel, Connector, Doc, Json, ProblemItem, Schema, Storage, Tenant } from "./types";
import { ask, Badge, Copy, download, explain, Field, idOf, Loading, say, Tabs, useEvery, useLoad } from "./ui";
import { QrCode } from "./qr";

const check_after_ms = 400;
const focus_after_ms = 50; // when its tab is drawn
const refresh_ms = 5000;
const theirProblems = "problems"; // why it was not saved: those of its fields, as many as there still are
const facts = ["slug", "origin", "rev", "changed", "changed_by", "read_only", "problem"];

/* The document as it is edited: without what only comes out of the hub. */
function draftOf(tenant: Tenant): Doc {
  return Object.fromEntries(Object.entries(tenant).filter(([k]) => !facts.includes(k))) as Doc;
}
/* What is empty is left out; accounts without a type are not there yet. */
function bodyOf(draft: Doc): Doc {
  const channels = (draft["channels"] as Doc[] | undefined) ?? [];
  return { ...draft, channels: channels.filter((c) => c["type"]) };
}
const empty: Doc = { name: "", channels: [] };

const tabOf = (field: string): string =>
  /^(desk|custom_data)\b/.test(field) ? "desk" : /^channels\b/.test(field) ? "messaging" : /^api\b/.test(field) ? "api" : /^commander\b/.test(field) ? "commander" : "general";

interface EditorProps {
  tenant: Tenant | null; // null: a new one
  etag: string | null;
  start: Doc;
  connectors: Connector[];
  storages: Storage[];
  tab: string;
  base: string[]; // of its addresses, before the tab
  loaded: (tenant: Tenant, etag: string | null) => void;
  again: () => void;
}

/* ---- tabs ------------------------------------------------------------------------------------------------------------ */

interface PanelProps {
  draft: Doc;
  change: (next: Doc) => void;
  marks: Marks;
  readOnly: boolean;
}

function Text({ path, title, help, required, p }: { path: string; title: string; help?: string; required?: boolean; p: PanelProps }) {
  return (
    <Field
      path={path}
      title={title}
      help={help}
      required={required ?? false}
      error={p.marks.error(path)}
      good={p.marks.good(path)}
      control={(props) => (
        <input
          {...props}
          value={typeof p.draft[path] === "string" ? (p.draft[path] as string) : ""}
          readOnly={p.readOnly}
          autocomplete="off"
          onInput={(e) => {
            p.change(path === "name" ? { ...p.draft, name: e.currentTarget.value } : withMember(p.draft, path, e.currentTarget.value || undefined));
            p.marks.touch(path);
          }}
          onBlur={() => p.marks.touch(path)}
        />
      )}
    />
  );
}

function General({ p, tenant, storages }: { p: PanelProps; tenant: Tenant | null; storages: Storage[] }) {
  return (
    <>
      <Text p={p} path="name" title={t("tenant.name")} required />
      <Field path="id" title={t("tenant.id")} help={tenant ? t("tenant.id.help") : t("tenant.id.new")} control={(props) => <output {...props}>{tenant ? <Copy text={tenant.id} title={t("tenant.id")} /> : "–"}</output>} />
      <Text p={p} path="subscription" title={t("tenant.subscription")} help={t("tenant.subscription.help")} />
      <Field
        path="storage"
        title={t("tenant.storage")}
        help={t("tenant.storage.help")}
        error={p.marks.error("storage")}
        control={(props) => (
          <select
            {...props}
            disabled={p.readOnly}
            value={typeof p.draft["storage"] === "string" ? p.draft["storage"] : ""}
            onChange={(e) => {
              p.change(withMember(p.draft, "storage", e.currentTarget.value || undefined));
              p.marks.touch("storage");
            }}
          >
            <option value="">{t("tenant.storage.default")}</option>
            {storages.map((s) => (
              <option key={s.name} value={s.name}>
                {s.name}
              </option>
            ))}
          </select>
        )}
      />
      {tenant && (
        <p class="help">
          {t("tenant.changed", { when: time(tenant.changed), who: tenant.changed_by })} {tenant.read_only && t("tenant.of_file")}
        </p>
      )}
    </>
  );
}

function apiSchema(): Schema {
  return {
    type: "object",
    properties: {
      auth: { type: "string", title: t("tenant.api.auth"), description: t("tenant.api.auth.help"), enum: ["off", "basic", "none"], default: "off", "x-order": 0 },
      user: { type: "string", title: t("user"), "x-order": 1 },
      password: { type: "string", title: t("password"), "x-secret": true, "x-order": 2 },
    },
  };
}

function Messaging({ p, connectors, channels, problems }: { p: PanelProps; connectors: Connector[]; channels: Channel[]; problems: ProblemItem[] }) {
  const list = (p.draft["channels"] as Doc[] | undefined) ?? [];
  const networks = connectors.filter((c) => c.side === "network");
  const [adding, setAdding] = useState(networks[0]?.name ?? "");
  const put = (next: Doc[]) => p.change({ ...p.draft, channels: next });
  const add = () => {
    const type = adding;
    if (!type) return;
    const names = new Set(list.map((c) => c["name"] ?? c["type"]));
    let name = type;
    for (let n = 2; names.has(name); n++) name = `${type}-${n}`;
    put([...list, { type, name }]);
  };
  return (
    <>
      {problems
        .filter((x) => x.field === "channels")
        .map((x) => (
          <p class="failed" role="alert" key={x.message}>
            {x.message}
          </p>
        ))}
      {list.map((channel, i) => (
        <Account
          key={`${i}-${String(channel["type"])}`}
          p={p}
          base={baseOf(connectors)}
          path={`channels[${i}]`}
          account={channel}
          type={connectors.find((c) => c.name === channel["type"])}
          at={channels.find((c) => c.side === "network" && c.name === (channel["name"] ?? channel["type"]))}
          change={(next) => put(list.map((c, k) => (k === i ? next : c)))}
          remove={() => put(list.filter((_, k) => k !== i))}
        />
      ))}
      {!p.readOnly && (
        <div class="adder">
          <select aria-label={t("channel.type")} value={adding} onChange={(e) => setAdding(e.currentTarget.value)} data-testid="channel-type">
            {networks.map((c) => (
              <option key={c.name} value={c.name}>
                {c.title}
              </option>
            ))}
          </select>
          <button type="button" class="secondary" onClick={add} data-testid="channel-add">
            {t("channel.add")}
          </button>
        </div>
      )}
    </>
  );
}

/* The webhooks' addresses begin with the hub's public one. */
function baseOf(connectors: Connector[]): string {
  const hook = connectors.find((c) => c.webhook)?.webhook;
  return hook ? new URL(hook).origin : location.origin;
}

/* What the hub knows of an account at work: its addresses, whether its vendor took it. */
function AtWork({ account, at, type, base }: { account: Doc; at: Channel | undefined; type: Connector; base: string }) {
  const hook = at ? at.webhook : type.webhook;
  const manifest = at ? at.manifest : type.manifest;
  const now = at && standing([at]);
  const links = vendorLinks(type.name, account);
  const flow = sampleFlow(type.name);
  const qr = guestLink(type.name, account);
  const tag = type.name === "webchat" ? chatTag(account, base) : null;
  const setUp = async () => {
    try {
      await api("POST", `/channels/${encodeURIComponent(at!.id)}/setup`);
      say(t("channel.asked"));
    } catch (e) {
      say(explain(e));
    }
  };
  return (
    <aside class="at-work">
      {hook && (
        <div>
          <span class="label">{t("channel.webhook")}</span>
          <Copy text={hook} title={t("channel.webhook")} />
          <small class="help">{t("channel.webhook.help")}</small>
        </div>
      )}
      {manifest && (
        <div>
          <span class="label">{t("channel.manifest")}</span>
          <Copy text={manifest} title={t("channel.manifest")} />
          <small class="help">{t("channel.manifest.help")}</small>
        </div>
      )}
      {now && (
        <p>
          <Badge kind={now.kind}>{now.text}</Badge> {at.why && <span class="why">{at.why}</span>}{" "}
          {!at.set_up && (
            <button type="button" class="secondary small" onClick={() => void setUp()}>
              {t("channel.ask_again")}
            </button>
          )}{" "}
          {at.side === "network" && <a href={href("doctor", at.id)}>{t("doctor.title")}</a>}
        </p>
      )}
      {links.length > 0 && (
        <p>
          {links.map((l) => (
            <a key={l.href} href={l.href} target="_blank" rel="noopener noreferrer">
              {t("vendor.console", { name: l.name })}
            </a>
          ))}
        </p>
      )}
      {flow && (
        <p>
          <a href={flow.href} download={flow.file} data-testid="sample-flow">
            {t("channel.flow")}
          </a>
        </p>
      )}
      {tag && (
        <div>
          <span class="label">{t("channel.tag")}</span>
          <Copy text={tag} title={t("channel.tag")} />
        </div>
      )}
      {qr && (
        <figure class="qr">
          <QrCode text={qr} title={t("channel.qr")} />
          <figcaption>
            {t("channel.qr")} <code>{qr}</code>
          </figcaption>
        </figure>
      )}
    </aside>
  );
}

interface AccountProps {
  p: PanelProps;
  base: string; // how networks and sites reach this hub
  path: string;
  account: Doc;
  type: Connector | undefined;
  at: Channel | undefined;
  change: (next: Doc) => void;
  remove?: () => void;
}
function Account({ p, base, path, account, type, at, change, remove }: AccountProps) {
  if (!type) return <p class="failed">{t("channel.unknown", { name: String(account["type"]) })}</p>;
  const drop = async () => {
    if (await ask({ title: t("channel.remove"), text: t("channel.remove.text", { name: type.title }), yes: t("remove"), danger: true })) remove?.();
  };
  return (
    <article class="account" data-testid={`account-${path}`}>
      {remove && (
        <header>
          <h2>{type.title}</h2>
          {!p.readOnly && (
            <button type="button" class="secondary small" onClick={() => void drop()}>
              {t("channel.remove")}
            </button>
          )}
        </header>
      )}
      <AtWork account={account} at={at} type={type} base={base} />
      {remove && (
        <Field
          path={`${path}.name`}
          title={t("channel.name")}
          help={t("channel.name.help")}
          error={p.marks.error(`${path}.name`)}
          control={(props) => (
            <input
              {...props}
              value={typeof account["name"] === "string" ? account["name"] : ""}
              readOnly={p.readOnly}
              onInput={(e) => {
                change(withMember(account, "name", e.currentTarget.value || undefined));
                p.marks.touch(`${path}.name`);
              }}
            />
          )}
        />
      )}
      <SettingsForm schema={type.schema} value={account} path={path} readOnly={p.readOnly} marks={p.marks} change={change} />
    </article>
  );
}

function Desk({ p, connectors, channels }: { p: PanelProps; connectors: Connector[]; channels: Channel[] }) {
  const desk = (p.draft["desk"] as Doc | undefined) ?? {};
  const desks = connectors.filter((c) => c.side === "desk");
  const type = desks.find((c) => c.name === desk["type"]);
  return (
    <>
      <Field
        path="desk"
        title={t("desk.type")}
        required
        error={p.marks.error("desk") ?? p.marks.error("desk.type")}
        control={(props) => (
          <select
            {...props}
            disabled={p.readOnly}
            value={typeof desk["type"] === "string" ? desk["type"] : ""}
            onChange={(e) => {
              p.change(withMember(p.draft, "desk", e.currentTarget.value ? { type: e.currentTarget.value } : undefined));
              p.marks.touch("desk");
            }}
          >
            <option value="">{t("choose")}</option>
            {desks.map((c) => (
              <option key={c.name} value={c.name}>
                {c.title}
              </option>
            ))}
          </select>
        )}
      />
      {type && (
        <Account key={type.name} p={p} base={baseOf(connectors)} path="desk" account={desk} type={type} at={channels.find((c) => c.side === "desk")} change={(next) => p.change({ ...p.draft, desk: next })} />
      )}
      <Pairs
        title={t("tenant.custom_data")}
        help={t("tenant.custom_data.help")}
        value={p.draft["custom_data"]}
        path="custom_data"
        readOnly={p.readOnly}
        marks={p.marks}
        change={(v) => p.change(withMember(p.draft, "custom_data", v))}
      />
    </>
  );
}

/* ---- export ---------------------------------------------------------------------------------------------------------- */

function Export({ tenant, close }: { tenant: Tenant; close: () => void }) {
  const [passphrase, setPassphrase] = useState("");
  const take = async () => {
    const { value } = await api("POST", `/tenants/${tenant.id}/export`, passphrase ? { passphrase } : {});
    download(`${tenant.slug}.tenant.json`, value);
    close();
  };
  return (
    <FormModal title={t("export.title")} yes={t("export")} marks cancel={close} submit={take}>
      {(wrong) => (
        <Field
          path="passphrase"
          title={t("passphrase")}
          help={t("export.passphrase.help")}
          error={wrong("passphrase")}
          control={(props) => <input {...props} type="password" autocomplete="new-password" value={passphrase} onInput={(e) => setPassphrase(e.currentTarget.value)} />}
        />
      )}
    </FormModal>
  );
}

/* ---- the editor ------------------------------------------------------------------------------------------------------ */

function useCheck(draft: Doc, tenant: Tenant | null, dirty: boolean): { problems: ProblemItem[]; checked: boolean; set: (p: ProblemItem[]) => void } {
  const [found, set] = useState<{ problems: ProblemItem[]; checked: boolean }>({ problems: [], checked: false });
  useEffect(() => {
    if (!dirty) return set({ problems: [], checked: false });
    let wanted = true;
    const timer = setTimeout(() => {
      api<{ problems: ProblemItem[] }>("POST", "/tenants/check" + query({ tenant: tenant?.id }), bodyOf(draft)).then(
        ({ value }) => wanted && set({ problems: value.problems, checked: true }),
        (e: unknown) => wanted && e instanceof Problem && set({ problems: e.problems, checked: true }),
      );
    }, check_after_ms);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [JSON.stringify(draft), dirty]);
  return { ...found, set: (problems) => set({ problems, checked: true }) };
}

function Editor({ tenant, etag, start, connectors, storages, tab, base, loaded, again }: EditorProps) {
  const [draft, setDraft] = useState(start);
  const [touched, setTouched] = useState(new Set<string>());
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const [exporting, setExporting] = useState(false);
  const saved = useMemo(() => JSON.stringify(tenant ? draftOf(tenant) : empty), [tenant]);
  const dirty = JSON.stringify(draft) !== saved;
  const { problems, checked, set: setProblems } = useCheck(draft, tenant, dirty);
  const channels = useLoad(`channels ${tenant?.id}`, async () => (tenant ? (await get<{ items: Channel[] }>("/channels" + query({ tenant: tenant.id }))).items : []));
  useEvery(refresh_ms, channels.again);
  const readOnly = tenant?.read_only ?? false;
  const latest = useRef(draft);
  latest.current = draft;

  useGuard(
    dirty && !readOnly
      ? {
          mine: (route) => base.every((part, i) => route[i] === part),
          mayLeave: () => ask({ title: t("unsaved.title"), text: t("unsaved.text"), yes: t("unsaved.leave"), danger: true }),
        }
      : null,
  );

  const marks = marksOf(problems, touched, all, (path) => setTouched((s) => (s.has(path) ? s : new Set(s).add(path))), checked);
  const p: PanelProps = { draft, change: setDraft, marks, readOnly };
  const seen = problems.filter((x) => all || touched.has(x.field));
  const count = (name: string) => seen.filter((x) => tabOf(x.field) === name).length;
  const tabs = [
    { name: "general", title: t("tab.general"), problems: count("general") },
    { name: "api", title: t("tab.api"), problems: count("api") },
    { name: "desk", title: t("tab.desk"), problems: count("desk") },
    { name: "commander", title: t("tab.commander"), problems: count("commander") },
    { name: "messaging", title: t("tab.messaging"), problems: count("messaging") },
  ];
  const shown = tabs.some((x) => x.name === tab) ? tab : "general";

  const save = async () => {
    setBusy(true);
    setAll(true);
    setFailure("");
    const sent = JSON.stringify(latest.current);
    try {
      const body = bodyOf(latest.current);
      const r = tenant
        ? await api<Tenant>("PUT", `/tenants/${tenant.id}`, body, etag ? { "If-Match": etag } : {})
        : await api<Tenant>("POST", "/tenants", body);
      say(t("saved", { name: r.value.name }));
      if (JSON.stringify(latest.current) === sent) dropGuard();
      loaded(r.value, r.etag);
      if (!tenant) replace("tenants", r.value.id, shown);
    } catch (e) {
      const found = e instanceof Problem ? e.problems : [];
      setProblems(found);
      setFailure(e instanceof Problem && e.status === 412 ? t("save.changed") : found.length ? theirProblems : explain(e));
      const first = found[0];
      if (first && !found.some((x) => tabOf(x.field) === shown)) go(...base, tabOf(first.field));
    }
    setBusy(false);
  };
  const remove = async () => {
    if (!tenant || !(await ask({ title: t("tenant.delete"), text: t("tenant.delete.text", { name: tenant.name }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", `/tenants/${tenant.id}`, undefined, etag ? { "If-Match": etag } : {});
      say(t("tenant.deleted", { name: tenant.name }));
      leave("tenants");
    } catch (e) {
      setFailure(explain(e));
    }
  };
  return (
    <section>
      <header class="bar">
        <h1>{tenant ? tenant.name : t("tenants.new")}</h1>
        <div class="tools">
          {dirty && !readOnly && <Badge kind="busy">{t("unsaved.badge")}</Badge>}
          {tenant && (
            <>
              <a role="button" class="secondary" href={href("tenants", "copy", tenant.id)}>
                {t("duplicate")}
              </a>
              <button type="button" class="secondary" onClick={() => setExporting(true)}>
                {t("export")}
              </button>
              {!readOnly && (
                <button type="button" class="secondary" onClick={() => void remove()}>
                  {t("delete")}
                </button>
              )}
            </>
          )}
          {!readOnly && (
            <button type="button" onClick={() => void save()} disabled={busy || !dirty} aria-busy={busy} data-testid="save">
              {t("save")}
            </button>
          )}
        </div>
      </header>
      {tenant?.problem && (
        <p class="failed" role="alert">
          {tenant.problem}
        </p>
      )}
      {readOnly && <p class="note">{t("tenant.read_only")}</p>}
      {failure && (failure !== theirProblems || seen.length > 0) && (
        <p class="failed" role="alert" data-testid="failure">
          {failure === theirProblems ? t("save.problems", { n: seen.length }) : failure}{" "}
          {failure === t("save.changed") && (
            <button type="button" class="secondary small" onClick={again}>
              {t("save.reload")}
            </button>
          )}
        </p>
      )}
      {failure && seen.length > 0 && (
        <ul class="failed" data-testid="problems">
          {seen.map((x) => (
            <li key={`${x.field} ${x.message}`}>
              <a href={href(...base, tabOf(x.field))} onClick={() => setTimeout(() => document.getElementById(idOf(x.field))?.focus(), focus_after_ms)}>
                {x.field}
              </a>{" "}
              {problemText(x.message)}
            </li>
          ))}
        </ul>
      )}
      <Tabs tabs={tabs} now={shown} title={t("tenants.tabs")} choose={(name) => go(...base, name)} />
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${shown}`}>
        <form noValidate onSubmit={(e) => e.preventDefault()}>
          <fieldset class="bare" disabled={busy}>
            {shown === "general" && <General p={p} tenant={tenant} storages={storages} />}
            {shown === "api" && (
              <>
                <p class="help">{t("tenant.api.help")}</p>
                <SettingsForm
                  schema={apiSchema()}
                  value={(draft["api"] as Doc | undefined) ?? {}}
                  path="api"
                  readOnly={readOnly}
                  marks={marks}
                  change={(next) => setDraft(withMember(draft, "api", Object.keys(next).length ? next : undefined))}
                />
              </>
            )}
            {shown === "desk" && <Desk p={p} connectors={connectors} channels={channels.value ?? []} />}
            {shown === "commander" && (
              <CommanderForm
                value={(draft["commander"] as Doc | undefined) ?? {}}
                path="commander"
                ofAll={false}
                readOnly={readOnly}
                marks={marks}
                change={(next) => setDraft(withMember(draft, "commander", Object.keys(next).length ? next : undefined))}
              />
            )}
            {shown === "messaging" && <Messaging p={p} connectors={connectors} channels={channels.value ?? []} problems={seen} />}
          </fieldset>
        </form>
      </div>
      {exporting && tenant && <Export tenant={tenant} close={() => setExporting(false)} />}
    </section>
  );
}

/* A copy has another name, and no secrets: they do not leave the hub. */
function copyOf(tenant: Tenant): Doc {
  const strip = (v: Json): Json =>
    Array.isArray(v) ? v.map(strip) : typeof v === "object" && v !== null ? (Object.fromEntries(Object.entries(v).filter(([, x]) => !isSet(x) && !isHidden(x)).map(([k, x]) => [k, strip(x)])) as Doc) : v;
  const { id: _, ...rest } = draftOf(tenant);
  return { ...(strip(rest) as Doc), name: t("copy_of", { name: tenant.name }) };
}
function isHidden(v: Json): boolean {
  return typeof v === "object" && v !== null && !Array.isArray(v) && Object.keys(v).length === 1 && "set" in v;
}

interface Read {
  tenant: Tenant | null;
  etag: string | null;
  start: Doc;
  connectors: Connector[];
  storages: Storage[];
}
export function TenantPage({ route }: { route: string[] }) {
  const copying = route[1] === "copy" ? route[2] : undefined;
  const id = copying ?? route[1] ?? "new";
  const [turn, setTurn] = useState(0);
  const [fresh, setFresh] = useState<{ id: string; tenant: Tenant; etag: string | null } | null>(null);
  const read = useLoad(`${route[1] === "copy" ? "copy " : ""}${id} ${turn}`, async (): Promise<Read> => {
    const [{ items: connectors }, { items: storages }] = await Promise.all([get<{ items: Connector[] }>("/connectors"), get<{ items: Storage[] }>("/storages")]);
    const known = { connectors, storages };
    if (id === "new") return { tenant: null, etag: null, start: empty, ...known };
    const { value, etag } = await api<Tenant>("GET", `/tenants/${encodeURIComponent(id)}`);
    return copying ? { tenant: null, etag: null, start: copyOf(value), ...known } : { tenant: value, etag, start: draftOf(value), ...known };
  });
  return (
    <Loading of={read}>
      {(r) => {
        const known = fresh && fresh.id === (r.tenant?.id ?? "new") && !copying ? { ...r, tenant: fresh.tenant, etag: fresh.etag, start: draftOf(fresh.tenant) } : r;
        return (
          <Editor
            key={`${known.tenant?.id ?? id} ${known.tenant?.rev ?? 0} ${copying ?? ""} ${turn}`}
            {...known}
            base={copying ? ["tenants", "copy", copying] : ["tenants", id]}
            tab={(copying ? route[3] : route[2]) ?? "general"}
            loaded={(tenant, etag) => setFresh({ id: tenant.id, tenant, etag })}
            again={() => {
              setFresh(null);
              dropGuard();
              setTurn((n) => n + 1);
            }}
          />
        );
      }}
    </Loading>
  );
}
