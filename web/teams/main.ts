// The page of the Teams simulator: the chats of the simulated people with the bot, and a channel.
import { composer } from "../common/composer";
import { api, el, when } from "../common/dom";
import { faultPanel, usualFaults } from "../common/faults";
import { follow, reader } from "../common/live";
import { adaptive, attachment } from "./cards";
import type { Attachment, Hands, Json } from "./cards";

interface Activity { text?: string; textFormat?: string; attachments?: Attachment[]; attachmentLayout?: string; suggestedActions?: { actions: { title: string }[] } }
interface Entry { from: "guest" | "bot"; who: string; at: string; id: string; thread?: string; edited: boolean; activity: Activity; media?: Json }
interface Guest { number: number | "room"; name: string; removed: boolean; typing_ms: number }
interface Task { type: "continue" | "message"; value: unknown }
interface Invoke { status: number; body?: { task?: Task; value?: unknown } }

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
let now: Guest | undefined;
let shownInvoke = "";

const path = (what: string): string => `/sim/guests/${now?.number ?? 1}/${what}`;

async function act(what: string, body: Json): Promise<void> {
  const problem = $("problem");
  problem.hidden = true;
  const forge = $<HTMLSelectElement>("forge");
  try {
    await api("POST", path(what), forge.value ? { ...body, forge: forge.value } : body);
  } catch (e) {
    problem.textContent = e instanceof Error ? e.message : String(e);
    problem.hidden = false;
  }
  forge.value = "";
  await refresh();
}

const hands: Hands = {
  press: (label, inputs) => void act("press", { label, inputs }),
  consent: (accept) => void act("consent", { accept }),
};

// "**Ken**: it\\'s" as the client shows it: the name in bold, escapes taken away.
function words(a: Activity): Node[] {
  const plain = (s: string): string => s.replace(/\\([\\`*_{}[\]()#+\-.!~>|<])/g, "$1").replace(/ {2}\n/g, "\n");
  const text = (a.text ?? "").replace(/<at>(.*?)<\/at>/g, "@$1");
  if (a.textFormat !== "markdown") return [el("span", {}, decode(text))];
  const bold = /^\*\*(.+?)\*\*: /s.exec(text);
  if (!bold) return [el("span", {}, plain(text))];
  return [el("strong", { "data-testid": "agent-name" }, plain(bold[1] ?? "")), el("span", {}, `: ${plain(text.slice(bold[0].length))}`)];
}

function decode(s: string): string {
  return s.replace(/&(amp|lt|gt);/g, (all, name: string) => ({ amp: "&", lt: "<", gt: ">" })[name] ?? all);
}

function bubble({ from, who, at, thread, edited, activity: a, media }: Entry): HTMLElement {
  const item = el("li", { class: from === "guest" ? "mine" : "bot", "data-testid": from === "guest" ? "bubble-out" : "bubble-in" });
  item.append(el("p", { class: "sub" }, `${who} · ${when(at)}${edited ? " · edited" : ""}${thread ? ` · thread ${thread.slice(-4)}` : ""}`));
  if (a.text) item.append(el("p", { class: "words" }, ...words(a)));
  const row = el("div", { class: a.attachmentLayout === "carousel" ? "carousel" : "" });
  for (const one of a.attachments ?? []) {
    const node = one.contentType === "text/html" ? undefined : attachment(one, media, hands);
    if (node) row.append(node);
  }
  item.append(row);
  return item;
}

function showInvoke(invoke: Invoke | undefined): void {
  const json = JSON.stringify(invoke ?? null);
  if (!invoke || json === shownInvoke) return;
  shownInvoke = json;
  const toast = $("toast");
  const task = invoke.body?.task;
  toast.hidden = false;
  toast.textContent = invoke.status === 200 ? String(task?.type === "message" ? task.value : (invoke.body?.value ?? "")) : "Something went wrong. Please try again.";
  toast.hidden = toast.textContent === "" || task?.type === "continue";
  const dialog = $<HTMLDialogElement>("dialog");
  if (task?.type !== "continue") {
    dialog.close();
    return;
  }
  const value = task.value as { title: string; card: { content: Json } };
  $("dialog-title").textContent = value.title;
  $("dialog-card").replaceChildren(adaptive(value.card.content, { ...hands, submit: (data) => void act("dialog", { data }) }));
  if (!dialog.open) dialog.showModal();
}

const refresh = reader(async () => {
  const all = (await api("GET", "/sim/guests")) as { bot: { name: string }; guests: Guest[] };
  now = all.guests.find((g) => g.number === now?.number) ?? all.guests[0];
  $("title").textContent = now?.number === "room" ? `${now.name} › General` : all.bot.name;
  $("typing").textContent = (now?.typing_ms ?? 0) > 0 ? `${all.bot.name} is typing…` : "";
  $("install").textContent = now?.removed ? "Add the app" : "Remove the app";
  $("mention-label").hidden = now?.number !== "room";
  const list = $("guests");
  list.replaceChildren();
  for (const g of all.guests) {
    const pick = el("button", { type: "button", "aria-current": String(g.number === now?.number), "data-testid": `guest-${g.number}` }, g.number === "room" ? `# ${g.name} (channel)` : g.name);
    pick.addEventListener("click", () => { now = g; shownInvoke = ""; void refresh(); });
    list.append(el("li", {}, pick));
  }
  const { messages, invoke } = (await api("GET", path("messages"))) as { messages: Entry[]; invoke?: Invoke };
  const chat = $("chat");
  const typing = chat.contains(document.activeElement) && document.activeElement?.matches("input, select");
  if (!typing || chat.childElementCount !== messages.length) chat.replaceChildren(...messages.map(bubble));
  chat.scrollTop = chat.scrollHeight;
  const last = messages.at(-1);
  const offered = last?.from === "bot" ? (last.activity.suggestedActions?.actions ?? []) : [];
  $("suggested").hidden = offered.length === 0;
  $("suggested").replaceChildren(...offered.map((a) => {
    const b = el("button", { type: "button", "data-testid": "suggested-action" }, a.title);
    b.addEventListener("click", () => hands.press(a.title, {}));
    return b;
  }));
  showInvoke(invoke);
});

faultPanel($<HTMLFormElement>("faults"), [
  ...usualFaults("Activities", "signatures", ["/emea/*"]),
  ["keys", "Keys cannot be fetched", { paths: ["/v1/.well-known/*"], status: 500 }],
]);

composer(20000, (text) => void act("send", { type: "text", text, mention: $<HTMLInputElement>("mention").checked }), () => void act("send", { type: "picture" }),
  ({ picture, ...file }) => void act("send", { type: picture ? "picture" : "file", ...file }));
$("install").addEventListener("click", () => void act("send", { type: now?.removed ? "install" : "remove" }));
$("rotate").addEventListener("click", () => void api("POST", "/sim/keys", { rotate: true }));
$("dialog-close").addEventListener("click", () => $<HTMLDialogElement>("dialog").close());

follow(refresh, ["changed"]).addEventListener("activity", (e) => {
  const { status, took_ms } = JSON.parse((e as MessageEvent<string>).data) as { status: number; took_ms: number };
  $("hook").textContent = `Activity: ${status || "no answer"} in ${took_ms} ms`;
});
setInterval(() => { if ((now?.typing_ms ?? 0) > 0) void refresh(); }, 1500);
void refresh();
