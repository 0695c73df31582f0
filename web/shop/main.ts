// The shop of the demonstration: a few goods, and the chat's script tag with what the address says (?key=…&language=…&dir=…&theme=…).
import { el } from "../common/dom";

const goods = [
  { name: "Travelling trunk", price: "€ 240", sign: "🧳" },
  { name: "Field glasses", price: "€ 85", sign: "🔭" },
  { name: "Lantern", price: "€ 32", sign: "🏮" },
  { name: "Compass", price: "€ 48", sign: "🧭" },
];
for (const g of goods)
  document.getElementById("goods")?.append(el("li", {}, el("span", { class: "sign", "aria-hidden": "true" }, g.sign), el("strong", {}, g.name), el("span", {}, g.price)));

const asked = new URLSearchParams(location.search);
for (const code of ["en", "fr", "ja", "ko", "zh-CN", "vi"]) document.getElementById("languages")?.append(el("a", { href: `?language=${code}`, lang: code }, code), " ");
if (asked.get("dir") === "rtl") document.documentElement.dir = "rtl";

const widget = el("script", { src: "/webchat/widget.js", "data-key": asked.get("key") ?? "demo-shop-web-page-key", "data-title": "Demo Shop", "data-fields": "name,email,subject" });
for (const name of ["language", "dir", "theme", "endpoint", "open", "color", "invite", "invite-seconds"]) {
  const value = asked.get(name);
  if (value !== null) widget.setAttribute(`data-${name}`, value);
}
document.body.append(widget);
