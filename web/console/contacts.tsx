// contacts.tsx - who the guests are: search, one contact with its addresses, its conversations and what was said with it over all networks.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, get, listen, Problem, query } from "./api";
import { stateKind, stateText } from "./conversations";
import { t, time, word } from "./i18n";
import { dropGuard, go, href, useGuard } from "./router";
import type { Contact, Me, Message, Page } from "./types";
import { ask, Badge, download, explain, Field, Loading, Modal, Pager, say, Search, useEvery, useLoad, usePages, useThrottle } from "./ui";

const throttle_ms = 1000;
const refresh_ms = 30000; // where no event comes through
const contacts_shown = 30;
const messages_shown = 30;

const path = (id: string) => `/contacts/${encodeURIComponent(id)}`;
const networks = (c: Contact) => [...new Set(c.identities.map((i) => i.network_title || i.channel))].join(", ");
const lines = (text: string) => text.split(/[\n,;]/).map((x) => x.trim()).filter(Boolean);

/* ---- what is known, and can be changed --------------------------------------------------------------------------------- */

type Pairs = [string, string][];
interface Draft {
  name: string;
  phones: string;
  emails: string;
  attributes: Pairs;
}
const draftOf = (c: Contact): Draft => ({ name: c.name, phones: c.phones.join("\n"), emails: c.emails.join("\n"), attributes: Object.entries(c.attributes) });

function Attributes({ pairs, change }: { pairs: Pairs; change: (next: Pairs) => void }) {
  const set = (i: number, pair: [string, string]) => change(pairs.map((p, k) => (k === i ? pair : p)));
  return (
    <fieldset data-testid="attributes">
      <legend>{t("contact.attributes")}</legend>
      {pairs.map(([key, value], i) => (
        <div class="pair" key={i}>
          <input aria-label={`${t("contact.attribute")} ${i + 1}`} value={key} onInput={(e) => set(i, [e.currentTarget.value, value])} />
          <input aria-label={`${t("contact.value")} ${i + 1}`} value={value} onInput={(e) => set(i, [key, e.currentTarget.value])} />
          <button type="button" class="secondary small" aria-label={`${t("remove")}: ${key || i + 1}`} onClick={() => change(pairs.filter((_, k) => k !== i))}>
            {t("remove")}
          </button>
        </div>
      ))}
      <button type="button" class="secondary small" data-testid="attribute-add" onClick={() => change([...pairs, ["", ""]])}>
        {t("contact.attribute_add")}
      </button>
    </fieldset>
  );
}

function Facts({ contact, saved }: { contact: Contact; saved: () => void }) {
  const [start, setStart] = useState(contact);
  const [draft, setDraft] = useState<Draft>(draftOf(contact));
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState("");
  const dirty = JSON.stringify(draft) !== JSON.stringify(draftOf(start));
  useEffect(() => {
    if (dirty || contact.rev === start.rev) return; // what is being typed stays; saving then says that somebody else was faster
    setStart(contact);
    setDraft(draftOf(contact));
  }, [contact.rev]);
  useGuard(dirty ? { mine: () => false, mayLeave: () => ask({ title: t("unsaved.title"), text: t("unsaved.text"), yes: t("unsaved.leave"), danger: true }) } : null);
  const save = async () => {
    setWrong({});
    setFailure("");
    try {
      const body = { name: draft.name, phones: lines(draft.phones), emails: lines(draft.emails), attributes: Object.fromEntries(draft.attributes.filter(([k]) => k.trim())) };
      const { value } = await api<Contact>("PUT", path(start.id), body, { "If-Match": `"${start.rev}"` });
      setStart(value);
      setDraft(draftOf(value));
      dropGuard();
      say(t("contact.saved"));
      saved();
    } catch (e) {
      const found = e instanceof Problem ? e.problems : [];
      setWrong(Object.fromEntries(found.map((p) => [p.field.replace(/\[.*/, ""), p.message])));
      setFailure(e instanceof Problem && e.status === 412 ? t("save.changed") : found.length ? t("save.problems", { n: found.length }) : explain(e));
    }
  };
  const reload = () => {
    setStart(contact);
    setDraft(draftOf(contact));
    setFailure("");
  };
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void save();
      }}
    >
      {failure && (
        <p class="failed" role="alert" data-testid="failure">
          {failure}{" "}
          {failure === t("save.changed") && (
            <button type="button" class="secondary small" onClick={reload}>
              {t("save.reload")}
            </button>
          )}
        </p>
      )}
      <Field path="name" title={t("name")} help={t("contact.name.help")} error={wrong["name"]} control={(props) => <input {...props} value={draft.name} onInput={(e) => setDraft({ ...draft, name: e.currentTarget.value })} />} />
      <Field path="phones" title={t("contact.phones")} help={t("contact.lines.help")} error={wrong["phones"]} control={(props) => <textarea {...props} rows={2} value={draft.phones} onInput={(e) => setDraft({ ...draft, phones: e.currentTarget.value })} />} />
      <Field path="emails" title={t("contact.emails")} help={t("contact.lines.help")} error={wrong["emails"]} control={(props) => <textarea {...props} rows={2} value={draft.emails} onInput={(e) => setDraft({ ...draft, emails: e.currentTarget.value })} />} />
      <Attributes pairs={draft.attributes} change={(attributes) => setDraft({ ...draft, attributes })} />
      <button type="submit" disabled={!dirty} data-testid="save">
        {t("save")}
      </button>
    </form>
  );
}

/* ---- merge and split ----------------------------------------------------------------------------------------------------- */

function Merge({ contact, close }: { contact: Contact; close: (merged: boolean) => void }) {
  const [q, setQ] = useState("");
  const found = useLoad(`merge ${q}`, () => get<Page<Contact>>("/contacts" + query({ q, tenant: contact.tenant, limit: 10 })));
  const merge = async (other: Contact) => {
    try {
      await api<Contact>("POST", path(contact.id) + "/merge", { with: other.id });
      say(t("contact.merged"));
      close(true);
    } catch (e) {
      say(explain(e));
    }
  };
  return (
    <Modal title={t("contact.merge.title", { name: contact.name })} close={() => close(false)}>
      <p>{t("contact.merge.text")}</p>
      <Search title={t("search")} value={q} change={setQ} />
      <Loading of={found}>
        {(page) => (
          <ul class="conversations">
            {page.items
              .filter((c) => c.id !== contact.id)
              .map((c) => (
                <li key={c.id}>
                  <button type="button" class="secondary" data-testid="merge-with" onClick={() => void merge(c)}>
                    {c.name} · {networks(c)}
                  </button>
                </li>
              ))}
          </ul>
        )}
      </Loading>
    </Modal>
  );
}

function Identities({ contact, again }: { contact: Contact; again: () => void }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const split = async () => {
    if (!(await ask({ title: t("contact.split"), text: t("contact.split.text"), yes: t("contact.split") }))) return;
    try {
      const { value } = await api<Contact>("POST", path(contact.id) + "/split", { identities: chosen });
      say(t("contact.was_split"));
      setChosen([]);
      again();
      go("contacts", value.id);
    } catch (e) {
      say(explain(e));
    }
  };
  return (
    <section aria-label={t("contact.identities")}>
      <h3>{t("contact.identities")}</h3>
      <ul class="letters">
        {contact.identities.map((i) => (
          <li key={i.conversation} data-testid="identity">
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(i.conversation)}
                disabled={contact.identities.length < 2}
                onChange={(e) => setChosen(e.currentTarget.checked ? [...chosen, i.conversation] : chosen.filter((x) => x !== i.conversation))}
              />
              {i.name || i.guest} <span class="help">{i.channel}</span> <Badge kind="plain">{word("matched", i.matched)}</Badge>
            </label>{" "}
            <a href={href("conversations", i.conversation)}>{t("letters.conversation")}</a>
          </li>
        ))}
      </ul>
      {contact.identities.length > 1 && (
        <button type="button" class="secondary small" data-testid="split" disabled={!chosen.length || chosen.length === contact.identities.length} onClick={() => void split()}>
          {t("contact.split")}
        </button>
      )}
    </section>
  );
}

/* ---- what was said -------------------------------------------------------------------------------------------------------- */

function History({ contact }: { contact: Contact }) {
  const [q, setQ] = useState("");
  const pages = usePages();
  const key = contact.identities.map((i) => i.conversation).join();
  const messages = useLoad(`said ${contact.id} ${key} ${q} ${pages.after}`, () => get<Page<Message>>(path(contact.id) + "/messages" + query({ q, limit: messages_shown, before: pages.after })));
  const refresh = useThrottle(() => messages.again(), throttle_ms);
  useEffect(() => listen("conversation", (e) => contact.identities.some((i) => i.conversation === (e as { id: string }).id) && refresh()), [key]);
  return (
    <section aria-label={t("contact.history")}>
      <h3>{t("contact.history")}</h3>
      <Search
        title={t("search.messages")}
        value={q}
        change={(text) => {
          pages.first();
          setQ(text);
        }}
      />
      <Loading of={messages}>
        {(page) =>
          page.items.length ? (
            <>
              <ul class="letters" data-testid="contact-history">
                {page.items.map((m) => (
                  <li key={m.id} class={m.way} data-testid="said">
                    <span class="help">
                      <time dateTime={m.at}>{time(m.at)}</time> {m.way === "out" ? "→" : "←"} {m.conversation.split(":")[0]}
                    </span>{" "}
                    <Badge kind={stateKind(m.state)}>{stateText(m)}</Badge>{" "}
                    <a href={href("conversations", m.conversation, String(m.id))} aria-label={`${t("trace.title")} ${m.id}`}>
                      {t("trace.title")}
                    </a>
                    <p class="text">{m.text || <em>{word("kind", m.kind)}</em>}</p>
                  </li>
                ))}
              </ul>
              <Pager pages={pages} next={page.next} />
            </>
          ) : (
            <p>{q ? t("nothing_found") : t("conversations.none")}</p>
          )
        }
      </Loading>
    </section>
  );
}

/* ---- one contact ------------------------------------------------------------------------------------------------------------ */

function One({ id, me, changed }: { id: string; me: Me; changed: () => void }) {
  const contact = useLoad(`contact ${id}`, () => get<Contact>(path(id)));
  const [merging, setMerging] = useState(false);
  const refresh = useThrottle(() => contact.again(), throttle_ms);
  const shown = useRef("");
  shown.current = contact.value?.id ?? id;
  useEffect(() => listen("contact", (e) => [shown.current, undefined].includes((e as { id?: string }).id) && refresh()), [id]);
  const again = () => {
    contact.again();
    changed();
  };
  const take = async (c: Contact) => {
    try {
      download(`contact-${c.id}.json`, await get<unknown>(path(c.id) + "/export"));
    } catch (e) {
      say(explain(e));
    }
  };
  const erase = async (c: Contact) => {
    if (!(await ask({ title: t("contact.erase.title", { name: c.name }), text: t("contact.erase.text", { n: c.identities.length }), yes: t("contact.erase"), danger: true }))) return;
    try {
      await api("DELETE", path(c.id));
      dropGuard();
      say(t("contact.erased"));
      changed();
      go("contacts");
    } catch (e) {
      say(explain(e));
    }
  };
  return (
    <Loading of={contact}>
      {(c) => (
        <div class="transcript-page" data-testid="contact-page">
          <header class="bar">
            <h2>
              <a class="back" href={href("contacts")} aria-label={t("contacts.title")}>
                ←
              </a>{" "}
              {c.name}
            </h2>
            <div class="tools">
              <button type="button" class="secondary small" data-testid="merge" onClick={() => setMerging(true)}>
                {t("contact.merge")}
              </button>
              {me.role === "administrator" && (
                <>
                  <button type="button" class="secondary small" data-testid="contact-export" onClick={() => void take(c)}>
                    {t("export")}
                  </button>
                  <button type="button" class="danger small" data-testid="contact-erase" onClick={() => void erase(c)}>
                    {t("contact.erase")}
                  </button>
                </>
              )}
            </div>
          </header>
          <p class="help">
            {c.tenant} · {t("contact.since", { when: time(new Date(c.created_ms).toISOString()) })}
          </p>
          <Facts key={c.id} contact={c} saved={again} />
          <Identities contact={c} again={again} />
          <History contact={c} />
          {merging && (
            <Merge
              contact={c}
              close={(merged) => {
                setMerging(false);
                if (merged) again();
              }}
            />
          )}
        </div>
      )}
    </Loading>
  );
}

export function Contacts({ route, me }: { route: string[]; me: Me }) {
  const id = route[1];
  const [q, setQ] = useState("");
  const pages = usePages();
  const list = useLoad(`contacts ${q} ${pages.after}`, () => get<Page<Contact>>("/contacts" + query({ q, limit: contacts_shown, after: pages.after })));
  const refresh = useThrottle(() => list.again(), throttle_ms);
  useEvery(refresh_ms, list.again);
  useEffect(() => listen("contact", refresh), []);
  return (
    <section class={`split ${id ? "one" : ""}`}>
      <div class="list">
        <header class="bar">
          <h1>{t("contacts.title")}</h1>
          <Search
            title={t("contacts.search")}
            value={q}
            change={(text) => {
              pages.first();
              setQ(text);
            }}
          />
        </header>
        <Loading of={list}>
          {(page) =>
            page.items.length ? (
              <>
                <ul class="conversations" data-testid="contacts">
                  {page.items.map((c) => (
                    <li key={c.id}>
                      <a href={href("contacts", c.id)} aria-current={c.id === id ? "true" : undefined} data-testid="contact">
                        <strong>{c.name}</strong>
                        <span class="help">
                          {[networks(c), c.tenant].filter(Boolean).join(" · ")}
                        </span>
                        <span class="text">{[...c.phones, ...c.emails].join(", ")}</span>
                      </a>
                    </li>
                  ))}
                </ul>
                <Pager pages={pages} next={page.next} />
              </>
            ) : (
              <p>{q ? t("nothing_found") : t("contacts.none")}</p>
            )
          }
        </Loading>
      </div>
      {id ? <One key={id} id={id} me={me} changed={list.again} /> : <p class="list-hint help">{t("contacts.choose")}</p>}
    </section>
  );
}
