// compose.tsx - writing: text, emoji, files, canned responses, rich messages, words to the other agents only.
//
// Drafts stay with their interaction while the page is open.
import { useEffect, useRef, useState } from "preact/hooks";
import { explain, say as tell } from "../console/ui";
import { emojis } from "./emoji";
import { t } from "./i18n";
import { useKeys } from "./keys";
import { Responses } from "./responses";
import { Rich } from "./rich";
import { act, say, upload } from "./state";
import type { Content, Interaction } from "./types";

const typing_every_ms = 3000;
const typing_rests_ms = 2500;
const field_most_px = 160;

const drafts = new Map<string, string>();

/** How the hub counts a text's characters: code points. */
function characters(text: string): number {
  return [...text].length;
}

/** whisper: "free" to choose, or only ever so (a coach, one who is consulted). */
export function Compose({ i, whisper: how }: { i: Interaction; whisper: "free" | "only" }) {
  const [text, setText] = useState(drafts.get(i.id) ?? "");
  const [palette, setPalette] = useState(false);
  const [open, setOpen] = useState<"" | "responses" | "rich">("");
  const [chosen, setWhisper] = useState(false);
  const [sending, setSending] = useState(0);
  const [over, setOver] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const pick = useRef<HTMLInputElement>(null);
  const typed = useRef({ at: 0, timer: 0 });
  const whisper = how === "only" || chosen;
  const most = i.caps?.text_max ?? 0;

  const grow = () => {
    const f = field.current;
    if (!f) return;
    f.style.height = "auto";
    f.style.height = `${Math.min(f.scrollHeight + 2, field_most_px)}px`;
  };
  const change = (now: string) => {
    setText(now);
    if (now) drafts.set(i.id, now);
    else drafts.delete(i.id);
  };
  useEffect(grow, [text]);
  useEffect(() => () => clearTimeout(typed.current.timer), []);

  const typing = (on: boolean) => void act(i.id, "typing", whisper ? { on, to: "agents" } : { on }).catch(() => undefined); // the next one tells again
  const rest = () => {
    clearTimeout(typed.current.timer);
    if (typed.current.at) typing(false);
    typed.current.at = 0;
  };
  const write = (now: string) => {
    change(now);
    clearTimeout(typed.current.timer);
    if (!now) return rest();
    if (Date.now() - typed.current.at >= typing_every_ms) {
      typed.current.at = Date.now();
      typing(true);
    }
    typed.current.timer = window.setTimeout(rest, typing_rests_ms);
  };
  const insert = (what: string) => {
    const f = field.current;
    if (!f) return;
    f.setRangeText(what, f.selectionStart, f.selectionEnd, "end");
    change(f.value);
    f.focus();
  };
  const body = (what: Record<string, unknown>) => (whisper ? { ...what, whisper: true } : what);
  const send = () => {
    const now = text.trim();
    if (!now) return;
    clearTimeout(typed.current.timer);
    typed.current.at = 0; // a message ends the typing by itself
    change("");
    setPalette(false);
    void say(i.id, body({ text: now }), { text: now, whisper });
  };
  const sendContent = async (...all: Content[]) => {
    setOpen("");
    for (const content of all) await say(i.id, body(content.kind === "text" || !content.kind ? { text: content.text ?? "" } : { rich: content }), { ...content, whisper });
  };
  const sendFiles = async (files: File[]) => {
    for (const file of files) {
      setSending((n) => n + 1);
      try {
        const kept = await upload(file);
        void say(i.id, body({ media: { file: kept.file } }), { media: { url: kept.url, type: kept.type, name: kept.name ?? file.name, size: kept.size }, whisper });
      } catch (e) {
        tell(`${file.name}: ${explain(e)}`);
      }
      setSending((n) => n - 1);
    }
  };
  useKeys({
    m: () => field.current?.focus(),
    i: () => setOpen("responses"),
    o: () => setPalette(!palette),
    u: () => pick.current?.click(),
    l: () => setOpen("rich"),
    g: how === "free" ? () => setWhisper(!whisper) : undefined,
  });
  const left = most ? most - characters(text) : 1;
  return (
    <>
      <form
        class={`compose ${whisper ? "whisper" : ""} ${over ? "over" : ""}`}
        onSubmit={(e) => {
          e.preventDefault();
          send();
        }}
        onKeyDown={(e) => {
          if (e.key !== "Escape" || !palette) return;
          setPalette(false);
          field.current?.focus();
        }}
        onDragOver={(e) => {
          e.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          e.preventDefault();
          setOver(false);
          void sendFiles([...(e.dataTransfer?.files ?? [])]);
        }}
      >
        {palette && (
          <div
            class="palette"
            role="group"
            aria-label={t("emoji")}
          >
            {emojis.map((e) => (
              <button key={e} type="button" onClick={() => insert(e)}>
                {e}
              </button>
            ))}
          </div>
        )}
        <div class="tools">
          <button type="button" class="secondary small" aria-expanded={palette} aria-keyshortcuts="Alt+O" onClick={() => setPalette(!palette)} data-testid="emoji">
            {t("emoji")}
          </button>
          <button type="button" class="secondary small" aria-keyshortcuts="Alt+U" onClick={() => pick.current?.click()} data-testid="attach">
            {t("attach")}
          </button>
          <button type="button" class="secondary small" aria-keyshortcuts="Alt+I" onClick={() => setOpen("responses")} data-testid="responses">
            {t("responses.title")}
          </button>
          <button type="button" class="secondary small" aria-keyshortcuts="Alt+L" onClick={() => setOpen("rich")} data-testid="rich">
            {t("rich.title")}
          </button>
          {how === "free" ? (
            <label>
              <input type="checkbox" aria-keyshortcuts="Alt+G" checked={whisper} onChange={(e) => setWhisper(e.currentTarget.checked)} data-testid="whisper" />
              {t("whisper")}
            </label>
          ) : (
            <span class="help">{t("whisper.only")}</span>
          )}
          {sending > 0 && <span aria-busy="true">{t("attach.busy")}</span>}
        </div>
        <input
          ref={pick}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-label={t("attach")}
          data-testid="file"
          onChange={(e) => {
            void sendFiles([...(e.currentTarget.files ?? [])]).then(() => field.current?.focus());
            e.currentTarget.value = "";
          }}
        />
        <div class="write">
          <textarea
            ref={field}
            rows={1}
            dir="auto"
            aria-label={t(whisper ? "whisper.field" : "message")}
            placeholder={t(whisper ? "whisper.field" : "message")}
            aria-keyshortcuts="Alt+M"
            value={text}
            data-testid="field"
            onInput={(e) => write(e.currentTarget.value)}
            onBlur={rest}
            onPaste={(e) => {
              if (!e.clipboardData?.files.length) return;
              e.preventDefault();
              void sendFiles([...e.clipboardData.files]);
            }}
            onKeyDown={(e) => {
              if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
              e.preventDefault();
              send();
            }}
          />
          <button type="submit" disabled={!text.trim()} data-testid="send">
            {t("send")}
          </button>
        </div>
        {left < 0 && (
          <small class="why" role="status">
            {t("too_long", { n: -left, most })}
          </small>
        )}
      </form>
      {open === "responses" && (
        <Responses
          tenant={i.tenant}
          close={() => setOpen("")}
          send={(all) => void sendContent(...all)}
          insert={(now) => {
            setOpen("");
            insert(now);
          }}
        />
      )}
      {open === "rich" && <Rich caps={i.caps} send={(content) => void sendContent(content)} close={() => setOpen("")} />}
    </>
  );
}
