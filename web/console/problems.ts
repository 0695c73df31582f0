// problems.ts - what the API says of a field, in the language of the page where it is one of its usual sentences. What is not known here is shown as it came.
import { language, t } from "./i18n";
import type { Key } from "./i18n";

const usual: [RegExp, Key][] = [
  [/^is missing\b/, "problem.missing"],
  [/^must not be empty/, "problem.missing"],
  [/^must be a whole number/, "problem.whole"],
  [/^must be between (?<a>-?\d+) and (?<b>-?\d+)/, "problem.between"],
  [/^must be one of: (?<list>.+)/, "problem.one_of"],
  [/^must have at least (?<a>\d+) characters/, "problem.at_least"],
  [/^must be a URL\b/, "problem.url"],
  [/^another \w+ .*has this name/, "problem.name_taken"],
  [/^is too easy to guess/, "problem.weak"],
  [/^basic authentication needs/, "problem.basic"],
];

export function problemText(said: string): string {
  if (language() === "en") return said;
  for (const [pattern, key] of usual) {
    const found = pattern.exec(said);
    if (found) return t(key, { ...found.groups });
  }
  return said;
}
