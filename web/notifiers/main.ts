// The page of the notifications simulator: what arrived at each of the four services, and what PagerDuty has open.
import { api, el, when } from "../common/dom";
import { faultPanel } from "../common/faults";
import { follow, reader } from "../common/live";

interface Notice { n: number; at: string; vendor: string; status: number; title?: string; text?: string; action?: string; key?: string; colour?: string; hidden: boolean; body: unknown }
interface Alert { key: string; open: boolean; triggers: number; resolves: number }

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const titles: Record<string, string> = { slack: "Slack", discord: "Discord", pagerduty: "PagerDuty", "genesys-cloud": "Genesys Cloud" };

function card(notice: Notice): HTMLElement {
  const item = el("li", { "data-testid": "notice", "data-vendor": notice.vendor });
  item.style.borderLeftColor = notice.colour ?? (notice.status < 300 ? "#9fb0be" : "#a11");
  const about = [titles[notice.vendor] ?? notice.vendor, notice.action, notice.hidden ? "shown to nobody: no mapping takes it" : undefined].filter(Boolean).join(" · ");
  item.append(el("span", { class: notice.status < 300 ? "sub" : "sub bad" }, `${about} · ${notice.status}`), el("time", { class: "sub", datetime: notice.at }, when(notice.at)));
  if (notice.title) item.append(el("strong", {}, notice.title));
  if (notice.text) item.append(el("span", { class: "text" }, notice.text));
  if (notice.key) item.append(el("code", {}, notice.key));
  const body = el("details", {}, el("summary", {}, "As it was sent"), el("pre", {}, JSON.stringify(notice.body, null, 1)));
  item.append(body);
  return item;
}

const refresh = reader(async () => {
  const [all, counters] = await Promise.all([api("GET", "/sim/notices"), api("GET", "/sim/counters")]);
  const { notices, alerts } = all as { notices: Notice[]; alerts: Alert[] };
  const counts = counters as Record<string, { calls: number; taken: number }>;
  $("services").replaceChildren(...Object.entries(counts).map(([name, c]) => el("li", { "data-testid": `service-${name}` }, `${titles[name] ?? name}: ${c.taken} taken of ${c.calls}`)));
  $("alerts").replaceChildren(...alerts.map((a) => el("li", { class: a.open ? "bad" : "", "data-testid": "alert" }, `${a.open ? "open" : "over"}: ${a.key} (${a.triggers})`)));
  $("none").hidden = notices.length > 0;
  $("notices").replaceChildren(...notices.reverse().map(card));
});

faultPanel($<HTMLFormElement>("faults"), [
  ["429", "429 to every call", { status: 429 }],
  ["500", "500 to every second call", { status: 500, share: 0.5 }],
  ["404", "404: the webhook is gone", { status: 404 }],
  ["slow", "Slow answers (3 s)", { slow_ms: 3000 }],
  ["timeout", "No answer at all", { timeout_share: 1 }],
  ["down", "Out of service", { down: true }],
]);
$("clear").addEventListener("click", () => void api("DELETE", "/sim/notices"));

follow(refresh, ["notice", "reset"]);
void refresh();
