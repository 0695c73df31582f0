// The page of the Apple Messages for Business simulator: the chats of the simulated people with the business.
import { api, el, when } from "../common/dom";

interface Item { identifier: string; title?: string; subtitle?: string; startTime?: string }
interface Data {
  listPicker?: { multipleSelection?: boolean; sections?: { title?: string; items?: Item[] }[] };
  "quick-reply"?: { summaryText?: string; items?: Item[] };
  event?: { title?: string; timeslots?: Item[] };
  replyMessage?: { title?: string };
}
interface Message {
  type: string;
  body?: string;
  interactiveData?: { data?: Data; receivedMessage?: { title?: string; subtitle?: string } };
  richLinkData?: { url: string; title?: string };
}
interface Entry { from: "guest" | "business"; at: string; message: Message; media?: { id: string; type: string; bytes: number }[] }
interface Guest { number: number; id: string; name: string; closed: boolean; typing: boolean }

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
let now: Guest | undefined;

const path = (what: string): string => `/sim/guests/${now?.number ?? 1}/${what}`;

async function act(body: unknown): Promise<void> {
  const problem = $("problem");
  problem.hidden = true;
  try {
    await api("POST", path("send"), body);
  } catch (e) {
    problem.textContent = e instanceof Error ? e.message : String(e);
    problem.hidden = false;
  }
  await refresh();
}

function choices(data: Data, open: boolean): HTMLElement[] {
  const items = [...(data.listPicker?.sections ?? []).flatMap((s) => s.items ?? []), ...(data["quick-reply"]?.items ?? []), ...(data.event?.timeslots ?? [])];
  return items.map((item) => {
    const label = item.title ?? item.startTime ?? "";
    const key = el("button", { type: "button", "data-testid": "choice" }, label);
    key.disabled = !open;
    key.title = item.subtitle ?? "";
    key.addEventListener("click", () => void act({ type: "pick", titles: [label] }));
    return key;
  });
}

function words(m: Message): string {
  const i = m.interactiveData;
  const said = i ? [i.data?.replyMessage?.title ?? i.receivedMessage?.title ?? i.data?.["quick-reply"]?.summaryText, i.receivedMessage?.subtitle]
    : m.richLinkData ? [m.richLinkData.title, m.richLinkData.url] : [m.body?.replaceAll("\ufffc", "")];
  return said.filter(Boolean).join("\n");
}

function bubble({ from, at, message, media }: Entry, last: boolean): HTMLElement {
  const item = el("li", { class: from === "guest" ? "mine" : "bot", "data-testid": "message" });
  for (const file of media ?? [])
    item.append(file.type.startsWith("image/") ? el("img", { src: `/sim/files/${file.id}`, alt: "Picture" }) : el("span", {}, `File, ${file.bytes} bytes\n`));
  item.append(el("span", {}, words(message)));
  if (from === "business" && message.interactiveData?.data) item.append(el("div", { class: "keys" }, ...choices(message.interactiveData.data, last)));
  item.append(el("time", { datetime: at }, when(at)));
  return item;
}

async function refresh(): Promise<void> {
  const all = (await api("GET", "/sim/guests")) as { business: string; guests: Guest[] };
  now = all.guests.find((g) => g.id === now?.id) ?? all.guests[0];
  $("bot-name").textContent = all.business;
  $("typing").textContent = now?.typing ? "is typing…" : now?.closed ? "conversation deleted" : "business";
  $("guests").replaceChildren(...all.guests.map((g) => {
    const pick = el("button", { type: "button", "aria-current": String(g.id === now?.id), "data-testid": `guest-${g.number}` }, g.name);
    pick.addEventListener("click", () => { now = g; void refresh(); });
    return el("li", {}, pick);
  }));
  const { messages } = (await api("GET", path("messages"))) as { messages: Entry[] };
  const chat = $("chat");
  const newest = messages.map((m) => m.from === "business" && Boolean(m.message.interactiveData)).lastIndexOf(true);
  chat.replaceChildren(...messages.map((m, i) => bubble(m, i === newest)));
  chat.scrollTop = chat.scrollHeight;
  const hooks = (await api("GET", "/sim/counters")) as { taken: number; refused: number };
  $("hook").textContent = `Taken by the hub: ${hooks.taken}, refused: ${hooks.refused}`;
}

const rules: [string, string, Record<string, unknown>][] = [
  ["429", "429 to every call", { status: 429 }],
  ["500", "500 to every second call", { status: 500, share: 0.5 }],
  ["reset", "Taken, then the connection resets", { reset_after_share: 1 }],
  ["slow", "Slow answers (800 ms)", { slow_ms: 800 }],
  ["down", "Out of service", { down: true }],
  ["duplicate", "Messages twice", { duplicate_share: 1 }],
  ["signature", "Wrong tokens", { bad_signature_share: 1 }],
];
const form = $<HTMLFormElement>("faults");
for (const [id, label] of rules) form.append(el("label", {}, el("input", { type: "checkbox", name: id, "data-testid": `faults-${id}` }), label));
form.addEventListener("change", () => {
  const on = new FormData(form);
  void api("POST", "/sim/faults", { rules: rules.filter(([id]) => on.has(id)).map(([, , rule]) => rule) });
});

$("composer").addEventListener("submit", (e) => {
  const input = $<HTMLInputElement>("message-input");
  e.preventDefault();
  if (input.value) void act({ type: "text", text: input.value });
  input.value = "";
});
$("sample").addEventListener("click", () => void act({ type: "picture" }));
$("close").addEventListener("click", () => void act({ type: "close" }));
$("file-button").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  const file = $<HTMLInputElement>("file").files?.[0];
  if (!file) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    const base64 = String(reader.result).split(",")[1] ?? "";
    void act({ type: file.type.startsWith("image/") ? "picture" : "file", base64, contentType: file.type || "application/octet-stream", name: file.name });
  });
  reader.readAsDataURL(file);
});

new EventSource("/sim/events").addEventListener("change", () => void refresh());
void refresh();
