// The page of the Slack simulator: what a member of a workspace sees of the app, in a direct conversation or in the channel.
import { composer } from "../common/composer";
import { api, el, when } from "../common/dom";
import { faultPanel, usualFaults } from "../common/faults";
import { follow, reader } from "../common/live";

interface Text { type: string; text: string }
interface Option { text: Text; value: string }
interface Element { type: string; text?: Text; value?: string; url?: string; style?: string; options?: Option[]; placeholder?: Text; image_url?: string; alt_text?: string; action_id?: string }
interface Block { type: string; block_id?: string; text?: Text; fields?: Text[]; accessory?: Element; elements?: (Element & Text)[]; image_url?: string; alt_text?: string; label?: Text; element?: Element }
interface File { id: string; name: string; mimetype: string }
interface Message { text?: string; blocks?: Block[]; files?: File[]; username?: string; user?: string; attachments?: { text?: string; fallback?: string }[]; edited?: unknown }
interface Entry { from: "guest" | "bot"; ts: string; thread?: string; message: Message }
interface View { title: Text; submit?: Text; close?: Text; blocks: Block[] }
interface Guest { number: number; id: string; name: string; workspace: string; typing_ms: number; view?: View }
interface Workspace { id: string; name: string; installed: boolean; bot: string }

const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
let guests: Guest[] = [];
let spaces: Workspace[] = [];
let now: Guest | undefined;
let inChannel = false;
let shownView = "";

const path = (what: string): string => `/sim/guests/${now?.number ?? 1}/${what}`;

async function act(what: string, body: Record<string, unknown>): Promise<void> {
  const problem = $("problem");
  problem.hidden = true;
  try {
    await api("POST", path(what), inChannel ? { in: "channel", ...body } : body);
  } catch (e) {
    problem.textContent = e instanceof Error ? e.message : String(e);
    problem.hidden = false;
  }
  await refresh();
}

// mrkdwn, as far as a page needs it: escapes, links, mentions, bold.
function words(text: string): Node[] {
  const out: Node[] = [];
  for (const part of text.split(/(<[^>]*>|\*[^*\n]+\*)/)) {
    const plain = (s: string): string => s.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    const token = /^<([^|>]*)\|?([^>]*)>$/.exec(part);
    if (token) {
      const [, what = "", label = ""] = token;
      const person = guests.find((g) => `@${g.id}` === what);
      const app = spaces.some((s) => `@${s.bot}` === what);
      if (what.startsWith("@")) out.push(el("strong", {}, `@${app ? "app" : (person?.name ?? what.slice(1))}`));
      else if (/^https?:/.test(what)) out.push(el("a", { href: plain(what), rel: "noreferrer" }, plain(label || what)));
      else out.push(document.createTextNode(plain(label || what)));
    } else if (/^\*.+\*$/.test(part)) out.push(el("strong", {}, plain(part.slice(1, -1))));
    else out.push(document.createTextNode(plain(part)));
  }
  return out;
}

const said = (t: Text | undefined): Node[] => (t ? (t.type === "plain_text" ? [document.createTextNode(t.text)] : words(t.text)) : []);

function picture(url: string, alt: string): HTMLElement {
  return url.startsWith(location.origin) || url.startsWith("/") ? el("img", { src: url, alt }) : el("span", { class: "context" }, `[${alt}] ${url}`);
}

function control(e: Element): HTMLElement {
  if (e.type === "image") return picture(e.image_url ?? "", e.alt_text ?? "");
  if (e.type === "button") {
    const b = el("button", { type: "button", class: e.style ?? "", "data-testid": "choice", title: e.url ?? "" }, e.url ? `${e.text?.text} ↗` : (e.text?.text ?? ""));
    b.addEventListener("click", () => void act("tap", { label: e.text?.text, labels: chosen(b) }));
    return b;
  }
  if (e.options) {
    const many = e.type.startsWith("multi_") || e.type === "checkboxes";
    const select = el("select", { "data-testid": "list", "aria-label": e.placeholder?.text ?? "Choose" });
    if (many) select.multiple = true;
    else select.append(el("option", { value: "" }, e.placeholder?.text ?? "…"));
    for (const o of e.options) select.append(el("option", { value: o.text.text }, o.text.text));
    if (!many) select.addEventListener("change", () => select.value && void act("tap", { label: select.value }));
    return select;
  }
  return el("span", { class: "context" }, `[${e.type}]`);
}

// What is chosen in the list of several that belongs to this button's message.
function chosen(button: HTMLElement): string[] {
  const list = button.closest("li")?.querySelector<HTMLSelectElement>("select[multiple]");
  return list ? Array.from(list.selectedOptions, (o) => o.value) : [];
}

function block(b: Block): HTMLElement {
  switch (b.type) {
    case "header": return el("div", { class: "head" }, ...said(b.text));
    case "divider": return el("hr");
    case "image": return picture(b.image_url ?? "", b.alt_text ?? "");
    case "actions": return el("div", { class: "row" }, ...(b.elements ?? []).map(control));
    case "context": return el("div", { class: "context" }, ...(b.elements ?? []).flatMap((e) => (e.type === "image" ? [control(e)] : said(e))));
    case "section": return el("div", { class: "row section" }, el("span", { class: "text" }, ...said(b.text), ...(b.fields ?? []).flatMap(said)), ...(b.accessory ? [control(b.accessory)] : []));
    default: return el("div");
  }
}

function bubble({ from, ts, thread, message: m }: Entry): HTMLElement {
  const item = el("li", { class: thread && thread !== ts ? "reply" : "", "data-testid": from === "bot" ? "message-bot" : "message-guest" });
  const who = from === "bot" ? (m.username ?? "App") : (guests.find((g) => g.id === m.user)?.name ?? "?");
  item.append(el("span", { class: "who", "data-testid": "who" }, who));
  if (from === "bot") item.append(el("span", { class: "app" }, "APP"));
  item.append(el("time", {}, when(new Date(Number(ts.split(".")[0]) * 1000).toISOString())));
  const blocks = (m.blocks ?? []).filter((b) => b.type !== "rich_text");
  if (blocks.length) item.append(...blocks.map(block));
  else if (m.text) item.append(el("span", { class: "text" }, ...words(m.text)));
  for (const a of m.attachments ?? []) item.append(el("span", { class: "context text" }, a.text ?? a.fallback ?? ""));
  for (const f of m.files ?? []) item.append(f.mimetype?.startsWith("image/") ? el("img", { src: `/sim/files/${f.id}`, alt: f.name }) : el("a", { href: `/sim/files/${f.id}` }, `📄 ${f.name ?? "file"}`));
  if (m.edited) item.append(el("span", { class: "sub" }, "(edited)"));
  return item;
}

function inputs(v: View, form: HTMLFormElement): void {
  for (const b of v.blocks) {
    if (b.type !== "input" || !b.element) {
      form.append(block(b));
      continue;
    }
    const id = `in-${b.block_id}`;
    form.append(el("label", { for: id }, b.label?.text ?? ""));
    const kinds: Record<string, string> = { datepicker: "date", timepicker: "time", number_input: "number", email_text_input: "email", url_text_input: "url" };
    const field = b.element.options ? el("select", { id, name: b.block_id ?? "" }, ...b.element.options.map((o) => el("option", {}, o.text.text)))
      : el("input", { id, name: b.block_id ?? "", type: kinds[b.element.type] ?? "text" });
    form.append(field);
  }
}

function dialog(v: View | undefined): void {
  const box = $<HTMLDialogElement>("dialog");
  const is = JSON.stringify(v ?? "");
  if (is === shownView) return;
  shownView = is;
  box.replaceChildren();
  if (!v) {
    box.close();
    return;
  }
  const form = el("form");
  form.append(el("h2", { id: "dialog-title" }, v.title.text));
  inputs(v, form);
  const close = el("button", { type: "button", "data-testid": "dialog-close" }, v.close?.text ?? "Close");
  close.addEventListener("click", () => void act("close", {}));
  form.append(el("div", { class: "row" }, el("button", { type: "submit", class: "primary", "data-testid": "dialog-submit" }, v.submit?.text ?? "Submit"), close));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    void act("submit", { values: Object.fromEntries(new FormData(form).entries()) });
  });
  box.append(form);
  box.showModal();
}

function people(): HTMLElement[] {
  return spaces.flatMap((s) => {
    const list = el("ul");
    const entry = (label: string, g: Guest, channel: boolean): void => {
      const here = g.id === now?.id && channel === inChannel;
      const pick = el("button", { type: "button", "aria-current": String(here), "data-testid": channel ? `channel-${g.number}` : `guest-${g.number}` }, label);
      pick.addEventListener("click", () => { now = g; inChannel = channel; void refresh(); });
      list.append(el("li", {}, pick));
    };
    for (const g of guests.filter((x) => x.workspace === s.id)) {
      entry(g.name, g, false);
      entry(`${g.name} in #care`, g, true);
    }
    return [el("h2", {}, `${s.name}${s.installed ? "" : " (app not let in)"}`), list];
  });
}

const refresh = reader(async () => {
  const all = (await api("GET", "/sim/guests")) as { guests: Guest[]; workspaces: Workspace[] };
  guests = all.guests;
  spaces = all.workspaces;
  now = guests.find((g) => g.id === now?.id) ?? guests[0];
  $("guests").replaceChildren(...people());
  $("title").textContent = inChannel ? "#care" : `${now?.name} and the app`;
  $("typing").textContent = (now?.typing_ms ?? 0) > 0 ? "App is typing…" : "";
  const { messages } = (await api("GET", path(inChannel ? "messages?in=channel" : "messages"))) as { messages: Entry[] };
  const chat = $("chat");
  chat.replaceChildren(...messages.map(bubble));
  chat.scrollTop = chat.scrollHeight;
  dialog(now?.view);
});

faultPanel($<HTMLFormElement>("faults"), usualFaults("Requests", "signatures"));

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
composer(4000, (text) => void act("send", { type: "text", text: escaped(text) }), () => void act("send", { type: "file" }),
  ({ picture: _, ...file }) => void act("send", { type: "file", ...file }));
$("assistant").addEventListener("click", () => void act("send", { type: "assistant" }));
$("verify").addEventListener("click", () => void api("POST", "/sim/verify").then((r) => { $("hook").textContent = (r as { good: boolean }).good ? "URL verified" : "URL not verified"; }));
$("dialog").addEventListener("cancel", (e) => { e.preventDefault(); void act("close", {}); });

follow(refresh, ["message", "reset"]).addEventListener("request", (e) => {
  const { status, took_ms } = JSON.parse((e as MessageEvent<string>).data) as { status: number; took_ms: number };
  $("hook").textContent = `Request: ${status || "no answer"} in ${took_ms} ms`;
});
setInterval(() => { if ((now?.typing_ms ?? 0) > 0) void refresh(); }, 2000);
void refresh();
