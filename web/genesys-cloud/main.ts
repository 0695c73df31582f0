// The agent's desk of the simulated Genesys Cloud: what an agent sees, over the simulator's control API (sim/genesys_cloud.c).
// Everything that came from a guest is put into the page as text, never as markup.
import { blocks, picture, samples } from "./content";
import { faultPanel, usualFaults } from "../common/faults";
import { api, el, put, testid, when } from "../common/dom";
import type { Conversation, Desk, Message } from "./types";

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const queue = $("queue");
const lines = $("lines");
const agentSelect = $<HTMLSelectElement>("agent");
const targetSelect = $<HTMLSelectElement>("target");
const input = $<HTMLTextAreaElement>("message-input");

const conversations = new Map<string, Conversation>();
const shown = new Map<string, HTMLLIElement>(); // lines of the open conversation by message id
const lastOfGuest = new Map<string, string>(); // newest message of the guest, by conversation
let current = "";
let typingTimer = 0;

// ---- the queue ------------------------------------------------------------------------------------------------------------------

function face(c: Conversation, into: HTMLElement): void {
  const letter = [...c.guest.name][0]?.toUpperCase() ?? "?";
  if (into.dataset["of"] === `${c.id} ${c.guest.image ?? ""} ${letter}`) return;
  into.dataset["of"] = `${c.id} ${c.guest.image ?? ""} ${letter}`;
  put(into, letter);
  if (!c.guest.image) return;
  const img = new Image();
  img.alt = "";
  img.onload = () => put(into, img);
  img.src = `/sim/conversations/${c.id}/picture`;
}

function queueItem(c: Conversation): HTMLLIElement {
  const avatar = el("span", { class: "face", "aria-hidden": "true" });
  face(c, avatar);
  const badge = c.unread ? el("span", { class: "badge", "aria-label": `${c.unread} unread` }, String(c.unread)) : el("span");
  if (c.unread) testid(badge, "unread");
  const button = el(
    "button",
    { type: "button", "aria-current": String(c.id === current) },
    avatar,
    el("span", { class: "title" }, c.guest.name),
    el("span", { class: "when" }, when(c.last)),
    el("span", { class: "preview" }, c.state === "ended" ? `ended · ${c.preview}` : c.preview),
    badge,
  );
  button.onclick = () => void choose(c.id);
  testid(button, "conversation").dataset["id"] = c.id;
  button.dataset["state"] = c.state;
  button.dataset["guest"] = c.guest.id;
  const item = el("li", { class: c.state });
  item.append(button);
  return item;
}

let queueAsked = false;
function drawQueue(): void {
  if (queueAsked) return; // once a frame, however many messages come
  queueAsked = true;
  requestAnimationFrame(() => {
    queueAsked = false;
    const all = [...conversations.values()].sort(
      (a, b) => Number(a.state === "ended") - Number(b.state === "ended") || (a.last < b.last ? 1 : -1),
    );
    const focused = (document.activeElement as HTMLElement | null)?.dataset["id"];
    queue.replaceChildren(...all.slice(0, 200).map(queueItem));
    if (focused) queue.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    $("nobody").hidden = all.length > 0;
    const unread = all.filter((c) => c.unread).length;
    $("waiting").hidden = unread === 0;
    put($("waiting"), String(unread));
    document.title = `${unread ? `(${unread}) ` : ""}Agent's desk · simulated Genesys Cloud`;
  });
}

// ---- the open conversation --------------------------------------------------------------------------------------------------------

const stateWords: Record<string, string> = { queued: "waiting", connected: "connected", ended: "ended" };

function pairs(into: HTMLElement, rows: [string, string | undefined][]): void {
  into.replaceChildren();
  for (const [key, value] of rows) {
    if (value === undefined || value === "") continue;
    const dd = el("dd", {}, value);
    dd.dataset["key"] = key;
    into.append(el("dt", {}, key), dd);
  }
}

function drawHead(): void {
  const c = conversations.get(current);
  $("none").hidden = !!c;
  $("open").hidden = !c;
  $("about").hidden = !c;
  if (!c) return;
  const ended = c.state === "ended";
  face(c, $("face"));
  put($("name"), c.guest.name);
  put($("state"), stateWords[c.state] ?? c.state);
  $("state").className = `pill ${c.state === "connected" ? "good" : ended ? "bad" : ""}`;
  put($("with"), [c.agent ? `with ${c.agent}` : "", c.reopened ? `reopened ${c.reopened}×` : "", c.flow ? "" : "no inbound flow tied"].filter(Boolean).join(" · "));
  for (const id of ["transfer", "end", "picture", "quick-open", "quick-sample", "card", "carousel", "dates", "list"])
    $<HTMLButtonElement>(id).disabled = ended;
  input.disabled = ended;
  $<HTMLInputElement>("file").disabled = ended;
  pairs($("person"), [
    ["id", c.guest.id],
    ["nickname", c.guest.nickname],
    ["name", [c.guest.firstName, c.guest.lastName].filter(Boolean).join(" ")],
    ["email", c.guest.email],
    ["channel", c.channel],
    ["conversation", c.id],
    ["ended by", c.disconnect],
  ]);
  pairs($("attributes"), Object.entries(c.attributes));
}

function attachment(m: Message): HTMLElement | null {
  const f = m.media;
  if (!f) return null;
  const box = testid(el("div"), "attachment");
  box.dataset["state"] = f.state;
  if (f.sha256) box.dataset["sha256"] = f.sha256;
  const what = `${f.name || f.kind} · ${f.size.toLocaleString()} bytes`;
  if (f.url && f.mime.startsWith("image/") && !f.mime.includes("svg")) {
    const img = new Image();
    img.alt = f.name || "picture";
    img.src = f.url;
    img.onload = () => stickToEnd();
    box.append(img);
  } else if (f.url) {
    box.append(el("a", { href: f.url, download: f.name || "file" }, what));
  } else {
    const words: Record<string, string> = { fetching: "is being fetched…", dropped: "was not let in by the profile", failed: f.error ?? "could not be fetched" };
    box.append(el("em", {}, `${f.name || f.kind} ${words[f.state] ?? "is no longer kept"}`));
  }
  return box;
}

function drawLine(m: Message): void {
  const item = shown.get(m.id) ?? el("li");
  item.className = m.from;
  testid(item, m.from === "guest" ? "line-guest" : "line-agent");
  item.dataset["id"] = m.id;
  item.dataset["from"] = m.from;
  const bubble = el("div", { class: "bubble" });
  const file = attachment(m);
  if (file) bubble.append(file);
  if (m.text) bubble.append(testid(el("div", { class: "text" }, m.text), "text"));
  for (const block of blocks(m)) bubble.append(block);
  const state = testid(el("span", { class: m.state }, m.state), "state");
  const meta = el("div", { class: "meta" }, el("span", { class: "by" }, m.name), el("time", { datetime: m.at }, when(m.at)), state);
  if (m.button) meta.append(testid(el("span", {}, m.button.paired ? `pressed (${m.button.payload})` : `pressed, but never offered (${m.button.payload})`), "pressed"));
  if (m.reason) meta.append(testid(el("span", { class: "failed" }, `${m.reason.code}: ${m.reason.message}`), "reason"));
  item.replaceChildren(bubble, meta);
  if (!shown.has(m.id)) {
    shown.set(m.id, item);
    lines.append(item);
  }
}

function stickToEnd(): void {
  lines.scrollTop = lines.scrollHeight;
}

async function choose(id: string): Promise<void> {
  current = id;
  hideTyping();
  problem("");
  const c = (await api("GET", `/sim/conversations/${id}`)) as Conversation & { messages: Message[] };
  if (current !== id) return;
  const { messages, ...rest } = c;
  conversations.set(id, rest);
  shown.clear();
  lines.replaceChildren();
  for (const m of messages) take(m);
  drawHead();
  drawQueue();
  stickToEnd();
  if (rest.agent) agentSelect.value = rest.agent;
  if (rest.unread) void api("POST", `/sim/conversations/${id}/read`);
}

function take(m: Message): void {
  if (m.from === "guest") lastOfGuest.set(m.conversation, m.id);
  if (m.conversation !== current) return;
  const fresh = !shown.has(m.id);
  drawLine(m);
  if (fresh) stickToEnd();
  if (fresh && m.from === "guest") {
    hideTyping();
    if (document.hasFocus()) void api("POST", `/sim/conversations/${current}/read`);
  }
}

function hideTyping(): void {
  window.clearTimeout(typingTimer);
  $("typing").hidden = true;
}

function showTyping(conversation: string, ms: number): void {
  if (conversation !== current) return;
  put($("typing").querySelector("span")!, `${conversations.get(current)?.guest.name ?? "The guest"} is typing…`);
  $("typing").hidden = false;
  window.clearTimeout(typingTimer);
  typingTimer = window.setTimeout(hideTyping, ms);
}

// ---- what the agent does ------------------------------------------------------------------------------------------------------------

function problem(text: string): void {
  put($("problem"), text);
  $("problem").hidden = !text;
}

async function act(path: string, body: unknown): Promise<boolean> {
  if (!current) return false;
  try {
    await api("POST", `/sim/conversations/${current}/${path}`, body);
    problem("");
    return true;
  } catch (e) {
    problem(e instanceof Error ? e.message : String(e));
    return false;
  }
}

const say = (body: Record<string, unknown>): Promise<boolean> => act("agent", { agent: agentSelect.value, ...body });

async function sendFile(file: Blob, name: string): Promise<void> {
  const query = new URLSearchParams({ name, agent: agentSelect.value });
  try {
    await api("POST", `/sim/conversations/${current}/file?${query}`, file);
    problem("");
  } catch (e) {
    problem(e instanceof Error ? e.message : String(e));
  }
}

let toldTyping = 0;
input.addEventListener("input", () => {
  if (!current || !input.value || Date.now() - toldTyping < 5000) return;
  toldTyping = Date.now();
  void say({ typing: true });
});
input.addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  $<HTMLFormElement>("say").requestSubmit();
});
$("say").addEventListener("submit", (e) => {
  e.preventDefault();
  const text = input.value;
  if (!text.trim()) return;
  input.value = "";
  toldTyping = 0;
  void say({ text }).then((ok) => {
    if (!ok && !input.value) input.value = text;
    input.focus();
  });
});
$("picture").onclick = () => void picture().then((blob) => sendFile(blob, "parcel.png"));
$<HTMLInputElement>("file").onchange = (e) => {
  const field = e.target as HTMLInputElement;
  const file = field.files?.[0];
  if (file) void sendFile(file, file.name);
  field.value = "";
};
const quick = $<HTMLFormElement>("quick");
function showQuick(on: boolean): void {
  quick.hidden = !on;
  $("quick-open").setAttribute("aria-expanded", String(on));
  if (on) $("quick-prompt").focus();
}
$("quick-open").onclick = () => showQuick(quick.hidden === true);
$("quick-close").onclick = () => showQuick(false);
quick.addEventListener("submit", (e) => {
  e.preventDefault();
  const answers = $<HTMLTextAreaElement>("quick-answers").value.split("\n").map((s) => s.trim()).filter(Boolean);
  void say({ text: $<HTMLInputElement>("quick-prompt").value, quick_replies: answers }).then((ok) => ok && showQuick(false));
});
$("quick-sample").onclick = () => void say(samples.quickReplies());
$("card").onclick = () => void say(samples.card());
$("carousel").onclick = () => void say(samples.carousel());
$("dates").onclick = () => void say(samples.datePicker());
$("list").onclick = () => void say(samples.listPicker());
$("end").onclick = () => void act("end", { by: "agent" });
$("transfer").onclick = () => {
  void act("transfer", { agent: targetSelect.value }).then((ok) => {
    if (ok) agentSelect.value = targetSelect.value;
  });
};
$("fail").onclick = () => {
  const id = lastOfGuest.get(current);
  if (id) void api("POST", `/sim/messages/${id}/receipt`, { status: "Failed", code: "GeneralError", message: "The agent's desk said so." });
};
$("expire").onclick = () => void api("POST", "/sim/tokens/expire");
faultPanel($<HTMLFormElement>("faults"), [
  ...usualFaults("Webhooks", "signatures", ["/api/v2/conversations/messages/*"]),
  ["login", "Log in fails with 503", { paths: ["/oauth/token"], status: 503 }],
]);

// ---- what happens ----------------------------------------------------------------------------------------------------------------

async function load(): Promise<void> {
  const desk = (await api("GET", "/sim/conversations")) as Desk;
  conversations.clear();
  for (const c of desk.conversations) conversations.set(c.id, c);
  for (const select of [agentSelect, targetSelect]) {
    const was = select.value;
    select.replaceChildren(...desk.agents.map((name) => el("option", { value: name }, name)));
    if (desk.agents.includes(was)) select.value = was;
    else if (select === targetSelect && desk.agents[1]) select.value = desk.agents[1];
  }
  drawQueue();
  drawHead();
  if (current) await choose(current);
}

async function count(): Promise<void> {
  const all = (await api("GET", "/sim/counters")) as Record<string, number>;
  pairs($("counters"), Object.entries(all).filter(([, n]) => n > 0).map(([k, n]) => [k.replaceAll("_", " "), n.toLocaleString()]));
}

function listen(): void {
  const source = new EventSource("/sim/events");
  const on = <T>(name: string, fn: (data: T) => void) =>
    source.addEventListener(name, (e) => fn(JSON.parse((e as MessageEvent<string>).data) as T));
  source.onopen = () => {
    put($("link"), "connected");
    $("link").className = "pill good";
    void load();
  };
  source.onerror = () => {
    put($("link"), "reconnecting…");
    $("link").className = "pill bad";
  };
  on<Conversation>("conversation", (c) => {
    conversations.set(c.id, c);
    drawQueue();
    if (c.id === current) drawHead();
    else if (!current && c.state !== "ended") void choose(c.id);
  });
  on<Message>("message", take);
  on<{ conversation: string; ms: number }>("typing", (t) => showTyping(t.conversation, t.ms));
  source.addEventListener("lost", () => void load());
}

listen();
void count();
window.setInterval(() => void count(), 5000);
