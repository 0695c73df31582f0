// conv.tsx - the conversations at work: my interactions, the one that is open with its transcript, and who the guest is.
//
// ?iid= shows one interaction alone, for a frame beside another desktop; else the list stands beside it.
import { useEffect, useState } from "preact/hooks";
import { api, get, Problem } from "../console/api";
import { word as common } from "../console/i18n";
import { go, href, useRoute } from "../console/router";
import { Badge, explain, Failed, Loading, say as tell, Tabs, useLoad } from "../console/ui";
import { Compose } from "./compose";
import { About, begin, History } from "./contact";
import { DialogOf } from "./dialogs";
import type { Dialog } from "./dialogs";
import { moment, span, t, word } from "./i18n";
import { useKeys } from "./keys";
import { act, look, state, useDesk } from "./state";
import { textOf, Transcript, useSearch } from "./transcript";
import type { Contact, Interaction, Message } from "./types";

const window_soon_ms = 3600000; // the reply window's end is near: said in another colour

export function guestName(i: Interaction): string {
  return i.contact.name || t("guest");
}

/** The time of now, each second. */
export function useNow(): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** What only the time changes is drawn by itself: the transcript is left alone. */
function Since({ ms }: { ms: number }) {
  return <>{span(useNow() - ms)}</>;
}
function Waits({ i }: { i: Interaction }) {
  const now = useNow();
  return i.last_guest_ms ? <span class="help">{t("waits", { time: span(now - i.last_guest_ms) })}</span> : null;
}

/* ---- list ---------------------------------------------------------------------------------------------------------------------- */

const order: Record<Interaction["state"], number> = { invited: 0, open: 1, wrapup: 2, held: 3, queued: 4, done: 5 };
export function listed(tenant: string): Interaction[] {
  const all = [...state.interactions.values()].filter((i) => !state.gone.has(i.id) && state.mine(i) && (!tenant || i.tenant === tenant));
  const rank = (i: Interaction) => (state.invites(i) ? 0 : order[i.state]);
  return all.sort((a, b) => rank(a) - rank(b) || (a.accepted_ms ?? a.created_ms) - (b.accepted_ms ?? b.created_ms));
}

function Row({ i, chosen }: { i: Interaction; chosen: boolean }) {
  const lines = state.lines.get(i.id)?.items;
  const last = lines?.at(-1);
  const waits = i.state === "open" && (i.last_guest_ms ?? 0) > (i.last_agent_ms ?? 0);
  return (
    <li>
      <a href={href("i", i.id)} aria-current={chosen ? "true" : undefined} class={i.unread ? "unread" : ""} data-testid="interaction">
        <span class="line">
          <strong dir="auto">{guestName(i)}</strong>
          {i.unread > 0 && (
            <span class="count" aria-label={t("unread", { n: i.unread })} data-testid="unread">
              {i.unread}
            </span>
          )}
        </span>
        <span class="help">
          {i.network} {i.queue && <bdi>· {i.queue}</bdi>} {i.state !== "open" && <Badge kind={i.state === "held" ? "plain" : "busy"}>{word("interaction", i.state)}</Badge>}
        </span>
        <span class="text" dir="auto">
          {last ? textOf(last) : (i.subject ?? "")}
        </span>
        {waits && <Waits i={i} />}
      </a>
    </li>
  );
}

function Invitation({ i, reject }: { i: Interaction; reject: () => void }) {
  const accept = () => void act(i.id, "accept").then(() => go("i", i.id), (e: unknown) => tell(explain(e)));
  return (
    <article class="invitation" aria-label={t("invitation", { name: guestName(i) })} data-testid="invitation">
      <p>
        <strong dir="auto">{guestName(i)}</strong> <Badge kind="busy">{i.network}</Badge> <span class="help">
          <Since ms={i.queued_ms ?? i.created_ms} />
        </span>
      </p>
      {i.subject && <p dir="auto">{i.subject}</p>}
      {i.failed && <p class="why">{t("failed")}</p>}
      <div class="tools">
        <button type="button" class="small" aria-keyshortcuts="Alt+A" onClick={accept} data-testid="accept">
          {t("accept")}
        </button>
        <button type="button" class="secondary small" aria-keyshortcuts="Alt+R" onClick={reject} data-testid="reject">
          {t("reject")}
        </button>
      </div>
    </article>
  );
}

/* ---- what can be done with it ---------------------------------------------------------------------------------------------------- */

interface Doing {
  name: string;
  title: string;
  key?: string;
  run: () => void;
  danger?: boolean;
}
function doingsOf(i: Interaction, open: (d: Dialog) => void, show: (id: string) => void): Doing[] {
  const role = i.agents.find((a) => a.user === state.me?.user)?.role ?? (i.owner === state.me?.user ? "owner" : undefined);
  const supervises = state.me?.role !== "agent";
  const call = (verb: string) => void act(i.id, verb).catch((e: unknown) => tell(explain(e)));
  const dialog = (name: Dialog, title: string, key?: string): Doing => ({ name, title, run: () => open(name), ...(key ? { key } : {}) });
  const done: Doing = { name: "done", title: t("done"), key: "q", run: () => open("done") };
  const again: Doing = { name: "again", title: t("reactivate"), run: () => void begin({ conversation: i.conversation }, show).catch((e: unknown) => tell(explain(e))) };
  if (i.state === "done" || state.gone.has(i.id)) {
    const others = i.state !== "done" && !state.mine(i);
    return others && supervises ? [{ name: "monitor", title: t("monitor"), run: () => call("monitor") }, { name: "coach", title: t("coach"), run: () => call("coach") }, { name: "barge", title: t("barge"), run: () => call("barge") }] : others ? [] : [again];
  }
  switch (role) {
    case "owner":
      if (i.state === "held") return [{ name: "resume", title: t("resume"), key: "w", run: () => call("resume") }, dialog("transfer", t("transfer"), "x"), done];
      if (i.state === "wrapup") return [dialog("note", t("note")), done];
      return [dialog("transfer", t("transfer"), "x"), dialog("consult", t("consult"), "c"), dialog("conference", t("conference"), "n"), dialog("hold", t("hold"), "w"), dialog("note", t("note")), done];
    case "monitor":
      return [{ name: "coach", title: t("coach"), run: () => call("coach") }, { name: "barge", title: t("barge"), run: () => call("barge") }, { name: "leave", title: t("leave"), run: () => call("leave") }];
    case "coach":
      return [{ name: "monitor", title: t("monitor"), run: () => call("monitor") }, { name: "barge", title: t("barge"), run: () => call("barge") }, { name: "leave", title: t("leave"), run: () => call("leave") }];
    case "consulted":
    case "conferenced":
      return [{ name: "leave", title: t("leave"), run: () => call("leave") }];
    default:
      if (!supervises || state.invites(i)) return [];
      return [{ name: "monitor", title: t("monitor"), run: () => call("monitor") }, { name: "coach", title: t("coach"), run: () => call("coach") }, { name: "barge", title: t("barge"), run: () => call("barge") }];
  }
}

function Window({ i }: { i: Interaction }) {
  const now = useNow();
  if (i.held_until_ms && i.state === "held") return <Badge kind="plain">{t("held.until", { when: moment(i.held_until_ms) })}</Badge>;
  if (!i.reply_until_ms || i.state === "done") return null;
  const left = i.reply_until_ms - now;
  return (
    <span data-testid="window">
      <Badge kind={left <= 0 ? "bad" : left < window_soon_ms ? "busy" : "plain"}>{left <= 0 ? t("window.over") : t("window", { time: span(left) })}</Badge>
    </span>
  );
}

/* ---- one ------------------------------------------------------------------------------------------------------------------------- */

function Side({ i, show }: { i: Interaction; show: (id: string) => void }) {
  const [tab, setTab] = useState("contact");
  const id = i.contact.id ?? i.conversation; // the API finds a contact by either
  const contact = useLoad(`contact ${id} ${i.contact.name ?? ""}`, () =>
    get<Contact>(`/contacts/${encodeURIComponent(id)}`).catch((e: unknown) => {
      if (e instanceof Problem && e.status === 404) return "none" as const;
      throw e;
    }),
  );
  const tabs = [
    { name: "contact", title: t("contact") },
    { name: "history", title: t("contact.history") },
    { name: "about", title: t("about") },
  ];
  const attributes = Object.entries(i.attributes ?? {}).map(([k, v]) => [k, typeof v === "string" ? v : JSON.stringify(v)] as const);
  return (
    <>
      <Tabs tabs={tabs} now={tab} choose={setTab} title={t("about")} />
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "about" ? (
          <>
            <dl class="about">
              <dt>{t("agents")}</dt>
              <dd>
                {i.agents.map((a) => (
                  <span key={a.user} class="who" data-testid="participant">
                    <bdi>{a.name || a.user}</bdi> <Badge kind="plain">{word("part", a.role)}</Badge>
                  </span>
                ))}
              </dd>
              {i.disposition && (
                <>
                  <dt>{t("disposition")}</dt>
                  <dd dir="auto">{i.disposition}</dd>
                </>
              )}
              {i.note && (
                <>
                  <dt>{t("note")}</dt>
                  <dd dir="auto">{i.note}</dd>
                </>
              )}
              {attributes.map(([k, v]) => [
                <dt key={k}>
                  <bdi>{k}</bdi>
                </dt>,
                <dd key={`${k}=`} dir="auto">
                  {v}
                </dd>,
              ])}
            </dl>
          </>
        ) : (
          <Loading of={contact}>
            {(c) =>
              c === "none" ? (
                <p>{t("contact.none")}</p>
              ) : (tab === "history" ? (
                <History key={c.id} contact={c} />
              ) : (
                <>
                  <h3 dir="auto">{c.name || guestName(i)}</h3>
                  <About contact={c} write={(x) => void begin({ conversation: x.conversation }, show).catch((e: unknown) => tell(explain(e)))} />
                </>
              ))
            }
          </Loading>
        )}
      </div>
    </>
  );
}

function Talk({ i, alone, dialog, show }: { i: Interaction; alone: boolean; dialog: (d: Dialog) => void; show: (id: string) => void }) {
  const lines = state.linesOf(i.id);
  const { search, set, found, chosen, looking } = useSearch(i.id, lines);
  const [side, setSide] = useState(false);
  const me = state.me!;
  const role = i.agents.find((a) => a.user === me.user)?.role ?? (i.owner === me.user ? "owner" : undefined);
  const doings = doingsOf(i, dialog, show);
  const over = i.state === "done" || state.gone.has(i.id);
  const again = over && !doings.some((d) => d.name === "monitor");
  const named = (user: string | undefined) => user || me.display_name || me.user;
  const author = (m: Message) => (m.from === "guest" ? m.author || guestName(i) : m.author || "");
  const unread = i.unread > 0 && !document.hidden && role !== undefined;
  useEffect(() => {
    if (unread) void act(i.id, "read").catch(() => undefined); // told again with the next message
  }, [unread, i.id, lines.items.length]);
  useEffect(() => () => state.leave(i.id), [i.id]);
  useKeys({
    ...Object.fromEntries(doings.filter((d) => d.key).map((d) => [d.key, d.run])),
    p: () => document.getElementById("transcript-search")?.focus(),
  });
  const writes = !over && (role === "owner" || role === "conferenced" || role === "consulted" || role === "coach") && i.state !== "queued";
  return (
    <section class={`talk ${side ? "beside" : ""}`} aria-label={t("conversation", { name: guestName(i) })} data-testid="talk">
      <header class="bar">
        <h2>
          {!alone && (
            <a class="back" href={href()} aria-label={t("conversations")}>
              ←
            </a>
          )}{" "}
          <bdi data-testid="guest-name">{guestName(i)}</bdi>
        </h2>
        <span class="tools">
          <Badge kind="plain">{i.network}</Badge>
          <span data-testid="interaction-state">
            <Badge kind={i.state === "open" ? "good" : "busy"}>{word("interaction", i.state)}</Badge>
          </span>
          <Window i={i} />
          {role && role !== "owner" && <Badge kind="busy">{word("part", role)}</Badge>}
        </span>
        <span class="tools doings">
          {doings.map((d) => (
            <button key={d.name} type="button" class={`small ${d.name === "done" ? "" : "secondary"}`} aria-keyshortcuts={d.key ? `Alt+${d.key.toUpperCase()}` : undefined} onClick={d.run} data-testid={`do-${d.name}`}>
              {d.title}
            </button>
          ))}
          <button type="button" class="secondary small side-button" aria-expanded={side} onClick={() => setSide(!side)}>
            {t("contact")}
          </button>
        </span>
        <search class="tools">
          <input
            id="transcript-search"
            type="search"
            aria-label={t("transcript.search")}
            aria-keyshortcuts="Alt+P"
            placeholder={t("transcript.search")}
            value={search.text}
            data-testid="search"
            onInput={(e) => set({ text: e.currentTarget.value.trim(), at: 0 })}
            onKeyDown={(e) => {
              if (e.key === "Enter" && found.length) set({ ...search, at: e.shiftKey ? Math.max(0, search.at - 1) : (search.at + 1) % (lines.next ? found.length + 1 : found.length) });
              if (e.key === "Escape") set({ text: "", at: 0 });
            }}
          />
          {search.text && (
            <span class="help" role="status" data-testid="search-found">
              {looking ? t("transcript.looking") : found.length ? t("transcript.found", { at: Math.min(search.at, found.length - 1) + 1, n: found.length }) : t("nothing_found")}
            </span>
          )}
        </search>
      </header>
      {i.failed && (
        <p class="failed" data-testid="failed">
          {t("failed")} {i.failed.reason && common("reason", i.failed.reason)}
        </p>
      )}
      <div class="halves">
        <div class="half">
          <Transcript key={i.id} i={i} lines={lines} names={named} author={author} wanted={search.text} chosen={search.text ? chosen : undefined} />
          {writes ? (
            <Compose key={i.id} i={i} whisper={role === "consulted" || role === "coach" ? "only" : "free"} />
          ) : again ? (
            <p class="note">{t("over")}</p>
          ) : role === "monitor" ? (
            <p class="note">{t("monitoring")}</p>
          ) : null}
        </div>
        <aside class="side" aria-label={t("about")}>
          <Side key={i.id} i={i} show={show} />
        </aside>
      </div>
    </section>
  );
}

/* ---- the page --------------------------------------------------------------------------------------------------------------------- */

/** What is not in my list: a supervisor's look at another's, one that is done, one of the address. */
function useLook(id: string | undefined, known: boolean): unknown {
  const [failed, setFailed] = useState<{ id: string; error: unknown } | null>(null);
  const ready = state.me !== null;
  useEffect(() => {
    if (!id || known || !ready) return;
    look(id).catch((error: unknown) => setFailed({ id, error }));
  }, [id, known, ready]);
  return failed && failed.id === id && !known ? failed.error : null;
}

export function Conv({ alone, tenant, show }: { alone: string; tenant: string; show: (id: string) => void }) {
  useDesk();
  const route = useRoute();
  const id = alone || (route[0] === "i" ? route[1] : undefined);
  const i = id ? state.interactions.get(id) : undefined;
  const failed = useLook(id, i !== undefined);
  const [dialog, setDialog] = useState<{ which: Dialog; id: string } | null>(null);
  const list = listed(tenant);
  const invitations = list.filter((x) => state.invites(x));
  const rows = list.filter((x) => !state.invites(x));
  const groups = [rows.filter((x) => x.state !== "held"), rows.filter((x) => x.state === "held")];
  const walk = (by: number) => {
    const at = rows.findIndex((x) => x.id === id);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length];
    if (next) go("i", next.id);
  };
  const invited = invitations[0];
  const nth = Object.fromEntries([...Array(9).keys()].map((n) => [String(n + 1), () => rows[n] && go("i", rows[n].id)]));
  useKeys({
    ...(alone ? {} : { j: () => walk(1), k: () => walk(-1), ...nth }),
    a: invited && (() => void act(invited.id, "accept").then(() => show(invited.id), (e: unknown) => tell(explain(e)))),
    r: invited && (() => setDialog({ which: "reject", id: invited.id })),
  });
  const ready = Object.values(state.me?.media ?? {}).some((m) => m.state === "ready");
  const asked = dialog && state.interactions.get(dialog.id);
  const mineNow = alone ? invitations.filter((x) => x.id === alone) : invitations;
  return (
    <div class={`desk ${id ? "one" : ""} ${alone ? "alone" : ""}`}>
      {(!alone || mineNow.length > 0) && (
        <div class="list" role="navigation" aria-label={t("conversations")}>
          <div aria-live="assertive">
            {mineNow.map((x) => (
              <Invitation key={x.id} i={x} reject={() => setDialog({ which: "reject", id: x.id })} />
            ))}
          </div>
          {!alone && !ready && (
            <div class="note" data-testid="not-ready">
              <p>{t("list.not_ready")}</p>
              <button type="button" class="small" aria-keyshortcuts="Alt+Y" onClick={() => void api("PUT", "/desk/me/status", { media: "all", state: "ready" }).catch((e: unknown) => tell(explain(e)))} data-testid="set-ready">
                {t("agent.make_ready")}
              </button>
            </div>
          )}
          {!alone &&
            groups.map((group, k) =>
              group.length || k === 0 ? (
                <section key={k}>
                  <h2>{k ? t("list.held", { n: group.length }) : t("list.open", { n: group.length })}</h2>
                  {group.length ? (
                    <ul class="conversations" data-testid={k ? "held" : "interactions"}>
                      {group.map((x) => (
                        <Row key={x.id} i={x} chosen={x.id === id} />
                      ))}
                    </ul>
                  ) : (
                    <p class="help">{t("list.none")}</p>
                  )}
                </section>
              ) : null,
            )}
        </div>
      )}
      {i ? <Talk key={i.id} i={i} alone={alone !== ""} dialog={(which) => setDialog({ which, id: i.id })} show={show} /> : failed ? <Failed error={failed} /> : <p class="list-hint help">{id ? t("loading") : t("list.choose")}</p>}
      {dialog && asked && <DialogOf which={dialog.which} i={asked} close={() => setDialog(null)} />}
    </div>
  );
}
