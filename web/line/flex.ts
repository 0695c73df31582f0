// Flex messages: a box model close enough to LINE's to be read and tapped.
import { el } from "../common/dom";
import { type Action, type Json, list, object, text } from "./types";

export interface Stage {
  picture: (url: string) => string; // where the page loads a message's picture from
  act: (action: Action) => void;
}

const sizes: Record<string, string> = {
  none: "0", xxs: ".68rem", xs: ".76rem", sm: ".85rem", md: ".95rem", lg: "1.1rem", xl: "1.3rem", xxl: "1.6rem", "3xl": "1.9rem", "4xl": "2.2rem", "5xl": "2.5rem",
};
const gaps: Record<string, string> = { none: "0", xs: "2px", sm: "4px", md: "8px", lg: "12px", xl: "16px", xxl: "20px" };
const colour = (s: string): string => (/^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$/.test(s) ? s : "");
const gap = (s: string): string => gaps[s] ?? (/^\d{1,3}(px|%)$/.test(s) ? s : "");

function set(node: HTMLElement, property: string, value: string): void {
  if (value) node.style.setProperty(property, value);
}

function tappable(node: HTMLElement, part: Json, stage: Stage): HTMLElement {
  const action = object(part, "action") as Action | undefined;
  if (!action || node instanceof HTMLButtonElement) return node;
  node.tabIndex = 0;
  node.setAttribute("role", "button");
  if (action.label) node.setAttribute("aria-label", action.label);
  node.classList.add("tappable");
  node.addEventListener("click", (e) => (e.stopPropagation(), stage.act(action)));
  node.addEventListener("keydown", (e) => e.key === "Enter" && e.target === node && stage.act(action));
  return node;
}

function component(part: Json, stage: Stage, horizontal: boolean): HTMLElement {
  const node = tappable(draw(part, stage), part, stage);
  const flex = part["flex"];
  if (typeof flex === "number") node.style.flex = flex === 0 ? "0 0 auto" : `${flex} 1 0`;
  else if (horizontal) node.style.flex = text(part, "type") === "icon" ? "0 0 auto" : "1 1 0";
  set(node, horizontal ? "margin-left" : "margin-top", gap(text(part, "margin")));
  return node;
}

function draw(part: Json, stage: Stage): HTMLElement {
  switch (text(part, "type")) {
    case "box": {
      const horizontal = text(part, "layout") !== "vertical";
      const box = el("div", { class: `flex-box ${text(part, "layout")}` }, ...list(part, "contents").map((p) => component(p, stage, horizontal)));
      set(box, "gap", gap(text(part, "spacing")));
      set(box, "background", colour(text(part, "backgroundColor")));
      set(box, "padding", gap(text(part, "paddingAll")));
      set(box, "border-radius", gap(text(part, "cornerRadius")));
      const border = colour(text(part, "borderColor"));
      if (border) set(box, "border", `1px solid ${border}`);
      return box;
    }
    case "text": {
      const spans = list(part, "contents");
      const p = el("p", { class: "flex-text" }, ...(spans.length ? spans.map((s) => style(el("span", {}, text(s, "text")), s)) : [text(part, "text")]));
      if (part["wrap"] !== true) p.classList.add("one-line");
      set(p, "text-align", ({ center: "center", end: "right" } as Record<string, string>)[text(part, "align")] ?? "");
      return style(p, part);
    }
    case "image":
      return el("img", { class: "flex-image", src: stage.picture(text(part, "url")), alt: "", loading: "lazy" });
    case "icon":
      return el("img", { class: "flex-icon", src: stage.picture(text(part, "url")), alt: "" });
    case "video":
      return el("video", { class: "flex-image", src: stage.picture(text(part, "url")), poster: stage.picture(text(part, "previewUrl")), controls: "", preload: "none" });
    case "button": {
      const action = (object(part, "action") ?? {}) as unknown as Action;
      const button = el("button", { type: "button", class: `flex-button ${text(part, "style") || "link"}`, "data-testid": "action" }, action.label ?? "");
      if (text(part, "style") !== "link") set(button, "background", colour(text(part, "color")));
      button.addEventListener("click", () => stage.act(action));
      return button;
    }
    case "separator":
      return el("hr", { class: "flex-line" });
    default:
      return el("span", { class: "flex-filler" });
  }
}

function style<T extends HTMLElement>(node: T, part: Json): T {
  set(node, "font-size", sizes[text(part, "size")] ?? "");
  set(node, "color", colour(text(part, "color")));
  if (text(part, "weight") === "bold") node.style.fontWeight = "700";
  if (text(part, "style") === "italic") node.style.fontStyle = "italic";
  const decoration = text(part, "decoration");
  if (decoration === "underline" || decoration === "line-through") node.style.textDecoration = decoration;
  return node;
}

function bubble(b: Json, stage: Stage): HTMLElement {
  const styles = object(b, "styles");
  const parts = ["header", "hero", "body", "footer"].flatMap((name) => {
    const part = object(b, name);
    if (!part) return [];
    const node = el("div", { class: `flex-${name}` }, component(part, stage, false));
    set(node, "background", colour(text(object(styles, name), "backgroundColor")));
    return [node];
  });
  return tappable(el("div", { class: `flex-bubble ${text(b, "size") || "mega"}` }, ...parts), b, stage);
}

export function flex(contents: Json | undefined, stage: Stage): HTMLElement {
  if (text(contents, "type") !== "carousel") return bubble(contents ?? {}, stage);
  return el("div", { class: "carousel", tabindex: "0", role: "group", "aria-label": "Cards" }, ...list(contents, "contents").map((b) => bubble(b, stage)));
}
