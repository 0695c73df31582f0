// Messages with more than text: pictures, things to tap, cards, lists. All of it is made of elements and text, never of markup.
import type { Chat, Item, Message } from "./chat";
import { t } from "./texts";

export type Say = (text: string) => void;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Only what a browser opens without running it. */
export function safe(url: string | undefined): string | undefined {
  try {
    const u = new URL(url ?? "");
    return ["https:", "http:", "mailto:", "tel:"].includes(u.protocol) ? u.href : undefined;
  } catch {
    return undefined;
  }
}
function link(url: string, text: string): HTMLElement {
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** Text with its line ends, and with its addresses as links. */
export function prose(text: string): DocumentFragment {
  const all = document.createDocumentFragment();
  let at = 0;
  for (const m of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g)) {
    const url = safe(m[0]);
    if (!url) continue;
    all.append(text.slice(at, m.index), link(url, m[0]));
    at = m.index + m[0].length;
  }
  all.append(text.slice(at));
  return all;
}

function outsidePicture(item: Item): HTMLElement | undefined {
  const src = safe(item.image);
  return src ? el("img", { src, alt: item.imageText ?? "", loading: "lazy", referrerpolicy: "no-referrer" }) : undefined;
}

const blobs = new Map<string, string>();
function picture(chat: Chat, item: Item, who: string): HTMLElement {
  const img = el("img", { alt: item.name || t("picture", who), "data-testid": "picture" });
  const absolute = item.mime ? undefined : safe(item.url);
  const key = item.url ?? "";
  const show = (src: string): void => {
    img.src = src;
    box.setAttribute("href", src);
  };
  const box = el("a", { target: "_blank", rel: "noopener noreferrer", class: "picture" }, img);
  const known = absolute ?? blobs.get(key);
  if (known) show(known);
  else
    void chat
      .file(key)
      .then((b) => {
        const src = URL.createObjectURL(b);
        blobs.set(key, src);
        show(src);
      })
      .catch(() => box.replaceWith(el("span", {}, item.name ?? t("picture", who))));
  return box;
}

/** The hub says what is attached in the text, too, for pages that know no attachments. */
export function withoutFiles(m: Message): string {
  let text = m.text ?? "";
  for (const i of m.content ?? []) {
    if (i.type === "file") text = "";
    else if (i.type === "attachment" && i.name && i.url) text = text.replace(`${i.name}: ${i.url}`, "").trim();
  }
  return text;
}
/** A file that the guest has sent: only this chat gets it, with both headers. */
function ownFile(chat: Chat, item: Item): HTMLElement {
  const name = item.name ?? "file";
  const b = button(name, () => {
    void chat
      .file(item.url ?? "")
      .then((blob) => {
        const href = URL.createObjectURL(blob);
        el("a", { href, download: name }).click();
        setTimeout(() => URL.revokeObjectURL(href), 60000);
      })
      .catch(() => {
        b.setAttribute("disabled", ""); // it is gone
      });
  });
  b.setAttribute("data-testid", "own-file");
  return b;
}

function button(text: string, pressed: () => void): HTMLElement {
  const b = el("button", { type: "button", class: "choice" }, text);
  b.addEventListener("click", pressed);
  return b;
}
function component(c: Item, say: Say): HTMLElement | undefined {
  const url = safe(c.url ?? c.actions?.url);
  const text = c.text ?? c.title ?? "";
  const back = c.actions?.textback;
  if (c.type === "text") return el("p", {}, text);
  if (c.type === "image") return outsidePicture(c);
  if (back) return button(text, () => say(back));
  return url ? link(url, text) : undefined;
}

function card(item: Item, say: Say): HTMLElement {
  const box = el("li", { class: "card" });
  const image = outsidePicture(item);
  const url = safe(item.actions?.url);
  if (image) box.append(image);
  if (item.title) box.append(el("h3", {}, url ? link(url, item.title) : item.title));
  if (item.desc) box.append(el("p", {}, prose(item.desc.replaceAll(/\*+|_{2,}/g, ""))));
  for (const c of item.components ?? []) {
    const made = component(c, say);
    if (made) box.append(made);
  }
  return box;
}

/** A time is shown in the guest's own. */
function titleOf(c: Item): string {
  const at = c.at ? new Date(c.at) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : (c.title ?? c.text ?? "");
}

function pickList(item: Item, name: string, say: Say): HTMLElement {
  const set = el("fieldset", {}, el("legend", {}, item.title ?? t("choose")));
  const form = el("form", { class: "list" }, set);
  if (item.desc) set.append(el("p", {}, item.desc));
  for (const c of item.components ?? []) {
    const input = el("input", { type: "radio", name, value: c.actions?.textback ?? c.title ?? "", required: "" });
    const label = el("label", {}, input, el("span", {}, titleOf(c)));
    if (c.desc) label.append(el("small", {}, c.desc));
    set.append(label);
  }
  set.append(el("button", { type: "submit", class: "choice" }, item.submitLabel ?? t("send")));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const chosen = new FormData(form).get(name);
    if (typeof chosen === "string") {
      set.disabled = true;
      say(chosen);
    }
  });
  return form;
}

function tapList(item: Item, say: Say): HTMLElement {
  const box = el("div", { class: "list" });
  if (item.title) box.append(el("h3", {}, item.title));
  if (item.desc) box.append(el("p", {}, item.desc));
  for (const c of item.components ?? []) {
    const made = component({ ...c, type: "list-item", text: titleOf(c) }, say);
    if (made) box.append(made);
  }
  return box;
}

/** What stands below the text of a message; last: nothing came after it, so its quick replies can still be tapped. */
export function rich(chat: Chat, m: Message, say: Say, last: boolean): (HTMLElement | undefined)[] {
  const items = m.content ?? [];
  if (m.contentType === "quick-replies") {
    if (!last) return [];
    const row = el("div", { class: "quick", role: "group", "aria-label": t("choose"), "data-testid": "quick-replies" });
    for (const i of items) row.append(button(i.text ?? "", () => say(i.text ?? "")));
    return [row];
  }
  if (m.contentType === "generic") {
    const list = el("ul", { class: items.length > 1 ? "cards carousel" : "cards", ...(items.length > 1 ? { tabindex: "0", "aria-label": t("cards") } : {}) });
    for (const i of items) list.append(card(i, say));
    return [list];
  }
  if (m.contentType === "single-selection-list") return items.map((i) => pickList(i, m.index, say));
  if (m.contentType === "list-vertical") return items.map((i) => tapList(i, say));
  return items.map((i) => {
    if (i.type === "image") return picture(chat, i, m.from.nickname ?? "");
    if (i.type === "file") return ownFile(chat, i);
    const url = safe(i.url);
    return url && (i.name || !m.text?.includes(i.url ?? "")) ? link(url, i.name || url) : undefined;
  });
}
