// comm.tsx - contacts: find one, read what was said over all networks, write to them, put right what the hub could not know.
import { useEffect, useState } from "preact/hooks";
import { api, authorization, get, query, root } from "../console/api";
import { FormModal } from "../console/form_modal";
import { go, href, useRoute } from "../console/router";
import { ask, Badge, explain, Field, Loading, Pager, say as tell, Search, useLoad, usePages } from "../console/ui";
import { About, begin, History, networkOf, Start } from "./contact";
import { t } from "./i18n";
import { state, useDesk } from "./state";
import type { Contact, Found } from "./types";

const contacts_shown = 30;
const path = (id: string, rest = "") => `/contacts/${encodeURIComponent(id)}${rest}`;

/* ---- changing -------------------------------------------------------------------------------------------------------------------- */

const listOf = (text: string) => text.split(/[,;\n]/).map((x) => x.trim()).filter(Boolean);

function Edit({ contact, tenant, close, saved }: { contact: Contact | null; tenant: string; close: () => void; saved: (c: Contact) => void }) {
  const [name, setName] = useState(contact?.name ?? "");
  const [phones, setPhones] = useState(contact?.phones.join(", ") ?? "");
  const [emails, setEmails] = useState(contact?.emails.join(", ") ?? "");
  const [attributes, setAttributes] = useState<[string, string][]>(Object.entries(contact?.attributes ?? {}));
  const save = async () => {
    const body = { name: name.trim(), phones: listOf(phones), emails: listOf(emails), attributes: Object.fromEntries(attributes.filter(([k]) => k.trim()).map(([k, v]) => [k.trim(), v])) };
    const { value } = contact ? await api<Contact>("PUT", path(contact.id), body) : await api<Contact>("POST", "/contacts", { ...body, ...(tenant ? { tenant } : {}) });
    saved(value);
  };
  const pair = (k: number, next: [string, string]) => setAttributes(attributes.map((x, at) => (at === k ? next : x)));
  return (
    <FormModal title={t(contact ? "contact.edit" : "contact.new")} testid="contact-save" cancel={close} submit={save}>
      {(wrong) => (
        <>
          <Field path="name" title={t("contact.name")} required error={wrong("name")} control={(props) => <input {...props} autofocus required dir="auto" value={name} onInput={(e) => setName(e.currentTarget.value)} />} />
          <Field path="phones" title={t("contact.phones")} help={t("contact.many")} error={wrong("phones")} control={(props) => <input {...props} inputMode="tel" value={phones} onInput={(e) => setPhones(e.currentTarget.value)} />} />
          <Field path="emails" title={t("contact.emails")} help={t("contact.many")} error={wrong("emails")} control={(props) => <input {...props} inputMode="email" value={emails} onInput={(e) => setEmails(e.currentTarget.value)} />} />
          <fieldset>
            <legend>{t("contact.attributes")}</legend>
            {attributes.map(([k, v], at) => (
              <div key={at} class="pair">
                <input aria-label={t("contact.attribute")} dir="auto" value={k} onInput={(e) => pair(at, [e.currentTarget.value, v])} />
                <input aria-label={t("contact.value")} dir="auto" value={v} onInput={(e) => pair(at, [k, e.currentTarget.value])} />
                <button type="button" class="secondary small" aria-label={t("contact.attribute_remove", { name: k })} onClick={() => setAttributes(attributes.filter((_, n) => n !== at))}>
                  ×
                </button>
              </div>
            ))}
            <button type="button" class="secondary small" onClick={() => setAttributes([...attributes, ["", ""]])}>
              {t("contact.attribute_add")}
            </button>
          </fieldset>
        </>
      )}
    </FormModal>
  );
}

function Merge({ contact, close, merged }: { contact: Contact; close: () => void; merged: (c: Contact) => void }) {
  const [q, setQ] = useState(contact.name);
  const [chosen, set] = useState("");
  const list = useLoad(`merge ${q}`, () => get<Found<Contact>>("/contacts" + query({ q, limit: contacts_shown })));
  const merge = async () => merged((await api<Contact>("POST", path(contact.id, "/merge"), { with: chosen })).value);
  return (
    <FormModal title={t("merge.title", { name: contact.name })} yes={t("merge")} testid="merge-yes" off={!chosen} cancel={close} submit={merge}>
      {() => (
        <>
          <p class="help">{t("merge.help")}</p>
          <Search title={t("search")} value={q} change={setQ} />
          <Loading of={list}>
            {(found) => (
              <ul class="picks">
                {found.items
                  .filter((c) => c.id !== contact.id)
                  .map((c) => (
                    <li key={c.id}>
                      <label>
                        <input type="radio" name="with" value={c.id} checked={chosen === c.id} onChange={() => set(c.id)} />
                        <bdi>{c.name}</bdi> <span class="help">{[...c.phones, ...c.emails, ...c.identities.map(networkOf)].join(" · ")}</span>
                      </label>
                    </li>
                  ))}
              </ul>
            )}
          </Loading>
        </>
      )}
    </FormModal>
  );
}

function Split({ contact, close, split }: { contact: Contact; close: () => void; split: (c: Contact) => void }) {
  const [chosen, set] = useState<string[]>([]);
  const go_on = async () => split((await api<Contact>("POST", path(contact.id, "/split"), { identities: chosen })).value);
  return (
    <FormModal title={t("split.title", { name: contact.name })} yes={t("split")} off={!chosen.length || chosen.length === contact.identities.length} cancel={close} submit={go_on}>
      {() => (
        <>
          <p class="help">{t("split.help")}</p>
          <fieldset>
            <legend>{t("contact.identities")}</legend>
            {contact.identities.map((x) => (
              <label key={x.conversation}>
                <input type="checkbox" checked={chosen.includes(x.conversation)} onChange={(e) => set(e.currentTarget.checked ? [...chosen, x.conversation] : chosen.filter((y) => y !== x.conversation))} />
                {networkOf(x)} · <bdi>{x.name || x.guest}</bdi>
              </label>
            ))}
          </fieldset>
        </>
      )}
    </FormModal>
  );
}

/** The answer as a file, whatever it is called. */
async function save(contact: Contact): Promise<void> {
  const r = await fetch(root + path(contact.id, "/export"), { headers: authorization(), credentials: "same-origin" });
  if (!r.ok) throw new Error(String(r.status));
  const a = document.createElement("a");
  a.href = URL.createObjectURL(await r.blob());
  a.download = `${contact.id}.${/zip/.test(r.headers.get("Content-Type") ?? "") ? "zip" : "json"}`;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60000);
}

/* ---- one ------------------------------------------------------------------------------------------------------------------------- */

function One({ id, tenant, changed, show }: { id: string; tenant: string; changed: () => void; show: (interaction: string) => void }) {
  const [open, setOpen] = useState<"" | "edit" | "merge" | "split" | "start">("");
  const contact = useLoad(path(id), () => get<Contact>(path(id)));
  const role = state.me?.role;
  const then = (c: Contact) => {
    setOpen("");
    changed();
    if (c.id === id) contact.again();
    else go("contact", c.id);
  };
  const erase = async (c: Contact) => {
    if (!(await ask({ title: t("erase.title", { name: c.name }), text: t("erase.text"), yes: t("erase"), danger: true }))) return;
    try {
      await api("DELETE", path(id));
      tell(t("erase.done"));
      changed();
      go();
    } catch (e) {
      tell(explain(e));
    }
  };
  return (
    <Loading of={contact}>
      {(c) => (
        <section class="contact-page" aria-label={c.name} data-testid="contact-page">
          <header class="bar">
            <h2>
              <a class="back" href={href()} aria-label={t("contacts")}>
                ←
              </a>{" "}
              <bdi data-testid="contact-name">{c.name || t("guest")}</bdi>
            </h2>
            <span class="tools">
              <button type="button" class="small" onClick={() => setOpen("start")} data-testid="start">
                {t("start.title")}
              </button>
              <button type="button" class="secondary small" onClick={() => setOpen("edit")} data-testid="edit">
                {t("contact.edit")}
              </button>
              <button type="button" class="secondary small" onClick={() => setOpen("merge")} data-testid="merge">
                {t("merge")}
              </button>
              {c.identities.length > 1 && (
                <button type="button" class="secondary small" onClick={() => setOpen("split")}>
                  {t("split")}
                </button>
              )}
              {role === "administrator" && (
                <button type="button" class="secondary small" onClick={() => void save(c).catch((e: unknown) => tell(explain(e)))} data-testid="export">
                  {t("export")}
                </button>
              )}
              {role === "administrator" && (
                <button type="button" class="danger small" onClick={() => void erase(c)} data-testid="erase">
                  {t("erase")}
                </button>
              )}
            </span>
          </header>
          <div class="halves">
            <div class="half">
              <History key={c.id} contact={c} />
            </div>
            <aside class="side" aria-label={t("about")}>
              <About contact={c} write={(x) => void begin({ conversation: x.conversation }, show).catch((e: unknown) => tell(explain(e)))} />
            </aside>
          </div>
          {open === "edit" && <Edit contact={c} tenant={tenant} close={() => setOpen("")} saved={then} />}
          {open === "merge" && <Merge contact={c} close={() => setOpen("")} merged={then} />}
          {open === "split" && <Split contact={c} close={() => setOpen("")} split={then} />}
          {open === "start" && <Start tenant={tenant} contact={c} show={show} close={() => setOpen("")} />}
        </section>
      )}
    </Loading>
  );
}

/* ---- list ------------------------------------------------------------------------------------------------------------------------ */

export function Comm({ tenant, show }: { tenant: string; show: (interaction: string) => void }) {
  useDesk();
  const route = useRoute();
  const id = route[0] === "contact" ? route[1] : undefined;
  const [q, setQ] = useState("");
  const [open, setOpen] = useState<"" | "new" | "start">("");
  const pages = usePages();
  const list = useLoad(`contacts ${q} ${pages.after} ${tenant}`, () => get<Found<Contact>>("/contacts" + query({ q, limit: contacts_shown, after: pages.after, tenant })));
  const heard = [...state.interactions.keys()].length;
  useEffect(() => {
    if (heard) list.again(); // somebody new may have written
  }, [heard]);
  return (
    <div class={`desk ${id ? "one" : ""}`}>
      <div class="list" role="navigation" aria-label={t("contacts")}>
        <Search
          title={t("contact.search")}
          value={q}
          change={(text) => {
            pages.first();
            setQ(text);
          }}
        />
        <div class="tools">
          <button type="button" class="small" onClick={() => setOpen("start")} data-testid="start-new">
            {t("start.title")}
          </button>
          <button type="button" class="secondary small" onClick={() => setOpen("new")} data-testid="contact-new">
            {t("contact.new")}
          </button>
        </div>
        <Loading of={list}>
          {(found) =>
            found.items.length ? (
              <>
                <ul class="conversations" data-testid="contacts">
                  {found.items.map((c) => (
                    <li key={c.id}>
                      <a href={href("contact", c.id)} aria-current={c.id === id ? "true" : undefined} data-testid="contact">
                        <span class="line">
                          <strong dir="auto">{c.name || t("guest")}</strong>
                        </span>
                        <span class="help">
                          {[...new Set(c.identities.map(networkOf))].map((n) => (
                            <Badge key={n} kind="plain">
                              {n}
                            </Badge>
                          ))}{" "}
                          <bdi>{[...(c.phones ?? []), ...(c.emails ?? [])].join(" · ")}</bdi>
                        </span>
                      </a>
                    </li>
                  ))}
                </ul>
                <Pager pages={pages} next={found.next ?? null} />
              </>
            ) : (
              <p>{q ? t("nothing_found") : t("contact.nobody")}</p>
            )
          }
        </Loading>
      </div>
      {id ? <One key={id} id={id} tenant={tenant} changed={list.again} show={show} /> : <p class="list-hint help">{t("contact.choose")}</p>}
      {open === "new" && (
        <Edit
          contact={null}
          tenant={tenant}
          close={() => setOpen("")}
          saved={(c) => {
            setOpen("");
            list.again();
            go("contact", c.id);
          }}
        />
      )}
      {open === "start" && <Start tenant={tenant} show={show} close={() => setOpen("")} />}
    </div>
  );
}
