// main.tsx - the console: who is logged in, which page is shown, and the frame around it.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { LogIn, Password } from "./account";
import { listen, logOut as endSession, onSessionEnded, streamClose, streamOpen, whoAmI } from "./api";
import { Audit } from "./audit";
import { Backup } from "./backup";
import { Contacts } from "./contacts";
import { Conversations } from "./conversations";
import { Doctor } from "./doctor";
import { Health } from "./health";
import { startLanguage, t, word } from "./i18n";
import type { Key } from "./i18n";
import { Keys } from "./keys";
import { LanguageMenu } from "./language_menu";
import { Letters } from "./letters";
import { PreviewPage } from "./preview";
import { Provisioning } from "./provisioning";
import { dropGuard, go, href, mayLeave, useRoute } from "./router";
import { Responses } from "./responses";
import { SettingsPage } from "./settings";
import { findSimulators, Simulators } from "./simulators";
import type { Simulator } from "./simulators";
import { Storages } from "./storages";
import { TenantPage } from "./tenant";
import { Tenants } from "./tenants";
import type { Me } from "./types";
import { Messages, useThrottle } from "./ui";
import { Users } from "./users";

interface Entry {
  name: string;
  title: Key;
  may: Me["role"][];
}
const adminPath = "/admin"; // the guide's address of what it provisions
const all: Me["role"][] = ["administrator", "supervisor"];
const entries: Entry[] = [
  { name: "tenants", title: "tenants.title", may: ["administrator"] },
  { name: "provisioning", title: "provisioning.title", may: ["administrator"] },
  { name: "keys", title: "keys.title", may: ["administrator"] },
  { name: "storages", title: "storages.title", may: all },
  { name: "settings", title: "settings.title", may: ["administrator"] },
  { name: "responses", title: "responses.title", may: all },
  { name: "conversations", title: "conversations.title", may: all },
  { name: "contacts", title: "contacts.title", may: all },
  { name: "letters", title: "letters.title", may: all },
  { name: "preview", title: "preview.title", may: all },
  { name: "health", title: "health.title", may: all },
  { name: "doctor", title: "doctor.title", may: ["administrator"] },
  { name: "users", title: "users.title", may: ["administrator"] },
  { name: "audit", title: "audit.title", may: ["administrator"] },
  { name: "backup", title: "backup.title", may: ["administrator"] },
  { name: "simulators", title: "simulators.title", may: ["administrator"] },
];

function PageOf({ route, me, simulators }: { route: string[]; me: Me; simulators: Simulator[] }) {
  switch (route[0]) {
    case "tenants":
      return route[1] ? <TenantPage route={route} /> : <Tenants />;
    case "provisioning":
      return <Provisioning route={route} />;
    case "keys":
      return <Keys />;
    case "storages":
      return <Storages me={me} />;
    case "settings":
      return <SettingsPage />;
    case "responses":
      return <Responses me={me} />;
    case "conversations":
      return <Conversations route={route} me={me} />;
    case "contacts":
      return <Contacts route={route} me={me} />;
    case "letters":
      return <Letters me={me} />;
    case "preview":
      return <PreviewPage />;
    case "health":
      return <Health />;
    case "doctor":
      return <Doctor route={route} />;
    case "users":
      return <Users me={me} />;
    case "audit":
      return <Audit />;
    case "backup":
      return <Backup />;
    case "simulators":
      return <Simulators list={simulators} />;
    case "agent":
      return <Agent me={me} />;
    default:
      return <Password me={me} />;
  }
}

/** The console has no page for agents: where theirs are. */
function Agent({ me }: { me: Me }) {
  return (
    <section class="narrow">
      <h1>{t("desk.page")}</h1>
      <p data-testid="agent-here">{t("agent.here", { user: me.user })}</p>
      <p>
        <a role="button" href="/ux/conv">
          {t("desk.page")}
        </a>
      </p>
    </section>
  );
}

function useSimulators(me: Me): Simulator[] {
  const [list, set] = useState<Simulator[]>([]);
  const look = useThrottle(() => {
    if (me.role === "administrator") findSimulators().then(set, () => set([]));
  }, 2000);
  useEffect(() => {
    look();
    return listen("config", look);
  }, []);
  return list;
}

function Inside({ me, leave }: { me: Me; leave: () => void }) {
  const route = useRoute();
  const simulators = useSimulators(me);
  const mine = entries.filter((e) => e.may.includes(me.role) && (e.name !== "simulators" || simulators.length > 0));
  const known = route[0] === "password" || mine.some((e) => e.name === route[0]);
  const first = location.pathname.startsWith(adminPath) ? mine.find((e) => e.name === "provisioning") : undefined;
  const shown = known ? route : [(first ?? mine[0])?.name ?? "agent"];
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [route.join("/")]);
  useEffect(() => {
    const entry = entries.find((e) => e.name === shown[0]);
    document.title = `${t(entry?.title ?? (shown[0] === "agent" ? "desk.page" : "password.title"))} · Dragoman`;
  });
  useEffect(() => {
    if (me.role === "agent") return; // to whom it says nothing
    streamOpen();
    return streamClose;
  }, []);
  const logOut = async () => {
    if (!(await mayLeave())) return;
    try {
      await endSession();
    } finally {
      leave();
    }
  };
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>
        {t("skip")}
      </a>
      <header class="top">
        <strong class="name">Dragoman</strong>
        <button type="button" class="menu secondary" aria-expanded={open} aria-controls="pages" onClick={() => setOpen(!open)}>
          {t("menu")}
        </button>
        <nav id="pages" class={open ? "open" : ""} aria-label={t("pages")}>
          {mine.map((e) => (
            <a key={e.name} href={href(e.name)} aria-current={e.name === shown[0] ? "page" : undefined} data-testid={`nav-${e.name}`}>
              {t(e.title)}
            </a>
          ))}
        </nav>
        <details class="dropdown me">
          <summary data-testid="me">{me.user}</summary>
          <ul dir="rtl">
            <li>
              <span class="help">{word("role", me.role)}</span>
            </li>
            <li>
              <a href={href("password")}>{t("password.title")}</a>
            </li>
            <li>
              <a href="/ux/conv" data-testid="desk-link">
                {t("desk.page")}
              </a>
            </li>
            <li>
              <a href="/api/v1/openapi-ui">{t("api.page")}</a>
            </li>
            <li>
              <button type="button" class="link" onClick={() => void logOut()} data-testid="log-out">
                {t("logout")}
              </button>
            </li>
          </ul>
        </details>
      </header>
      <main id="main" tabIndex={-1}>
        <PageOf route={shown} me={me} simulators={simulators} />
      </main>
    </>
  );
}

function Console() {
  const [me, setMe] = useState<Me | null>(null);
  const [asked, setAsked] = useState(false);
  const [again, setAgain] = useState(false);
  const [, setLanguageTurn] = useState(0);
  const out = (lost: boolean) => {
    dropGuard();
    setMe(null);
    setAgain(lost);
  };
  useEffect(() => {
    onSessionEnded(() => out(true));
    void whoAmI().then(setMe).finally(() => setAsked(true));
  }, []);
  return (
    <>
      {!asked ? (
        <p aria-busy="true">{t("loading")}</p>
      ) : me ? (
        <Inside me={me} leave={() => { out(false); go(); }} />
      ) : (
        <main>
          <LogIn again={again} done={setMe} />
        </main>
      )}
      <footer class="bottom">
        <span class="help">{me ? `Dragoman ${me.version}` : ""}</span>
        <LanguageMenu changed={() => setLanguageTurn((n) => n + 1)} />
      </footer>
      <Messages />
    </>
  );
}

startLanguage();
render(<Console />, document.getElementById("console")!);
