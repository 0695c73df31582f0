// main.tsx - the agents' pages, one text for three addresses: /ux/conv (conversations at work), /ux/comm (contacts), /ux/supervisor.
//
//   ?customername=TENANT&ccid=ID   only this tenant's          ?iid=ID   one interaction alone          ?view=wallboard   of /ux/supervisor
//   ?lang=fr ?dir=rtl              language and direction of the page
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { LogIn } from "../console/account";
import { api, framed, logOut, onSessionEnded, whoAmI } from "../console/api";
import { LanguageMenu } from "../console/language_menu";
import { replace } from "../console/router";
import type { Me } from "../console/types";
import { Badge, explain, Messages, say as tell } from "../console/ui";
import { calls, isQuiet, ring, said, setQuiet } from "./bell";
import { Comm } from "./comm";
import { Conv, listed } from "./conv";
import { start, t, word } from "./i18n";
import { KeysHelp, useKeys } from "./keys";
import { happened, onArrival, state, useDesk } from "./state";
import { follow } from "./stream";
import { Supervisor } from "./supervisor";
import type { DeskMe } from "./types";

const ring_again_ms = 6000; // while an invitation waits

const asked = () => new URLSearchParams(location.search);
const pageNow = () => location.pathname.split("/").at(-1) ?? "conv";
/** As the hub makes a tenant's short name out of its name. */
const tenant = (asked().get("customername") ?? "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");

/** Another page of the desk, with what this one was asked for. */
function address(name: string, iid = ""): string {
  const kept = new URLSearchParams([...asked()].filter(([k]) => ["customername", "ccid", "lang", "dir"].includes(k)));
  if (iid) kept.set("iid", iid);
  return `/ux/${name}${kept.size ? `?${kept}` : ""}`;
}
/** Without loading anew: a frame that has no storage keeps its log-in. */
function visit(url: string, ...parts: string[]): void {
  history.pushState(null, "", url);
  replace(...parts);
  state.changed();
}
addEventListener("popstate", () => state.changed());
function show(interaction: string): void {
  if (asked().has("iid")) visit(address("conv", interaction));
  else visit(address("conv"), "i", interaction);
}

/* ---- who is ready ------------------------------------------------------------------------------------------------------------- */

function Status({ me }: { me: DeskMe }) {
  const [open, setOpen] = useState(false);
  const media = Object.entries(me.media);
  const ready = media.some(([, m]) => m.state === "ready");
  const set = async (name: string, now: string, reason?: string) => {
    setOpen(false);
    try {
      await api("PUT", "/desk/me/status", { media: name, state: now, ...(reason ? { reason } : {}) });
    } catch (e) {
      tell(explain(e));
    }
  };
  useKeys({ y: () => void set("all", ready ? "not-ready" : "ready") });
  return (
    <details class="dropdown me" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary aria-keyshortcuts="Alt+Y" data-testid="status">
        <Badge kind={ready ? "good" : "bad"}>{word("agent", ready ? "ready" : "not-ready")}</Badge>
        {!ready && media[0]?.[1].reason && <span class="help"> {media[0][1].reason}</span>}
      </summary>
      <ul>
        {media.map(([name, m]) => (
          <li key={name}>
            <span class="help">
              {name} {t("status.open", { n: m.open, of: m.capacity })}
            </span>{" "}
            <button type="button" class="link" onClick={() => void set(name, "ready")} data-testid={`ready-${name}`}>
              {word("agent", "ready")}
            </button>{" "}
            <button type="button" class="link" onClick={() => void set(name, "not-ready")} data-testid={`not-ready-${name}`}>
              {word("agent", "not-ready")}
            </button>
            {(me.reasons ?? []).map((r) => (
              <button key={r} type="button" class="link reason" onClick={() => void set(name, "not-ready", r)}>
                {t("status.reason", { reason: r })}
              </button>
            ))}
          </li>
        ))}
      </ul>
    </details>
  );
}

/* ---- the frame ------------------------------------------------------------------------------------------------------------------- */

function titleOf(name: string): string {
  return name === "comm" ? t("contacts") : name === "supervisor" ? t("supervisor") : t("conversations");
}
function useBell(page: string): void {
  const desk = useDesk();
  const list = listed(tenant);
  const invited = list.filter((i) => desk.invites(i)).length;
  const unread = list.reduce((n, i) => n + i.unread, 0);
  useEffect(() => {
    if (!invited) return;
    ring(calls);
    const timer = setInterval(() => ring(calls), ring_again_ms);
    return () => clearInterval(timer);
  }, [invited]);
  useEffect(() => {
    onArrival((i) => {
      if (document.hidden || pageNow() !== "conv" || location.hash !== `#/i/${encodeURIComponent(i.id)}`) ring(said);
    });
  }, []);
  useEffect(() => {
    document.title = `${invited ? `☎ ${t("title.invited", { n: invited })} ` : unread ? `(${unread}) ` : ""}${titleOf(page)} · Dragoman`;
  });
}

function Inside({ me, leave, lost, spoken }: { me: Me; leave: () => void; lost: () => void; spoken: () => void }) {
  const desk = useDesk();
  const [keys, setKeys] = useState(false);
  const [quiet, setQuietNow] = useState(isQuiet());
  const page = pageNow();
  const wall = page === "supervisor" && asked().get("view") === "wallboard";
  const alone = page === "conv" ? (asked().get("iid") ?? "") : "";
  useEffect(() => follow("/desk/events", { event: happened, online, ended: lost }), []);
  useBell(page);
  useKeys({ z: () => setKeys(true) });
  const pages = [
    ["conv", t("conversations")],
    ["comm", t("contacts")],
    ...(me.role === "agent" ? [] : [["supervisor", t("supervisor")]]),
  ] as [string, string][];
  const out = () => void logOut().catch(() => undefined).then(leave);
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>
        {t("skip")}
      </a>
      {!wall && (
        <header class="top">
          {!framed && <strong class="name">Dragoman</strong>}
          <nav aria-label={t("pages")}>
            {pages.map(([name, title]) => (
              <a
                key={name}
                href={address(name)}
                onClick={(e) => {
                  if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
                  e.preventDefault();
                  visit(address(name));
                }}
                aria-current={name === page ? "page" : undefined} data-testid={`nav-${name}`}>
                {title}
              </a>
            ))}
          </nav>
          {desk.me && <Status me={desk.me} />}
          <details class="dropdown me">
            <summary data-testid="me">{desk.me?.display_name || me.user}</summary>
            <ul>
              <li>
                <button type="button" class="link" onClick={() => setKeys(true)} aria-keyshortcuts="Alt+Z" data-testid="keys-open">
                  {t("keys.title")}
                </button>
              </li>
              <li>
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    setQuiet(!quiet);
                    setQuietNow(!quiet);
                  }}
                  data-testid="sound"
                >
                  {t(quiet ? "sound.on" : "sound.off")}
                </button>
              </li>
              {!framed && (
                <li>
                  <a href="/">{t("console")}</a>
                </li>
              )}
              <li>
                <LanguageMenu changed={spoken} />
              </li>
              <li>
                <button type="button" class="link" onClick={out} data-testid="log-out">
                  {t("logout")}
                </button>
              </li>
            </ul>
          </details>
        </header>
      )}
      <div role="status" aria-live="polite">
        {!desk.online && (
          <p class="failed offline" data-testid="offline">
            {t("offline")}
          </p>
        )}
      </div>
      <main id="main" tabIndex={-1}>
        <h1 class="unseen">{titleOf(page)}</h1>
        {page === "supervisor" && me.role === "agent" && (
          <p class="note" data-testid="no-supervisor">
            {t("supervisor.not", { user: me.user })}
          </p>
        )}
        {page === "supervisor" && me.role !== "agent" ? <Supervisor wall={wall} show={show} /> : !desk.me ? <p aria-busy="true">{t("loading")}</p> : page === "comm" ? <Comm tenant={tenant} show={show} /> : <Conv alone={alone} tenant={tenant} show={show} />}
      </main>
      {keys && <KeysHelp close={() => setKeys(false)} />}
    </>
  );
}
function online(yes: boolean): void {
  state.online = yes;
  state.changed();
}

function Desk() {
  const [me, setMe] = useState<Me | null>(null);
  const [ready, setReady] = useState(false);
  const [again, setAgain] = useState(false);
  const [, turn] = useState(0);
  const spoken = () => turn((n) => n + 1);
  const out = (lost: boolean) => {
    state.me = null;
    state.interactions.clear();
    state.lines.clear();
    state.gone.clear();
    setMe(null);
    setAgain(lost);
  };
  useEffect(() => {
    onSessionEnded(() => out(true));
    void whoAmI().then(setMe).finally(() => setReady(true));
  }, []);
  return (
    <>
      {!ready ? (
        <p aria-busy="true">{t("loading")}</p>
      ) : me ? (
        <Inside me={me} leave={() => out(false)} lost={() => out(true)} spoken={spoken} />
      ) : (
        <main>
          <LogIn again={again} done={setMe} />
          <LanguageMenu changed={spoken} />
        </main>
      )}
      <Messages />
    </>
  );
}

start(asked());
render(<Desk />, document.getElementById("desk")!);
