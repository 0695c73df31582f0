// i18n.ts - the desk's own catalogue beside the console's, in the same languages. What both need (words of states, reasons, downgrades) is the console's.
import i18next from "i18next";
import { languages, region, startLanguage } from "../console/i18n";
import en from "./locales/en.json";
import fr from "./locales/fr.json";
import ja from "./locales/ja.json";
import ko from "./locales/ko.json";
import vi from "./locales/vi.json";
import zh from "./locales/zh.json";

export type Key = keyof typeof en;
const namespace = "desk";

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return i18next.t(key, { ...values, ns: namespace });
}
/** A word the API knows: as the catalogue has it, else as it is. */
export function word(group: "interaction" | "agent" | "delivery" | "part" | "event", name: string): string {
  const key = `${group}.${name}`;
  return i18next.exists(key, { ns: namespace }) ? i18next.t(key, { ns: namespace }) : name;
}

/** asked: the language and the direction that the address asks for (?lang=fr&dir=rtl). */
export function start(asked: URLSearchParams): void {
  startLanguage();
  for (const [code, texts] of Object.entries({ en, fr, ja, ko, zh, vi })) i18next.addResourceBundle(code, namespace, texts);
  const wanted = languages.find((l) => l.code === asked.get("lang")?.toLowerCase().split("-")[0]);
  if (wanted) {
    void i18next.changeLanguage(wanted.code);
    document.documentElement.lang = wanted.code === "zh" ? "zh-Hans" : wanted.code;
  }
  if (asked.get("dir") === "rtl") document.documentElement.dir = "rtl";
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${region()} ${name}`;
  const found = formats.get(key) ?? new Intl.DateTimeFormat(region(), options);
  formats.set(key, found);
  return found;
}
export function clock(ms: number): string {
  return format("clock", { timeStyle: "short" }).format(ms);
}
export function day(ms: number): string {
  return format("day", { dateStyle: "full" }).format(ms);
}
export function moment(ms: number): string {
  return format("moment", { dateStyle: "short", timeStyle: "short" }).format(ms);
}
/** 2:05, 3:12:09 */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  return hours ? `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}
export function percent(share: number): string {
  return new Intl.NumberFormat(region(), { style: "percent", maximumFractionDigits: 0 }).format(share);
}
