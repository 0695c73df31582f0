// The page of the Apple Messages for Business simulator: the chats of the simulated people with the business.
import { composer } from "../common/composer";
import { api, el, when } from "../common/dom";
import { faultPanel, usualFaults } from "../common/faults";
import { follow, reader } from "../common/live";

interface Item { identifier: string; title?: string; subtitle?: string; startTime?: string }
interface Data {
  listPicker?: { multipleSelection?: boolean; sections?: { title?: string; items?: Item[] }[] };
  "quick-reply"?: { summaryText?: string; items?: Item[] };
  event?: { title?: string; timeslots?: Item[] };
  replyMessage?: { title?: string };
  authenticate?: { status?: string };
  payment?: { state?: string; paymentRequest?: { total?: { label?: string; amount?: string }; currencyCode?: string } };
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

// What a device does by itself when its owner agrees.
function deeds(data: Data, open: boolean): HTMLElement[] {
  const total = data.payment?.paymentRequest?.total;
  const wanted: [string, unknown][] = data.authenticate ? [["Sign in", { type: "sign_in" }], ["Not now", { type: "sign_in", deny: true }]]
    : data.payment ? [[`Pay ${total?.amount ?? ""} ${data.payment.paymentRequest?.currencyCode ?? ""}`, { type: "pay" }]] : [];
  return wanted.map(([label, what]) => {
    const key = el("button", { type: "button", "data-testid": "deed" }, label);
    key.disabled = !open;
    key.addEventListener("click", () => void act(what));
    return key;
  });
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
  const done = i?.data?.authenticate?.status ?? i?.data?.payment?.state;
  const said = done ? [done] : i ? [i.data?.replyMessage?.title ?? i.receivedMessage?.title ?? i.data?.["quick-reply"]?.summaryText, i.receivedMessage?.subtitle]
    : m.richLinkData ? [m.richLinkData.title, m.richLinkData.url] : [m.body?.replaceAll("\ufffc", "")];
  return said.filter(Boolean).join("\n");
}

function bubble({ from, at, message, media }: Entry, last: boolean): HTMLElement {
  const item = el("li", { class: from === "guest" ? "mine" : "bot", "data-testid": "message" });
  for (const file of media ?? [])
    item.append(file.type.startsWith("image/") ? el("img", { src: `/sim/files/${file.id}`, alt: "Picture" }) : el("span", {}, `File, ${file.bytes} bytes\n`));
  item.append(el("span", {}, words(message)));
  if (from === "business" && message.interactiveData?.data) item.append(el("div", { class: "keys" }, ...choices(message.interactiveData.data, last), ...deeds(message.interactiveData.data, last)));
  item.append(el("time", { datetime: at }, when(at)));
  return item;
}

const refresh = reader(async () => {
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
});

faultPanel($<HTMLFormElement>("faults"), usualFaults("Messages", "tokens", ["/v1/*"]));

composer(3000, (text) => void act({ type: "text", text }), () => void act({ type: "picture" }),
  ({ picture, ...file }) => void act({ type: picture ? "picture" : "file", ...file }));
$("close").addEventListener("click", () => void act({ type: "close" }));

follow(refresh, ["change"]);
void refresh();
