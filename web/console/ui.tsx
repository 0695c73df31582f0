// ui.tsx - the small pieces all pages share: loading, questions, what was said last, tabs, copying.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { reader } from "../common/live";
import { Problem } from "./api";
import { t } from "./i18n";
import { problemText } from "./problems";

export type Children = ComponentChildren;

/* ---- loading --------------------------------------------------------------------------------------------------------- */

export function explain(e: unknown): string {
  if (!(e instanceof Problem)) return String(e);
  if (e.status === 0) return t("error.unreachable");
  if (e.status === 403) return t("error.forbidden");
  if (e.status === 404) return t("error.gone");
  return e.message;
}

export interface Loaded<T> {
  value: T | null;
  error: unknown;
  again: () => void;
}
/** Loads when `key` changes, and when again() is called; while it loads anew the old value stays. One load at a time: what is asked for meanwhile is loaded when it has ended, so that a slow hub's
 * answers are shown however often it is asked. The answer to another key is left alone. */
export function useLoad<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [state, set] = useState<{ key: string; value: T | null; error: unknown }>({ key, value: null, error: null });
  const latest = useRef(load);
  latest.current = load;
  const of = useMemo(() => {
    const mine = { wanted: true, again: () => {} };
    const read = reader(async () => {
      if (!mine.wanted) return;
      await latest.current().then(
        (value) => mine.wanted && set({ key, value, error: null }),
        (error: unknown) => mine.wanted && set((old) => ({ key, value: old.key === key ? old.value : null, error })),
      );
    });
    mine.again = () => void read();
    return mine;
  }, [key]);
  useEffect(() => {
    of.again();
    return () => {
      of.wanted = false;
    };
  }, [of]);
  const mine = state.key === key;
  return { value: mine ? state.value : null, error: mine ? state.error : null, again: of.again };
}

export function Failed({ error }: { error: unknown }) {
  return error ? (
    <p class="failed" role="alert">
      {explain(error)}
    </p>
  ) : null;
}
/** The value, or what is to be shown instead of it. */
export function Loading<T>({ of, children }: { of: Loaded<T>; children: (value: T) => Children }) {
  return (
    <>
      <Failed error={of.error} />
      {of.value !== null ? children(of.value) : of.error ? null : <p aria-busy="true">{t("loading")}</p>}
    </>
  );
}

/** A table that scrolls sideways where it is too wide, also by the keyboard. */
export function Table({ label, caption, heads, testid, children }: { label: string; caption?: boolean; heads: string[]; testid?: string; children: Children }) {
  return (
    <div class="overflow-auto" tabIndex={0} role="region" aria-label={label}>
      <table data-testid={testid}>
        {caption && <caption>{label}</caption>}
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** Calls `tell` at most once in so many ms, and once more at the end when it was called meanwhile. */
export function useThrottle(tell: () => void, ms: number): () => void {
  const latest = useRef(tell);
  latest.current = tell;
  const state = useRef<{ timer: number; again: boolean }>({ timer: 0, again: false });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return () => {
    const s = state.current;
    if (s.timer) {
      s.again = true;
      return;
    }
    latest.current();
    const rest = () => {
      s.timer = 0;
      if (!s.again) return;
      s.again = false;
      latest.current();
      s.timer = window.setTimeout(rest, ms);
    };
    s.timer = window.setTimeout(rest, ms);
  };
}

/** Not while nobody looks. */
export function useEvery(ms: number, tell: () => void): void {
  const latest = useRef(tell);
  latest.current = tell;
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && latest.current(), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/* ---- questions and news ---------------------------------------------------------------------------------------------- */

interface Question {
  title: string;
  text: string;
  yes: string;
  danger?: boolean;
  answer: (yes: boolean) => void;
}
let askIn: (q: Question | null) => void = () => {};
let sayIn: (text: string) => void = () => {};

export function ask(q: Omit<Question, "answer">): Promise<boolean> {
  return new Promise((resolve) => askIn({ ...q, answer: resolve }));
}
/** News for a moment, also read out by screen readers. */
export function say(text: string): void {
  sayIn(text);
}

/** Who sent a form that was refused is led to the first field that is wrong. */
export function useFirstWrong(error: unknown): void {
  useEffect(() => {
    const wrong = error ? document.querySelector<HTMLElement>('dialog [aria-invalid="true"]') : null;
    wrong?.focus();
    wrong?.scrollIntoView({ block: "center" }); // with its label
  }, [error]);
}

export function Modal({ title, close, children }: { title: string; close: () => void; children: Children }) {
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = box.current;
    dialog?.showModal();
    return () => {
      dialog?.close(); // while it is modal nothing else takes the focus
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby="modal-title"
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
    >
      <article>
        <header>
          <button type="button" class="close" aria-label={t("close")} onClick={close} />
          <h2 id="modal-title">{title}</h2>
        </header>
        {children}
      </article>
    </dialog>
  );
}

/** A menu that is open closes by Escape, too; who opened it goes on where they were. */
addEventListener("keydown", (e) => {
  const menu = e.key === "Escape" && document.querySelector<HTMLDetailsElement>("details.dropdown[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
});

export function Messages() {
  const [question, setQuestion] = useState<Question | null>(null);
  const [news, setNews] = useState("");
  const timer = useRef(0);
  askIn = setQuestion;
  sayIn = (text) => {
    setNews(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setNews(""), 6000);
  };
  const answer = (yes: boolean) => {
    question?.answer(yes);
    setQuestion(null);
  };
  return (
    <>
      <div class="news" role="status" aria-live="polite" data-testid="news">
        {news && <span>{news}</span>}
      </div>
      {question && (
        <Modal title={question.title} close={() => answer(false)}>
          <p>{question.text}</p>
          <footer>
            <button type="button" class="secondary" data-testid="answer-no" onClick={() => answer(false)}>
              {t("cancel")}
            </button>
            <button type="button" class={question.danger ? "danger" : ""} data-testid="answer-yes" onClick={() => answer(true)}>
              {question.yes}
            </button>
          </footer>
        </Modal>
      )}
    </>
  );
}

/** Saves it as a file. */
export function download(name: string, json: unknown): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(json, null, 2) + "\n"], { type: "application/json" }));
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/* ---- fields ---------------------------------------------------------------------------------------------------------- */

export function idOf(path: string): string {
  return "f-" + path.replace(/[^a-zA-Z0-9]+/g, "-");
}

/** What joins a control with its label, its help and what is wrong with it. */
export interface ControlAttributes {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: "true" | "false";
  "aria-required"?: "true";
}
export interface FieldProps {
  path: string; // as problems name it
  title: string;
  help?: string | undefined;
  error?: string | undefined;
  good?: boolean;
  required?: boolean;
}
/** A label, a control and what is wrong with it. */
export function Field({ path, title, help, error, good, required, control }: FieldProps & { control: (props: ControlAttributes) => Children }) {
  const id = idOf(path);
  const wrong = error && problemText(help && error.endsWith(`: ${help}`) ? error.slice(0, -help.length - 2) : error); // the help stands below it anyway
  const said = [error && `${id}-error`, help && `${id}-help`].filter(Boolean).join(" ");
  const props: ControlAttributes = { id };
  if (said) props["aria-describedby"] = said;
  if (error) props["aria-invalid"] = "true";
  else if (good) props["aria-invalid"] = "false";
  if (required) props["aria-required"] = "true";
  return (
    <div class="field" data-path={path}>
      <label for={id}>
        {title}
        {required && (
          <span class="required" aria-hidden="true">
            {" *"}
          </span>
        )}
      </label>
      {control(props)}
      {error && (
        <small id={`${id}-error`} class="error" role="alert" data-testid="field-error">
          {wrong}
        </small>
      )}
      {help && (
        <small id={`${id}-help`} class="help">
          {help}
        </small>
      )}
    </div>
  );
}

export function Copy({ text, title }: { text: string; title: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // a page over plain http has no clipboard of its own
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(t("copied"));
  };
  return (
    <div class="copy">
      <code>{text}</code>
      <button type="button" class="secondary small" aria-label={`${t("copy")}: ${title}`} onClick={() => void copy()}>
        {t("copy")}
      </button>
    </div>
  );
}

/* ---- tabs ------------------------------------------------------------------------------------------------------------ */

export interface Tab {
  name: string;
  title: string;
  problems?: number;
}
export function Tabs({ tabs, now, choose, title }: { tabs: Tab[]; now: string; choose: (name: string) => void; title: string }) {
  const move = (e: KeyboardEvent, from: string) => {
    const at = tabs.findIndex((x) => x.name === from);
    const to: Record<string, number> = { ArrowRight: (at + 1) % tabs.length, ArrowLeft: (at + tabs.length - 1) % tabs.length, Home: 0, End: tabs.length - 1 };
    const next = tabs[to[e.key] ?? -1];
    if (!next) return;
    e.preventDefault();
    choose(next.name);
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return (
    <div role="tablist" class="tabs" aria-label={title}>
      {tabs.map((x) => (
        <button
          key={x.name}
          type="button"
          role="tab"
          id={`tab-${x.name}`}
          aria-selected={x.name === now}
          aria-controls="tab-panel"
          tabIndex={x.name === now ? 0 : -1}
          onClick={() => choose(x.name)}
          onKeyDown={(e) => move(e, x.name)}
        >
          {x.title}
          {x.problems ? (
            <span class="count" aria-label={t("problems.count", { n: x.problems })}>
              {x.problems}
            </span>
          ) : null}
        </button>
      ))}
    </div>
  );
}

/** A word in a colour that says the same. */
export function Badge({ kind, children }: { kind: "good" | "bad" | "busy" | "plain"; children: Children }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

/** Pages of a list that has cursors: one page at a time is kept. */
export function usePages(): { after: string | null; back: (() => void) | null; on: (next: string) => void; first: () => void } {
  const [cursors, set] = useState<string[]>([]);
  return {
    after: cursors.at(-1) ?? null,
    back: cursors.length ? () => set((c) => c.slice(0, -1)) : null,
    on: (next) => set((c) => [...c, next]),
    first: () => set([]),
  };
}
export function Pager({ pages, next }: { pages: ReturnType<typeof usePages>; next: string | null }) {
  if (!pages.back && !next) return null;
  return (
    <nav class="pager" aria-label={t("pages")}>
      <button type="button" class="secondary small" disabled={!pages.back} onClick={() => pages.back?.()}>
        {t("page.back")}
      </button>
      <button type="button" class="secondary small" disabled={!next} onClick={() => next && pages.on(next)}>
        {t("page.next")}
      </button>
    </nav>
  );
}

/** A text that takes effect a moment after the last key. */
export function Search({ value, change, title }: { value: string; change: (text: string) => void; title: string }) {
  const [text, set] = useState(value);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      aria-label={title}
      placeholder={title}
      value={text}
      onInput={(e) => {
        const now = e.currentTarget.value;
        set(now);
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => change(now.trim()), 300);
      }}
    />
  );
}
