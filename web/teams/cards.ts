// Cards as the client draws them: hero cards, Adaptive Cards, file cards.
import { el } from "../common/dom";

export type Json = { [key: string]: unknown };
export interface Attachment { contentType: string; contentUrl?: string; name?: string; content?: Json }
export interface Hands { // what a card's buttons do
  press(label: string, inputs: Record<string, string>): void;
  consent(accept: boolean): void;
  submit?(data: Json): void; // in a dialog: the inputs with the action's data
}

const list = (v: unknown): Json[] => (Array.isArray(v) ? (v as Json[]) : []);
const text = (v: unknown): string => (typeof v === "string" ? v : "");

function button(label: string, press: () => void): HTMLElement {
  const b = el("button", { type: "button", "data-testid": "card-button" }, label);
  b.addEventListener("click", press);
  return b;
}

function hero(card: Json, hands: Hands): HTMLElement {
  const box = el("div", { class: "card", "data-testid": "hero-card" });
  for (const image of list(card["images"])) box.append(el("p", { class: "sub" }, `Picture: ${text(image["url"])}`));
  if (card["title"]) box.append(el("strong", {}, text(card["title"])));
  if (card["text"]) box.append(el("p", {}, text(card["text"])));
  for (const b of list(card["buttons"])) {
    const label = text(b["title"]);
    if (b["type"] === "openUrl") box.append(el("a", { href: text(b["value"]), rel: "noreferrer", target: "_blank", "data-testid": "card-link" }, label));
    else box.append(button(label, () => hands.press(label, {})));
  }
  return box;
}

function values(form: HTMLElement): Record<string, string> {
  const found: Record<string, string> = {};
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[data-input]")) {
    const id = field.dataset["input"] ?? "";
    if (field instanceof HTMLInputElement && field.type === "checkbox") {
      if (field.dataset["off"] !== undefined) found[id] = field.checked ? field.value : field.dataset["off"];
      else if (field.checked) found[id] = found[id] ? `${found[id]},${field.value}` : field.value;
    } else if (field instanceof HTMLInputElement && field.type === "radio") {
      if (field.checked) found[id] = field.value;
    } else found[id] = field.value;
  }
  return found;
}

function choices(v: Json): HTMLElement {
  const id = text(v["id"]);
  const group = el("fieldset", {}, el("legend", {}, text(v["label"]) || "Choose"));
  if (v["style"] === "compact" && v["isMultiSelect"] !== true) {
    const select = el("select", { "data-input": id, "aria-label": id });
    for (const c of list(v["choices"])) select.append(el("option", { value: text(c["value"]) }, text(c["title"])));
    group.append(select);
    return group;
  }
  for (const c of list(v["choices"]))
    group.append(el("label", {}, el("input", { type: v["isMultiSelect"] === true ? "checkbox" : "radio", name: id, value: text(c["value"]), "data-input": id }), text(c["title"])));
  return group;
}

function element(v: Json, form: HTMLElement, hands: Hands): Node[] {
  const id = text(v["id"]);
  const kinds: Record<string, () => Node[]> = {
    TextBlock: () => [el("p", v["weight"] === "Bolder" || v["weight"] === "bolder" ? { class: "bold" } : {}, text(v["text"]))],
    Image: () => [el("p", { class: "sub" }, `Picture: ${text(v["url"])}`)],
    FactSet: () => list(v["facts"]).map((f) => el("p", {}, `${text(f["title"])} ${text(f["value"])}`)),
    Container: () => list(v["items"]).flatMap((i) => element(i, form, hands)),
    ColumnSet: () => list(v["columns"]).flatMap((i) => element({ ...i, type: "Container" }, form, hands)),
    ActionSet: () => [actions(list(v["actions"]), form, hands)],
    "Input.Text": () => [el("input", { "data-input": id, placeholder: text(v["placeholder"]), "aria-label": text(v["label"]) || id })],
    "Input.Number": () => [el("input", { "data-input": id, type: "number", "aria-label": id })],
    "Input.Date": () => [el("input", { "data-input": id, type: "date", "aria-label": id })],
    "Input.Time": () => [el("input", { "data-input": id, type: "time", "aria-label": id })],
    "Input.Toggle": () => [el("label", {}, el("input", { type: "checkbox", "data-input": id, value: text(v["valueOn"]) || "true", "data-off": text(v["valueOff"]) || "false" }), text(v["title"]))],
    "Input.ChoiceSet": () => [choices(v)],
  };
  return kinds[text(v["type"])]?.() ?? [];
}

function actions(all: Json[], form: HTMLElement, hands: Hands): HTMLElement {
  const row = el("div", { class: "actions" });
  for (const a of all) {
    const label = text(a["title"]);
    if (a["type"] === "Action.ShowCard") row.append(el("details", {}, el("summary", {}, label), adaptive((a["card"] as Json | undefined) ?? {}, hands)));
    else if (a["type"] === "Action.OpenUrl") row.append(el("a", { href: text(a["url"]), rel: "noreferrer", target: "_blank" }, label));
    else row.append(button(label, () => (hands.submit ? hands.submit({ ...(a["data"] as Json | undefined), ...values(form) }) : hands.press(label, values(form)))));
  }
  return row;
}

export function adaptive(card: Json, hands: Hands): HTMLElement {
  const box = el("div", { class: "card", "data-testid": "adaptive-card" });
  box.append(...list(card["body"]).flatMap((v) => element(v, box, hands)), actions(list(card["actions"]), box, hands));
  return box;
}

export function attachment(a: Attachment, media: Json | undefined, hands: Hands): Node | undefined {
  if (a.contentType.startsWith("image/")) {
    const own = a.contentUrl?.match(/\/v3\/attachments\/([^/]+)\//)?.[1] ?? text(media?.["file"]);
    return own ? el("img", { src: `/sim/files/${own}`, alt: a.name ?? "Picture" }) : el("p", { class: "sub" }, a.contentUrl ?? "");
  }
  if (a.contentType.endsWith(".card.hero")) return hero(a.content ?? {}, hands);
  if (a.contentType.endsWith(".card.adaptive")) return adaptive(a.content ?? {}, hands);
  if (a.contentType.endsWith(".file.download.info")) return el("div", { class: "card" }, `📄 ${a.name}`);
  if (a.contentType.endsWith(".card.file.info")) return el("div", { class: "card", "data-testid": "file-card" }, `📄 ${a.name} (${text(media?.["name"]) ? String(media?.["bytes"]) : "?"} bytes)`);
  if (a.contentType.endsWith(".file.consent")) {
    const ask = el("div", { class: "card", "data-testid": "consent-card" }, el("strong", {}, `📄 ${a.name}`), el("p", {}, `${String(a.content?.["sizeInBytes"])} bytes. Take this file into your OneDrive?`));
    ask.append(button("Allow", () => hands.consent(true)), button("Decline", () => hands.consent(false)));
    return ask;
  }
  return undefined;
}
