// router.ts - which page is shown stands behind the # of the address: #/tenants/ID/messaging is ["tenants", "ID", "messaging"].
//
// Guard: a page with unsaved changes asks before another takes its place; what it calls its own (a tab) is left alone.
import { useEffect, useState } from "preact/hooks";

export interface Guard {
  mine: (route: string[]) => boolean;
  mayLeave: () => Promise<boolean>;
}
let guard: Guard | null = null;
let shown = location.hash;
let granted: string | null = null; // may be gone to without a question
const watchers = new Set<() => void>();

export function routeOf(hash: string): string[] {
  return hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}
export function href(...parts: string[]): string {
  return "#/" + parts.map(encodeURIComponent).join("/");
}
export function go(...parts: string[]): void {
  location.hash = href(...parts);
}
/** Without asking. */
export function leave(...parts: string[]): void {
  granted = href(...parts);
  location.hash = granted;
}
/** Likewise, and without a way back to where we were. */
export function replace(...parts: string[]): void {
  history.replaceState(null, "", href(...parts));
  show();
}

function show(): void {
  shown = location.hash;
  for (const tell of watchers) tell();
}

addEventListener("hashchange", () => {
  if (location.hash === shown) return;
  const wanted = location.hash;
  if (!guard || guard.mine(routeOf(wanted)) || wanted === granted) {
    granted = null;
    show();
    return;
  }
  history.replaceState(null, "", shown || "#/");
  void guard.mayLeave().then((yes) => {
    if (!yes) return;
    granted = wanted;
    location.hash = wanted;
  });
});
addEventListener("beforeunload", (e) => {
  if (guard) e.preventDefault();
});

/** null: nothing to lose. */
export function useGuard(g: Guard | null): void {
  useEffect(() => {
    guard = g;
    return () => {
      if (guard === g) guard = null;
    };
  });
}
export function dropGuard(): void {
  guard = null;
}
/** The same question for what is no link: logging out. */
export async function mayLeave(): Promise<boolean> {
  const yes = !guard || (await guard.mayLeave());
  if (yes) guard = null;
  return yes;
}

export function useRoute(): string[] {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const tell = () => set(location.hash);
    watchers.add(tell);
    tell(); // it may have changed since it was first read
    return () => void watchers.delete(tell);
  }, []);
  return routeOf(hash);
}
