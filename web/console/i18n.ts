// i18n.ts - the catalogue: every text of these pages in six languages.
//
//   t("tenants.title")          a key that does not exist does not compile; the test of the catalogues finds missing and unused ones
//
// Labels and help of settings come with the API, from the connectors' tables, in English. locales/settings.json has them in the other languages, in the
// order of `others`; what it has not stays English.
import i18next from "i18next";
import en from "./locales/en.json";
import fr from "./locales/fr.json";
import ja from "./locales/ja.json";
import ko from "./locales/ko.json";
import settings from "./locales/settings.json";
import vi from "./locales/vi.json";
import zh from "./locales/zh.json";

export type Key = keyof typeof en;
export const languages = [
  { code: "en", name: "English" },
  { code: "fr", name: "Français" },
  { code: "ja", name: "日本語" },
  { code: "ko", name: "한국어" },
  { code: "zh", name: "简体中文" },
  { code: "vi", name: "Tiếng Việt" },
] as const;
export type Language = (typeof languages)[number]["code"];
const remembered = "dragoman-language";

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return i18next.t(key, values);
}
/** A word the API knows (a state, a part, a role): as the catalogue has it, else as it is. */
export function word(group: "state" | "status" | "kind" | "part" | "role" | "end" | "reason" | "rule" | "topic" | "action" | "matched" | "fate", name: string): string {
  const key = `${group}.${name}`;
  return i18next.exists(key) ? i18next.t(key) : name;
}
const others: Language[] = ["fr", "ja", "ko", "zh", "vi"];
/** Settings' labels and help, by their English text. */
export function label(text: string): string {
  const rows: Record<string, string[]> = settings;
  return (Object.hasOwn(rows, text) && rows[text]?.[others.indexOf(language())]) || text;
}

function preferred(): Language {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(remembered);
  } catch {
    kept = null; // no storage: the browser's own language, then
  }
  for (const wanted of [kept, ...navigator.languages]) {
    const found = languages.find((l) => l.code === wanted?.toLowerCase().split("-")[0]);
    if (found) return found.code;
  }
  return "en";
}

export function startLanguage(): void {
  const resources = Object.fromEntries(Object.entries({ en, fr, ja, ko, zh, vi }).map(([code, texts]) => [code, { translation: texts }]));
  void i18next.init({
    lng: preferred(),
    fallbackLng: "en",
    resources,
    keySeparator: false,
    nsSeparator: false,
    initAsync: false,
    interpolation: { escapeValue: false }, // Preact writes texts, never markup
  });
  document.documentElement.lang = i18next.language === "zh" ? "zh-Hans" : i18next.language;
}
export function language(): Language {
  return i18next.language as Language;
}
export function setLanguage(code: Language): void {
  void i18next.changeLanguage(code);
  document.documentElement.lang = code === "zh" ? "zh-Hans" : code;
  try {
    localStorage.setItem(remembered, code);
  } catch {
    // it holds until the page is loaded again
  }
}

/** A browser may say what no date can be written with: "en-US@posix" of Chromium, where the machine's language is C. */
function canWrite(l: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(l).length > 0;
  } catch {
    return false;
  }
}
/** The language as the reader's own country writes dates and numbers, where the browser says which: "en" is en-GB. */
export function region(): string {
  const l = language();
  return navigator.languages.find((x) => (x === l || x.startsWith(`${l}-`)) && canWrite(x)) ?? l;
}
export function time(iso: string | undefined | null): string {
  return iso ? new Intl.DateTimeFormat(region(), { dateStyle: "short", timeStyle: "medium" }).format(new Date(iso)) : "";
}
export function clock(iso: string): string {
  return new Intl.DateTimeFormat(region(), { timeStyle: "short" }).format(new Date(iso));
}
/** Of what was said another day, the day as well. */
export function clockOrDay(iso: string): string {
  const today = new Date(iso).toDateString() === new Date().toDateString();
  return today ? clock(iso) : new Intl.DateTimeFormat(region(), { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }).format(new Date(iso));
}
export function number(n: number): string {
  return new Intl.NumberFormat(region(), { maximumFractionDigits: 1 }).format(n);
}
/** "1 day 2 minutes": so many seconds, the two largest parts. */
export function duration(seconds: number): string {
  const units: [string, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, size] of units) {
    const n = Math.floor(left / size);
    if (n && parts.length < 2) parts.push(new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long" }).format(n));
    left -= n * size;
  }
  return parts.join(" ") || new Intl.NumberFormat(language(), { style: "unit", unit: "second", unitDisplay: "long" }).format(0);
}
/** How long ago, in the largest unit that fits. */
export function ago(iso: string): string {
  const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const s = (new Date(iso).getTime() - Date.now()) / 1000;
  const [unit, size] = units.find(([, n]) => Math.abs(s) >= n) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(Math.round(s / size), unit);
}
