// letters.tsx - dead letters, and messages of which it is not known whether they came: why, and what to do with them.
import { useEffect, useState } from "preact/hooks";
import { get, listen, query } from "./api";
import { decide, redirect, stateKind, stateText, why } from "./conversations";
import { t, time, word } from "./i18n";
import { href } from "./router";
import type { Channel, Me, Message, Page } from "./types";
import { ask, Badge, Loading, Pager, Search, useEvery, useLoad, usePages, useThrottle } from "./ui";

const throttle_ms = 1000;
const refresh_ms = 5000; // what no event tells of
const reasons = ["blocked", "unknown_guest", "rate_limited", "window_closed", "media_type", "media_size", "unsupported", "invalid", "expired", "credentials", "server", "general"];

const states = ["dead", "unknown"]; // of the second it is not known whether they came

/** Where it goes instead: of a message to a guest another conversation, of one to a desk the desk's account. */
function Target({ message, done }: { message: Message; done: (sent: boolean) => void }) {
  const [target, setTarget] = useState(message.way === "out" ? message.conversation : message.to);
  const send = async () => {
    if (await redirect(message.id, target.trim())) done(true);
  };
  return (
    <form
      class="pair"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <input aria-label={`${t("letters.target")} ${message.id}`} value={target} onInput={(e) => setTarget(e.currentTarget.value)} data-testid="target" />
      <button type="submit" class="small" disabled={!target.trim()} data-testid="target-send">
        {t("letters.redirect")}
      </button>
      <button type="button" class="secondary small" onClick={() => done(false)}>
        {t("cancel")}
      </button>
    </form>
  );
}

export function Letters({ me }: { me: Me }) {
  const [reason, setReason] = useState("");
  const [account, setAccount] = useState("");
  const [state, setState] = useState("");
  const [q, setQ] = useState("");
  const [editing, setEditing] = useState(0); // the message whose target is being edited
  const pages = usePages();
  const filter = Object.fromEntries(Object.entries({ reason, account, state, q }).filter(([, v]) => v));
  const letters = useLoad(JSON.stringify([filter, pages.after]), () => get<Page<Message>>("/journal/dead" + query({ ...filter, limit: 50, after: pages.after })));
  const accounts = useLoad("accounts", () => get<{ items: Channel[] }>("/channels"));
  const refresh = useThrottle(() => letters.again(), throttle_ms);
  useEvery(refresh_ms, letters.again);
  useEffect(() => {
    const gone = [listen("health", refresh), listen("conversation", refresh)];
    return () => gone.forEach((end) => end());
  }, []);
  const may = me.role === "administrator";
  const one = async (what: "replay" | "discard", id: number) => {
    if (what === "discard" && !(await ask({ title: t("letters.discard"), text: t("letters.discard.text"), yes: t("letters.discard"), danger: true }))) return;
    if (await decide(what, { ids: [id] })) letters.again();
  };
  const all = async (what: "replay" | "discard") => {
    const yes = t(what === "replay" ? "letters.replay_all" : "letters.discard_all");
    const twice = what === "replay" && state !== "dead" ? ` ${t("letters.all.unknown")}` : "";
    if (!(await ask({ title: yes, text: t("letters.all.text") + twice, yes, danger: what === "discard" }))) return;
    if (await decide(what, { query: filter })) letters.again();
  };
  const change = (set: (v: string) => void) => (v: string) => {
    pages.first();
    set(v);
  };
  return (
    <section>
      <header class="bar">
        <h1>{t("letters.title")}</h1>
        <div class="tools">
          <Search title={t("search")} value={q} change={change(setQ)} />
          <select aria-label={t("letters.reason")} value={reason} onChange={(e) => change(setReason)(e.currentTarget.value)}>
            <option value="">{t("letters.any_reason")}</option>
            {reasons.map((r) => (
              <option key={r} value={r}>
                {word("reason", r)}
              </option>
            ))}
          </select>
          <select aria-label={t("state")} value={state} onChange={(e) => change(setState)(e.currentTarget.value)}>
            <option value="">{t("letters.any_state")}</option>
            {states.map((s) => (
              <option key={s} value={s}>
                {word("state", s)}
              </option>
            ))}
          </select>
          <select aria-label={t("letters.account")} value={account} onChange={(e) => change(setAccount)(e.currentTarget.value)}>
            <option value="">{t("letters.any_account")}</option>
            {accounts.value?.items.map((c) => (
              <option key={c.id} value={c.id}>
                {c.id}
              </option>
            ))}
          </select>
          {may && (
            <>
              <button type="button" disabled={!letters.value?.items.length} onClick={() => void all("replay")} data-testid="replay-all">
                {t("letters.replay_all")}
              </button>
              <button type="button" class="secondary" disabled={!letters.value?.items.length} onClick={() => void all("discard")}>
                {t("letters.discard_all")}
              </button>
            </>
          )}
        </div>
      </header>
      <Loading of={letters}>
        {(page) =>
          page.items.length ? (
            <>
              <ul class="letters">
                {page.items.map((m) => (
                  <li key={m.id} data-testid="letter">
                    <div>
                      <Badge kind={stateKind(m.state)}>{stateText(m)}</Badge> <time dateTime={m.at}>{time(m.at)}</time> → {m.to}{" "}
                      <a href={href("conversations", m.conversation, String(m.id))}>{t("letters.conversation")}</a>
                    </div>
                    <p class="text">{m.text || word("kind", m.kind)}</p>
                    <p class="why">{why(m)}</p>
                    {may && (
                      <div class="tools">
                        <button type="button" class="small" aria-label={`${t("letters.replay")} ${m.id}`} onClick={() => void one("replay", m.id)} data-testid="replay">
                          {t("letters.replay")}
                        </button>
                        <button type="button" class="secondary small" aria-label={`${t("letters.target")} ${m.id}`} aria-expanded={editing === m.id} onClick={() => setEditing(editing === m.id ? 0 : m.id)} data-testid="edit-target">
                          {t("letters.target")} …
                        </button>
                        <button type="button" class="secondary small" aria-label={`${t("letters.discard")} ${m.id}`} onClick={() => void one("discard", m.id)} data-testid="discard">
                          {t("letters.discard")}
                        </button>
                      </div>
                    )}
                    {editing === m.id && (
                      <Target
                        key={m.id}
                        message={m}
                        done={(sent) => {
                          setEditing(0);
                          if (sent) letters.again();
                        }}
                      />
                    )}
                  </li>
                ))}
              </ul>
              <Pager pages={pages} next={page.next} />
            </>
          ) : (
            <p data-testid="no-letters">{Object.keys(filter).length ? t("nothing_found") : t("letters.none")}</p>
          )
        }
      </Loading>
    </section>
  );
}
