// One message as the phone shows it. Everything that came from elsewhere is put into the page as text, never as markup.
import { el } from "../common/dom";
import { flex, type Stage } from "./flex";
import { type Action, type Bubble, type Json, list, object, text } from "./types";

const words = (s: string): HTMLElement => {
  const p = el("p", { class: "words" });
  for (const [i, part] of s.split(/(https?:\/\/[^\s<>"]+)/).entries())
    p.append(i % 2 ? el("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part);
  return p;
};

function buttons(actions: Json[], stage: Stage): HTMLElement {
  return el(
    "div",
    { class: "actions" },
    ...(actions as unknown as Action[]).map((a) => {
      const b = el("button", { type: "button", "data-testid": "action" }, a.label ?? a.text ?? a.type);
      b.addEventListener("click", () => stage.act(a));
      return b;
    }),
  );
}

function card(c: Json, stage: Stage): HTMLElement {
  const image = text(c, "thumbnailImageUrl") || text(c, "imageUrl");
  const node = el("div", { class: "card", "data-testid": "card" });
  if (image) node.append(el("img", { class: "thumb", src: stage.picture(image), alt: "" }));
  if (text(c, "title")) node.append(el("strong", {}, text(c, "title")));
  if (text(c, "text")) node.append(el("p", { class: "words" }, text(c, "text")));
  const one = object(c, "action");
  node.append(buttons(one ? [one] : list(c, "actions"), stage));
  return node;
}

function location(m: Json): HTMLElement {
  const at = `${Number(m["latitude"]).toFixed(5)}, ${Number(m["longitude"]).toFixed(5)}`;
  return el(
    "div",
    { class: "place" },
    el("span", { class: "map", "aria-hidden": "true" }, el("i", { class: "pin" })),
    el("strong", {}, text(m, "title") || "Location"),
    el("span", {}, text(m, "address")),
    el("span", { class: "sub" }, at),
  );
}

// What fetching the account's picture gave, where it was not good: the real LINE shows it broken without a word.
function problems(b: Bubble): HTMLElement[] {
  return Object.entries(b.media ?? {}).flatMap(([name, v]) => {
    const problem = text(v as Json, "problem");
    return problem ? [el("p", { class: "broken", "data-testid": "media-problem" }, `${name}: ${problem}`)] : [];
  });
}

export function content(b: Bubble, stage: Stage): (Node | string)[] {
  const m = b.message;
  const own = text(b.media, "url");
  const url = text(m, "originalContentUrl") || text(object(m, "contentProvider"), "originalContentUrl");
  const src = own || (url && stage.picture(url));
  switch (text(m, "type")) {
    case "text":
    case "textV2":
      return [words(text(m, "text"))];
    case "image": {
      const img = el("img", { class: "photo", src: own || stage.picture(text(m, "previewImageUrl") || url), alt: "A picture", "data-testid": "picture" });
      return [el("a", { href: src, target: "_blank", rel: "noopener" }, img), ...problems(b)];
    }
    case "video": {
      const poster = text(m, "previewImageUrl");
      return [el("video", { class: "photo", src, controls: "", preload: "none", ...(poster ? { poster: stage.picture(poster) } : {}) }), ...problems(b)];
    }
    case "audio":
      return [el("audio", { src, controls: "", preload: "none" }), ...problems(b)];
    case "file":
      return [el("a", { href: src, download: text(m, "fileName") }, `${text(m, "fileName")} (${m["fileSize"]} bytes)`)];
    case "sticker": {
      const alt = (Array.isArray(m["keywords"]) ? String(m["keywords"][0]) : "") || "Sticker";
      return [el("img", { class: "sticker", src: `/stickershop/v1/sticker/${encodeURIComponent(text(m, "stickerId"))}/android/sticker.png`, alt, "data-testid": "sticker" })];
    }
    case "location":
      return [location(m)];
    case "flex":
      return [flex(object(m, "contents"), stage)];
    case "template": {
      const t = object(m, "template");
      const columns = list(t, "columns");
      if (!columns.length) return [card(t ?? {}, stage)];
      return [el("div", { class: "carousel", tabindex: "0", role: "group", "aria-label": text(m, "altText") }, ...columns.map((c) => card(c, stage)))];
    }
    case "imagemap":
      return [words(text(m, "altText")), buttons(list(m, "actions"), stage)];
    case "coupon":
      return [words(`Coupon ${text(m, "couponId")}`)];
    default:
      return [words(text(m, "type"))];
  }
}

const notes: Record<string, string> = {
  follow: "Added the account as a friend", unfollow: "Blocked the account", "switch back": "The chat came back",
  switch: "The chat was handed over to", notice: "A note went to",
};
// Events that are no bubble but a line in the middle.
export function note(b: Bubble): string | undefined {
  if (b.unsent) return "A message was unsent";
  const said = notes[text(b.message, "type")];
  return said && `${said} ${text(b.message, "destinationId")}`.trim();
}

// Full-width things are not framed by a bubble.
export const bare = (b: Bubble): boolean => ["sticker", "flex", "image", "video", "template"].includes(text(b.message, "type"));
