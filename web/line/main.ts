// A phone: whose it is, their chat with the account, and what they can do. Over the control API of sim/line.c.
import { api, el, put, when } from "../common/dom";
import { faultPanel, usualFaults } from "../common/faults";
import { bare, content, note } from "./render";
import { type Action, type Bubble, type Guest, type Json, list, object, text } from "./types";

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const chat = $("chat");
const input = $<HTMLTextAreaElement>("message-input");
const file = $<HTMLInputElement>("file");
const guests = new Map<string, Guest>();
const unread = new Map<string, number>();
const shown = new Map<string, HTMLElement>(); // bubbles of the open chat by id
let current = "";
let account: Json = {};
let newest: Bubble | undefined;
let typingTimer = 0;
let asked = 0; // answers of an earlier chat are dropped

const base = (): string => `/sim/guests/${current}`;
function problem(e: unknown): void {
  $("problem").textContent = e instanceof Error ? e.message : String(e);
  $("problem").hidden = false;
  window.setTimeout(() => ($("problem").hidden = true), 6000);
}
const doing = (what: Json): Promise<unknown> => api("POST", `${base()}/send`, what).catch(problem);

// ---- people -------------------------------------------------------------------------------------------------------------------------

function listGuests(): void {
  const items = [...guests.values()].slice(0, 60).map((g) => {
    const n = unread.get(g.id) ?? 0;
    const b = el(
      "button",
      { type: "button", "data-testid": "guest", "data-number": String(g.number), "aria-current": String(g.id === current) },
      el("img", { class: "face", src: `/sim/faces/${g.number}.png`, alt: "" }),
      el("span", { class: "who" }, el("strong", {}, g.name), el("span", { class: "sub" }, g.kind === "user" ? (g.friend ? g.status ?? "" : "Blocked the account") : g.kind)),
    );
    if (n) b.append(el("span", { class: "badge", "data-testid": "unread", "aria-label": `${n} new` }, String(n)));
    b.addEventListener("click", () => void open(g.id));
    return el("li", {}, b);
  });
  $("guests").replaceChildren(...items);
  const g = guests.get(current);
  $("whose").textContent = g ? `on the phone of ${g.name}` : "";
  $("follow").textContent = g?.friend === false ? "Unblock" : "Block";
  $("follow").hidden = g?.kind !== "user";
}

async function load(): Promise<void> {
  const answer = (await api("GET", "/sim/guests")) as { account: Json; guests: Guest[] };
  account = answer.account;
  guests.clear();
  for (const g of answer.guests) guests.set(g.id, g);
  $("bot-name").textContent = text(account, "name");
  $("account").textContent = `${text(account, "basicId")} → ${text(account, "webhook") || "no webhook set"}`;
  await open(guests.has(current) ? current : (answer.guests[0]?.id ?? ""));
}

async function open(id: string): Promise<void> {
  const mine = ++asked;
  current = id;
  unread.delete(id);
  listGuests();
  const answer = (await api("GET", `/sim/guests/${id}/messages`)) as { guest: Guest; messages: Bubble[] };
  if (mine !== asked) return;
  chat.replaceChildren();
  shown.clear();
  newest = undefined;
  typing(answer.guest.loading_ms);
  for (const b of answer.messages) show(b);
  quickReplies();
  chat.scrollTop = chat.scrollHeight;
}

// ---- the chat -----------------------------------------------------------------------------------------------------------------------

const picture = (bubble: Bubble) => (url: string): string => `${base()}/media/${bubble.id}?url=${encodeURIComponent(url)}`;

function draw(b: Bubble): HTMLElement {
  const said = note(b);
  if (said) return el("li", { class: "note", "data-testid": "note" }, said);
  const fromAccount = b.from === "account";
  const sender = object(b.message, "sender");
  const time = el("time", { datetime: b.at }, when(b.at));
  const stage = { picture: picture(b), act };
  const frame = el("div", { class: bare(b) ? "frame bare" : "frame" }, ...content(b, stage));
  const mark = el("span", { class: "mark" }, ...(b.read ? [el("span", { "data-testid": "read" }, "Read")] : []), time);
  const row = el("div", { class: "row" }, frame, mark);
  if (!fromAccount) {
    const who = b.userId ? [el("span", { class: "sub" }, guests.get(b.userId)?.name ?? "")] : [];
    return el("li", { class: "out", "data-testid": "bubble-out", "data-id": b.id }, ...who, row);
  }
  const icon = text(sender, "iconUrl");
  const name = text(sender, "name") || text(account, "name");
  return el(
    "li",
    { class: "in", "data-testid": "bubble-in", "data-id": b.id },
    el("img", { class: "face", src: icon ? stage.picture(icon) : "/sim/faces/0.png", alt: "" }),
    el("div", { class: "said" }, el("span", { class: "sub", ...(text(sender, "name") ? { "data-testid": "agent-name" } : {}) }, name), row),
  );
}

function show(b: Bubble): void {
  const node = draw(b);
  const old = shown.get(b.id);
  if (old) old.replaceWith(node);
  else {
    chat.append(node);
    newest = b;
  }
  shown.set(b.id, node);
}

function quickReplies(): void {
  const items = newest?.from === "account" ? list(object(newest.message, "quickReply"), "items") : [];
  const buttons = items.map((i) => {
    const action = (object(i, "action") ?? {}) as unknown as Action;
    const b = el("button", { type: "button", "data-testid": "quick-reply" });
    const image = text(i, "imageUrl");
    if (image && newest) b.append(el("img", { src: picture(newest)(image), alt: "" }));
    b.append(action.label ?? action.type);
    b.addEventListener("click", () => {
      $("quick").hidden = true;
      act(action);
    });
    return b;
  });
  $("quick").replaceChildren(...buttons);
  $("quick").hidden = buttons.length === 0;
}

function typing(ms: number): void {
  window.clearTimeout(typingTimer);
  $("typing").hidden = ms <= 0;
  if (ms > 0) typingTimer = window.setTimeout(() => ($("typing").hidden = true), ms);
}

// ---- what a tapped button asks for --------------------------------------------------------------------------------------------------

function pick(a: Action): void {
  const kind = a.mode === "datetime" ? "datetime-local" : (a.mode ?? "date");
  const field = el("input", { type: kind, "data-testid": "picker-input", "aria-label": a.label ?? "When", required: "" });
  for (const name of ["min", "max"] as const) if (a[name]) field.setAttribute(name, a[name].replace("t", "T"));
  if (a.initial) field.value = a.initial.replace("t", "T");
  const dialog = el("dialog", { class: "picker", "aria-label": a.label ?? "When" });
  const form = el("form", { method: "dialog" }, field, el("button", { "data-testid": "picker-ok" }, "OK"));
  form.addEventListener("submit", () => field.value && void doing({ type: "postback", data: a.data ?? "", params: { [a.mode ?? "date"]: field.value } }));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
}

function act(a: Action): void {
  switch (a.type) {
    case "message":
      void doing({ type: "text", text: a.text ?? "" });
      return;
    case "postback":
      void doing({ type: "postback", data: a.data ?? "", ...(a.displayText ? { displayText: a.displayText } : {}) });
      return;
    case "datetimepicker":
      pick(a);
      return;
    case "uri":
      if (/^https?:\/\//.test(a.uri ?? "")) window.open(a.uri, "_blank", "noopener,noreferrer");
      return;
    case "clipboard":
      void navigator.clipboard?.writeText(a.clipboardText ?? "").catch(problem);
      return;
    case "location":
      void doing({ type: "location" });
      return;
    case "camera":
    case "cameraRoll":
      file.click();
      return;
  }
}

// ---- composing ----------------------------------------------------------------------------------------------------------------------

function send(): void {
  const said = input.value;
  if (!said.trim() || !current) return;
  input.value = "";
  grow();
  void doing({ type: "text", text: said });
}

function grow(): void {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight + 2, 140)}px`;
  input.style.overflowY = input.scrollHeight > 138 ? "auto" : "hidden";
}

async function sendFile(f: File): Promise<void> {
  const bytes = new Uint8Array(await f.arrayBuffer());
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  const kind = /^(image|video|audio)\//.exec(f.type)?.[1] ?? "file";
  await doing({ type: kind, base64: btoa(binary), contentType: f.type || "application/octet-stream", fileName: f.name });
}

const stickers: [string, string, string][] = [
  ["446", "1988", "Hello"], ["446", "1989", "Thanks"], ["446", "1990", "OK"], ["446", "2000", "Sorry"], ["789", "10855", "Cheer"], ["789", "10856", "Love"],
  ["11537", "52002734", "Nice"], ["11537", "52002735", "Yay"],
];
for (const [packageId, stickerId, word] of stickers) {
  const img = el("img", { src: `/stickershop/v1/sticker/${stickerId}/android/sticker.png`, alt: word });
  const b = el("button", { type: "button", "data-testid": "sticker-choice" }, img);
  b.addEventListener("click", () => {
    toggleStickers(false);
    void doing({ type: "sticker", packageId, stickerId, keywords: [word] });
  });
  $("stickers").append(b);
}
function toggleStickers(open: boolean): void {
  $("stickers").hidden = !open;
  $("sticker").setAttribute("aria-expanded", String(open));
}

$("composer").addEventListener("submit", (e) => (e.preventDefault(), send()));
input.addEventListener("input", grow);
input.addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  send();
});
$("picture").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  for (const f of file.files ?? []) void sendFile(f);
  file.value = "";
});
$("sample").addEventListener("click", () => void doing({ type: "image" }));
$("location").addEventListener("click", () => void doing({ type: "location" }));
$("sticker").addEventListener("click", () => toggleStickers($("stickers").hidden === true));
$("unsend").addEventListener("click", () => void doing({ type: "unsend" }));
$("follow").addEventListener("click", () => {
  const g = guests.get(current);
  if (!g) return;
  void doing({ type: g.friend ? "unfollow" : "follow" }).then(() => {
    g.friend = !g.friend;
    listGuests();
  });
});
$("verify").addEventListener("click", () => {
  void (api("POST", "/sim/verify") as Promise<{ status: number; took_ms: number }>).then((r) => hook(r.status, r.took_ms, 1, ""), problem);
});
$("clear").addEventListener("click", () => void api("DELETE", "/sim/messages").catch(problem));
document.addEventListener("keydown", (e) => e.key === "Escape" && toggleStickers(false));

// ---- what happens -------------------------------------------------------------------------------------------------------------------

function hook(status: number, ms: number, attempt: number, error: string): void {
  const good = status >= 200 && status < 300;
  $("hook").className = good ? "sub good" : "sub bad";
  $("hook").textContent = `Last webhook: ${status || error || "no answer"} in ${ms} ms${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}

async function count(): Promise<void> {
  const c = (await api("GET", "/sim/counters")) as Json;
  const hooks = object(c, "webhooks");
  const rows: [string, unknown][] = [
    ["From guests", c["from_guests"]], ["To guests", c["to_guests"]], ["Webhooks taken", hooks?.["ok"]], ["Webhooks refused", hooks?.["failed"]],
    ["Free answers used", c["reply_tokens_used"]], ["Repeats held back", c["retry_keys_repeated"]],
  ];
  $("counters").replaceChildren(...rows.flatMap(([name, n]) => [el("dt", {}, name), el("dd", {}, String(n ?? 0))]));
}
let countTimer = 0;
function countSoon(): void {
  countTimer ||= window.setTimeout(() => {
    countTimer = 0;
    void count().catch(() => undefined);
  }, 250);
}

const events = new EventSource("/sim/events");
const on = <T>(name: string, fn: (data: T) => void): void =>
  events.addEventListener(name, (e) => {
    fn(JSON.parse((e as MessageEvent<string>).data) as T);
    countSoon();
  });
on<Json>("hello", () => void load().catch(problem));
on<Json>("reset", () => void load().catch(problem));
on<Json>("lost", () => void load().catch(problem));
on<{ chat: string; seconds: number }>("typing", ({ chat: id, seconds }) => id === current && typing(seconds * 1000));
on<{ status: number; took_ms: number; attempt: number; error?: string }>("webhook", (h) => hook(h.status, h.took_ms, h.attempt, h.error ?? ""));
on<{ chat: string; bubble: Bubble }>("bubble", ({ chat: id, bubble }) => {
  if (id !== current) {
    if (bubble.from === "account" && !bubble.media) unread.set(id, (unread.get(id) ?? 0) + 1);
    listGuests();
    return;
  }
  const atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80;
  if (bubble.from === "account") typing(0);
  show(bubble);
  quickReplies();
  if (atEnd || bubble.from === "guest") chat.scrollTop = chat.scrollHeight;
});
chat.addEventListener("load", () => chat.scrollHeight - chat.scrollTop - chat.clientHeight < 400 && (chat.scrollTop = chat.scrollHeight), true);

faultPanel($<HTMLFormElement>("faults"), [
  ...usualFaults("Webhooks", "signatures", ["/v2/bot/message/push", "/v2/bot/message/reply"]),
  ["token", "Tokens are refused with 503", { paths: ["/oauth2/*", "/v2/oauth/*"], status: 503 }],
]);
put($("hook"), "No webhook yet");
