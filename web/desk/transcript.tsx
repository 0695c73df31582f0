// transcript.tsx - what was said, the newest at the end, earlier pages on demand, with a search in it; and what is still on its way.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { language } from "../console/i18n";
import { Failed } from "../console/ui";
import { clock, day, t } from "./i18n";
import { ContentBox, contentOf, mediaOf, MessageBox } from "./message";
import { deliver, discard, read, typingNow } from "./state";
import type { Lines } from "./state";
import type { Interaction, Message } from "./types";

const near_bottom_px = 80;
const same_ms = 1000; // a message's own time and when the desk heard of it differ by less
const behind_ms = 500;
const behind_tries = 6;
const search_pages = 40; // looked through at most for one search

export function textOf(m: Message): string {
  const c = contentOf(m);
  const cards = (c.cards ?? []).flatMap((x) => [x.title, x.text, ...(x.choices ?? []).map((y) => y.label)]);
  return [c.text, ...mediaOf(c.media).map((x) => x.name), ...(c.choices ?? []).map((x) => x.label), ...cards, c.picker?.title, c.location?.title].filter(Boolean).join("\n");
}
export function holds(m: Message, wanted: string): boolean {
  return textOf(m).toLocaleLowerCase(language()).includes(wanted.toLocaleLowerCase(language()));
}

export interface Search {
  text: string;
  at: number; // which of those found, from the newest
}

/** Looks for a text, the newest first, and reads earlier pages until it is found or there are no more. */
export function useSearch(id: string, lines: Lines): { search: Search; set: (s: Search) => void; found: Message[]; chosen: Message | undefined; looking: boolean } {
  const [search, set] = useState<Search>({ text: "", at: 0 });
  const pages = useRef(0);
  useEffect(() => {
    pages.current = 0;
  }, [id, search.text, search.at]);
  const found = search.text ? lines.items.filter((m) => holds(m, search.text)).reverse() : [];
  const looking = search.text !== "" && found.length <= search.at && lines.next !== null && pages.current < search_pages;
  useEffect(() => {
    if (!looking || lines.state !== "read") return;
    pages.current++;
    void read(id, true);
  });
  return { search, set, found, chosen: found[Math.min(search.at, found.length - 1)], looking };
}

export function Transcript({ i, lines, names, wanted, chosen, author }: { i: Interaction; lines: Lines; names: (user: string | undefined) => string; wanted: string; chosen: Message | undefined; author: (m: Message) => string }) {
  const box = useRef<HTMLDivElement>(null);
  const stick = useRef(true);
  const before = useRef({ height: 0, first: "" });
  const first = lines.items[0]?.id ?? "";
  const typing = typingNow(i.id);
  useEffect(() => {
    if (lines.state === "none" || lines.state === "stale") void read(i.id);
  });
  useLayoutEffect(() => {
    const b = box.current;
    if (!b) return;
    if (before.current.first && first !== before.current.first) b.scrollTop += b.scrollHeight - before.current.height; // earlier ones came: what was read stays in its place
    else if (stick.current && !chosen) b.scrollTop = b.scrollHeight;
    before.current = { height: b.scrollHeight, first };
  });
  useEffect(() => {
    if (chosen) document.getElementById(`m-${chosen.id}`)?.scrollIntoView({ block: "center" });
  }, [chosen?.id]);
  // What brought this conversation here may have been said a moment before the history has it, and was told to nobody else.
  const heard = Math.max(0, ...lines.items.filter((m) => m.from === "guest").map((m) => m.at_ms));
  const behind = lines.state === "read" && (i.last_guest_ms ?? 0) > heard + same_ms;
  const tries = useRef({ of: 0, n: 0 });
  useEffect(() => {
    if (tries.current.of !== i.last_guest_ms) tries.current = { of: i.last_guest_ms ?? 0, n: 0 };
    if (!behind || ++tries.current.n > behind_tries) return;
    const timer = setTimeout(() => void read(i.id), behind_ms);
    return () => clearTimeout(timer);
  }, [behind, i.last_guest_ms, lines.items.length, lines.state]);
  const pictures = () => {
    if (stick.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  let last = "";
  return (
    <div
      class="log"
      ref={box}
      role="log"
      aria-label={t("transcript")}
      tabIndex={0}
      data-testid="transcript"
      onScroll={(e) => {
        const b = e.currentTarget;
        stick.current = b.scrollHeight - b.scrollTop - b.clientHeight < near_bottom_px;
      }}
      onLoadCapture={pictures}
    >
      {lines.next && (
        <button type="button" class="secondary small earlier-button" disabled={lines.state === "reading"} onClick={() => void read(i.id, true)} data-testid="earlier">
          {t("transcript.earlier")}
        </button>
      )}
      <Failed error={lines.error} />
      {lines.state === "reading" && !lines.items.length && <p aria-busy="true">{t("loading")}</p>}
      {lines.items.map((m) => {
        const date = day(m.at_ms);
        const fresh = date !== last;
        last = date;
        return (
          <div key={m.id} class="row">
            {fresh && <p class="day">{date}</p>}
            <MessageBox m={m} names={() => author(m)} wanted={wanted} chosen={m.id === chosen?.id} />
          </div>
        );
      })}
      {lines.pending.map((p) => (
        <article key={p.id} class={`message out pending ${p.shown.whisper ? "whisper" : ""}`} data-testid="line-pending">
          <header>
            <bdi>{names(undefined)}</bdi> <time>{clock(p.at_ms)}</time>
          </header>
          <ContentBox content={p.shown} />
          {p.failed !== undefined ? (
            <footer>
              <span class="why" role="alert">
                {p.failed === "unreachable" ? t("send.unreachable") : p.failed}
              </span>{" "}
              <button type="button" class="small" onClick={() => void deliver(i.id, p)} data-testid="again">
                {t("send.again")}
              </button>{" "}
              <button type="button" class="secondary small" onClick={() => discard(i.id, p)}>
                {t("send.discard")}
              </button>
            </footer>
          ) : (
            <footer class="help">{t("send.busy")}</footer>
          )}
        </article>
      ))}
      {typing.map((x) => (
        <p key={x.who} class="typing" data-testid="typing">
          {t("typing", { name: x.who === "guest" ? i.contact.name || t("guest") : x.who })} {x.preview && <q dir="auto">{x.preview}</q>}
        </p>
      ))}
    </div>
  );
}
