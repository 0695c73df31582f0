// keys.tsx - the shortcuts: Alt and a letter, anywhere in the page, also while writing. docs/desk.md lists them, and so does the page (Alt+Z).
//
//   useKeys({ a: accept, r: reject })      the innermost part that knows the letter has it; not while a dialog is open
import { useLayoutEffect, useRef } from "preact/hooks";
import { Modal } from "../console/ui";
import { t } from "./i18n";
import type { Key } from "./i18n";

type Doing = (() => void) | undefined;
type Map_ = Record<string, Doing>;
const maps: { current: Map_ }[] = [];

/** The letter, also where Alt makes another sign of it (macOS) or the keyboard has no Latin letters. */
function letter(e: KeyboardEvent): string {
  return /^[a-z]$/i.test(e.key) ? e.key.toLowerCase() : e.code.replace(/^(Key|Digit)/, "").toLowerCase();
}
addEventListener("keydown", (e) => {
  if (!e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || document.querySelector("dialog[open]")) return;
  const pressed = letter(e);
  for (const map of [...maps].reverse()) {
    const doing = map.current[pressed];
    if (!doing) continue;
    e.preventDefault();
    doing();
    return;
  }
});

export function useKeys(map: Map_): void {
  const latest = useRef(map);
  latest.current = map;
  useLayoutEffect(() => { // as soon as it is seen, it can be pressed
    maps.push(latest);
    return () => void maps.splice(maps.indexOf(latest), 1);
  }, []);
}

const table: [string, Key][] = [
  ["Alt+J", "keys.next"],
  ["Alt+K", "keys.previous"],
  ["Alt+A", "keys.accept"],
  ["Alt+R", "keys.reject"],
  ["Alt+M", "keys.message"],
  ["Enter", "keys.send"],
  ["Shift+Enter", "keys.line"],
  ["Alt+I", "keys.responses"],
  ["Alt+O", "keys.emoji"],
  ["Alt+U", "keys.file"],
  ["Alt+L", "keys.rich"],
  ["Alt+G", "keys.whisper"],
  ["Alt+P", "keys.search"],
  ["Alt+X", "keys.transfer"],
  ["Alt+C", "keys.consult"],
  ["Alt+N", "keys.conference"],
  ["Alt+W", "keys.hold"],
  ["Alt+Q", "keys.done"],
  ["Alt+Y", "keys.status"],
  ["Alt+1 … Alt+9", "keys.nth"],
  ["Esc", "keys.close"],
  ["Alt+Z", "keys.help"],
];

export function KeysHelp({ close }: { close: () => void }) {
  return (
    <Modal title={t("keys.title")} close={close}>
      <dl class="keys" data-testid="keys">
        {table.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
