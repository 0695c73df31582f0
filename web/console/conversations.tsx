// conversations.tsx - what is being said: the latest conversations, live, and one of them as a transcript with what became of each message.
//
// Bounded  one page of conversations and one window of messages are kept, however long the page stays open; events only say "read it again", and that is
//          done at most once a second.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, get, listen, query } from "./api";
import { clockOrDay, number, t, time, word } from "./i18n";
import { go, href } from "./router";
import type { Conversation, Json, Me, Message, Note, Page } from "./types";
import { Badge, explain, Failed, Loading, Pager, say, Search, useEvery, useLoad, usePages, useThrottle } from "./ui";

const throttle_ms = 1000;
const refresh_ms = 15000; // where no event comes through
const conversations_shown = 30;
const messages_shown = 50;
const search_least = 3; // characters that a search in messages needs

export function stateKind(state: string): "good" | "bad" | "busy" | "plain" {
  return state === "delivered" ? "good" : state === "dead" || state === "unknown" ? "bad" : state === "ignored" ? "plain" : "busy";
}
/** How far it came, in one word. */
export function stateText(m: Message): string {
  return m.state === "delivered" && m.status ? word("status", m.status) : word("state", m.state);
}
export function noteOf(m: Message): Note | null {
  return typeof m.note === "object" ? m.note : null;
}
export function why(m: Message): string {
  const note = noteOf(m);
  return [note?.reason && word("reason", note.reason), note?.text].filter(Boolean).join(": ");
}

/* ---- one message and all that happened to it -------------------------------------------------------------------------- */

function Raw({ title, json }: { title: string; json: Json | undefined }) {
  if (json === undefined || json === null) return null;
  return (
    <details>
      <summary>{title}</summary>
      <pre tabIndex={0}>{typeof json === "string" ? json : JSON.stringify(json, null, 2)}</pre>
    </details>
  );
}

function Attempt({ note }: { note: Note }) {
  const rules = typeof note.note === "string" ? note.note.split(" ").filter(Boolean) : [];
  return (
    <>
      {rules.length > 0 && (
        <div data-testid="downgrades">
          <strong>{t("trace.adapted")}</strong>
          <ul>
            {rules.map((r) => (
              <li key={r}>{word("rule", r)}</li>
            ))}
          </ul>
        </div>
      )}
      {note.hops && note.hops.length > 0 && (
        <ol class="hops">
          {note.hops.map((h, i) => (
            <li key={i}>
              <code>{h.call}</code>{" "}
              <Badge kind={h.status && h.status < 300 ? "good" : "bad"}>{h.status ? String(h.status) : t("trace.no_answer")}</Badge>{" "}
              {h.us !== undefined && <span class="help">{t("ms", { n: number(h.us / 1000) })}</span>}
              {h.answer !== undefined && h.answer !== "" && <pre tabIndex={0}>{typeof h.answer === "string" ? h.answer : JSON.stringify(h.answer)}</pre>}
            </li>
          ))}
        </ol>
      )}
      {note.end && (
        <p>
          {t("trace.end")}: {word("end", note.end)}
          {(note.reason || note.text) && ` – ${[note.reason && word("reason", note.reason), note.text].filter(Boolean).join(": ")}`}
        </p>
      )}
    </>
  );
}

export async function decide(what: "replay" | "discard", body: { ids: number[] } | { query: Record<string, string> }): Promise<boolean> {
  try {
    const { value } = await api<{ asked: number; done: number }>("POST", `/journal/${what}`, body);
    say(t(what === "replay" ? "letters.replayed" : "letters.discarded", { n: value.done, of: value.asked }));
    return true;
  } catch (e) {
    say(explain(e));
    return false;
  }
}

/** Another target for one that is dead; true: it is on its way. */
export async function redirect(id: number, target: string): Promise<boolean> {
  try {
    await api("POST", "/journal/redirect", { id, target });
    say(t("letters.redirected", { target }));
    return true;
  } catch (e) {
    say(explain(e));
    return false;
  }
}

function Trace({ id, me, close, stamp }: { id: number; me: Me; close: () => void; stamp: string }) {
  const trace = useLoad(`message ${id} ${stamp}`, () => get<Message>(`/messages/${id}`));
  const again = async () => {
    if (await decide("replay", { ids: [id] })) trace.again();
  };
  return (
    <aside class="trace" aria-label={t("trace.title")} data-testid="trace">
      <header>
        <h3>
          {t("trace.title")} {id}
        </h3>
        <button type="button" class="secondary small" onClick={close}>
          {t("close")}
        </button>
      </header>
      <Loading of={trace}>
        {(m) => {
          const last = noteOf(m);
          return (
            <>
              <dl>
                <dt>{t("state")}</dt>
                <dd>
                  <Badge kind={stateKind(m.state)}>{stateText(m)}</Badge>
                </dd>
                <dt>{t("trace.accepted")}</dt>
                <dd>{time(m.at)}</dd>
                {m.ended && (
                  <>
                    <dt>{t("trace.ended")}</dt>
                    <dd>{time(m.ended)}</dd>
                  </>
                )}
                <dt>{t("trace.tries")}</dt>
                <dd>{m.tries}</dd>
                <dt>{t("trace.to")}</dt>
                <dd>{m.to}</dd>
                {m.vendor_id && (
                  <>
                    <dt>{t("trace.vendor_id")}</dt>
                    <dd>
                      <code>{m.vendor_id}</code>
                    </dd>
                  </>
                )}
              </dl>
              {m.trace?.map((line, i) => (
                <details key={i}>
                  <summary>
                    {time(line.at)} {line.what}
                  </summary>
                  {typeof line.note === "object" && line.note !== null ? <Attempt note={line.note as Note} /> : typeof line.note === "string" ? <pre tabIndex={0}>{line.note}</pre> : null}
                </details>
              ))}
              {last && (
                <section aria-label={t("trace.last")}>
                  <h4>{t("trace.last")}</h4>
                  <Attempt note={last} />
                </section>
              )}
              <Raw title={t("trace.message")} json={m.message} />
              <Raw title={t("trace.media")} json={m.media} />
              {me.role === "administrator" && (m.state === "dead" || m.state === "unknown") && (
                <button type="button" onClick={() => void again()}>
                  {t("letters.replay")}
                </button>
              )}
            </>
          );
        }}
      </Loading>
    </aside>
  );
}

/* ---- transcript ------------------------------------------------------------------------------------------------------ */

function Transcript({ id, me, chosen }: { id: string; me: Me; chosen: number }) {
  const [before, setBefore] = useState<number[]>([]); // cursors: the last is the window that is shown; none: the latest
  const at = before.at(-1);
  const about = useLoad(`about ${id}`, () => get<Conversation>(`/conversations/${encodeURIComponent(id)}`));
  const messages = useLoad(`messages ${id} ${at ?? ""}`, () => get<Page<Message>>(`/conversations/${encodeURIComponent(id)}/messages` + query({ limit: messages_shown, before: at })));
  const refresh = useThrottle(() => {
    about.again();
    messages.again();
  }, throttle_ms);
  useEffect(() => listen("conversation", (e) => [id, undefined].includes((e as { id?: string }).id) && refresh()), [id]);
  useEvery(refresh_ms, refresh);
  const end = useRef<HTMLDivElement>(null);
  const newest = messages.value?.items[0]?.id;
  useEffect(() => {
    if (!at && end.current) end.current.scrollTop = end.current.scrollHeight;
  }, [newest, at]);
  const one = messages.value?.items.find((m) => m.id === chosen);
  return (
    <div class="transcript-page">
      <header class="bar">
        <h2>
          <a class="back" href={href("conversations")} aria-label={t("conversations.title")}>
            ←
          </a>{" "}
          {about.value?.name || about.value?.guest || id}
        </h2>
        <Failed error={about.error} />
        {about.value && (
          <p class="help">
            {about.value.network} · {about.value.tenant} · {about.value.open ? t("conversation.open") : t("conversation.closed")} · {t("conversation.messages", { n: about.value.messages })}
          </p>
        )}
      </header>
      <Loading of={messages}>
        {(page) => (
          <>
            <div class="earlier">
              {page.next && (
                <button type="button" class="secondary small" onClick={() => setBefore([...before, Number(page.next)])}>
                  {t("conversation.earlier")}
                </button>
              )}
              {before.length > 0 && (
                <button type="button" class="secondary small" onClick={() => setBefore(before.slice(0, -1))}>
                  {t("conversation.later")}
                </button>
              )}
            </div>
            <div class="transcript" ref={end} role="log" aria-label={t("conversation.transcript")} tabIndex={0} data-testid="transcript">
              {[...page.items].reverse().map((m) => (
                <article key={m.id} class={`message ${m.way}`} data-testid={`message-${m.way}`}>
                  <p>{m.text || <em>{word("kind", m.kind)}</em>}</p>
                  <footer>
                    <time dateTime={m.at}>{clockOrDay(m.at)}</time> <Badge kind={stateKind(m.state)}>{stateText(m)}</Badge>
                    {m.tries > 1 && <span> {t("conversation.tries", { n: m.tries })}</span>}{" "}
                    <a href={href("conversations", id, String(m.id))} data-testid="trace-link" aria-label={`${t("trace.title")} ${m.id}`}>
                      {t("trace.title")}
                    </a>
                    {why(m) && m.state !== "delivered" && <span class="why">{why(m)}</span>}
                  </footer>
                </article>
              ))}
            </div>
          </>
        )}
      </Loading>
      {chosen > 0 && <Trace id={chosen} me={me} close={() => go("conversations", id)} stamp={one ? `${one.state} ${one.status} ${one.tries}` : ""} />}
    </div>
  );
}

/* ---- list ------------------------------------------------------------------------------------------------------------ */

function Found({ q }: { q: string }) {
  const found = useLoad(`found ${q}`, () => get<Page<Message>>("/messages" + query({ q, limit: conversations_shown })));
  if (!found.value?.items.length) return <Failed error={found.error} />;
  return (
    <section aria-label={t("search.messages")}>
      <h2>{t("search.messages")}</h2>
      <ul class="conversations">
        {found.value.items.map((m) => (
          <li key={m.id}>
            <a href={href("conversations", m.conversation, String(m.id))} data-testid="found">
              <span class="line">
                <strong>{m.conversation}</strong> <time dateTime={m.at}>{time(m.at)}</time>
              </span>
              <span class="text">{m.text}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Conversations({ route, me }: { route: string[]; me: Me }) {
  const id = route[1];
  const [q, setQ] = useState("");
  const [open, setOpen] = useState(false);
  const pages = usePages();
  const list = useLoad(`conversations ${q} ${open} ${pages.after}`, () => get<Page<Conversation>>("/conversations" + query({ q, open, limit: conversations_shown, after: pages.after })));
  const refresh = useThrottle(() => list.again(), throttle_ms);
  useEvery(refresh_ms, list.again);
  useEffect(() => listen("conversation", refresh), []);
  return (
    <section class={`split ${id ? "one" : ""}`}>
      <div class="list">
        <header class="bar">
          <h1>{t("conversations.title")}</h1>
          <Search
            title={t("search")}
            value={q}
            change={(text) => {
              pages.first();
              setQ(text);
            }}
          />
          <label>
            <input
              type="checkbox"
              checked={open}
              onChange={(e) => {
                pages.first();
                setOpen(e.currentTarget.checked);
              }}
            />
            {t("conversations.open_only")}
          </label>
        </header>
        <Loading of={list}>
          {(page) =>
            page.items.length ? (
              <>
                <ul class="conversations" data-testid="conversations">
                  {page.items.map((c) => (
                    <li key={c.id}>
                      <a href={href("conversations", c.id)} aria-current={c.id === id ? "true" : undefined} data-testid="conversation">
                        <span class="line">
                          <strong>{c.name || c.guest}</strong> <time dateTime={c.last}>{time(c.last)}</time>
                        </span>
                        <span class="help">
                          {c.network} · {c.tenant}
                        </span>
                        <span class="text">
                          {c.last_way === "out" ? "→ " : ""}
                          {c.last_text || word("kind", c.last_kind)}
                        </span>
                      </a>
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
        {q.length >= search_least && <Found q={q} />}
      </div>
      {id ? <Transcript key={id} id={id} me={me} chosen={Number(route[2]) || 0} /> : <p class="list-hint help">{t("conversations.choose")}</p>}
    </section>
  );
}
