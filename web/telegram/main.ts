// The page of the Telegram simulator: the chats of the simulated people with the bot.
import { composer } from "../common/composer";
import { api, el, put, when } from "../common/dom";
import { faultPanel, usualFaults } from "../common/faults";
import { follow, reader } from "../common/live";

interface Button { text: string; callback_data?: string; url?: string }
interface Message {
  message_id: number;
  text?: string;
  caption?: string;
  photo?: { file_id: string }[];
  sticker?: { file_id: string; emoji?: string };
  document?: { file_name?: string };
  video?: unknown;
  voice?: unknown;
  audio?: unknown;
  animation?: unknown;
  contact?: { phone_number: string };
  location?: { latitude: number; longitude: number };
  venue?: { title: string };
  reply_markup?: { inline_keyboard?: Button[][]; keyboard?: Button[][] };
}
interface Entry { from: "guest" | "bot"; at: string; message: Message }
interface Guest { number: number | "group"; id: number; name: string; blocked: boolean; typing_ms: number }

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
let guests: Guest[] = [];
let now: Guest | undefined;

const path = (what: string): string => `/sim/guests/${now?.number ?? 1}/${what}`;

async function act(what: string, body: unknown): Promise<void> {
  const problem = $("problem");
  problem.hidden = true;
  try {
    await api("POST", path(what), body);
  } catch (e) {
    problem.textContent = e instanceof Error ? e.message : String(e);
    problem.hidden = false;
  }
  await refresh();
}

function buttons(rows: Button[][]): HTMLElement {
  const keys = el("div", { class: "keys" });
  for (const b of rows.flat()) {
    const key = el("button", { type: "button", "data-testid": "choice" }, b.url ? `${b.text} ↗` : b.text);
    key.title = b.url ?? "";
    key.addEventListener("click", () => void act("tap", { label: b.text }));
    keys.append(key);
  }
  return keys;
}

function words(m: Message): string {
  const place = m.location;
  const kinds: [unknown, string][] = [
    [m.sticker, m.sticker?.emoji ?? "Sticker"],
    [m.document, m.document?.file_name ?? "File"],
    [m.voice, "Voice message"], [m.audio, "Music"], [m.animation, "Animation"], [m.video, "Video"],
    [m.contact, m.contact?.phone_number ?? ""],
    [place, `${m.venue?.title ?? "Location"} (${place?.latitude}, ${place?.longitude})`],
  ];
  return [kinds.find(([there]) => there)?.[1], m.text ?? m.caption].filter(Boolean).join("\n");
}

function bubble({ from, at, message: m }: Entry): HTMLElement {
  const item = el("li", { class: from === "guest" ? "mine" : "bot", "data-testid": "message" });
  if (m.photo) item.append(el("img", { src: `/sim/files/${m.photo.at(-1)?.file_id}`, alt: "Photo" }));
  item.append(el("span", {}, words(m)));
  if (m.reply_markup?.inline_keyboard) item.append(buttons(m.reply_markup.inline_keyboard));
  item.append(el("time", { datetime: at }, when(at)));
  return item;
}

const refresh = reader(async () => {
  const all = (await api("GET", "/sim/guests")) as { bot: { username: string }; guests: Guest[] };
  guests = all.guests;
  now = guests.find((g) => g.id === now?.id) ?? guests[0];
  $("bot-name").textContent = `@${all.bot.username}`;
  $("typing").textContent = (now?.typing_ms ?? 0) > 0 ? "is typing…" : "bot";
  $("block").textContent = now?.blocked ? "Unblock" : "Block";
  const list = $("guests");
  list.replaceChildren();
  for (const g of guests) {
    const pick = el("button", { type: "button", "aria-current": String(g.id === now?.id), "data-testid": `guest-${g.number}` }, g.number === "group" ? `${g.name} (group)` : g.name);
    pick.addEventListener("click", () => { now = g; void refresh(); });
    list.append(el("li", {}, pick));
  }
  const { messages } = (await api("GET", path("messages"))) as { messages: Entry[] };
  const chat = $("chat");
  chat.replaceChildren(...messages.map(bubble));
  chat.scrollTop = chat.scrollHeight;
  const last = messages.at(-1);
  const keyboard = last?.from === "bot" ? last.message.reply_markup?.keyboard : undefined;
  $("keyboard").hidden = !keyboard;
  if (keyboard) put($("keyboard"), buttons(keyboard));
});

faultPanel($<HTMLFormElement>("faults"), usualFaults("Updates", "secrets"));

composer(4096, (text) => void act("send", { type: "text", text }), () => void act("send", { type: "photo" }),
  ({ picture, ...file }) => void act("send", { type: picture ? "photo" : "document", ...file }));
$("place").addEventListener("click", () => void act("send", { type: "location" }));
$("start").addEventListener("click", () => void act("send", { type: "text", text: "/start" }));
$("block").addEventListener("click", () => void act("send", { type: now?.blocked ? "unblock" : "block" }));

follow(refresh, ["message", "typing", "reset"]).addEventListener("update", (e) => {
  const { status, took_ms } = JSON.parse((e as MessageEvent<string>).data) as { status: number; took_ms: number };
  $("hook").textContent = `Update: ${status || "no answer"} in ${took_ms} ms`;
});
setInterval(() => { if ((now?.typing_ms ?? 0) > 0) void refresh(); }, 2000);
void refresh();
