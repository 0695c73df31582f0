// preview.tsx - what each network would get of a message: how it looks, what is changed or lost, and the very calls. Nothing is sent.
import { useState } from "preact/hooks";
import { api, get, Problem } from "./api";
import { t, word } from "./i18n";
import type { Key } from "./i18n";
import type { Card, Channel, Choice, Part, Preview } from "./types";
import { Badge, explain, Field, useLoad } from "./ui";

// Samples are examples of the form, for any language's guests.
const samples: { title: Key; message: unknown }[] = [
  {
    title: "preview.sample.cards",
    message: {
      kind: "cards",
      cards: [
        { title: "Green tea", text: "From Uji", image: "https://www.example.com/tea.png", choices: [{ label: "Buy tea", payload: "buy-tea" }, { label: "More", url: "https://www.example.com/tea" }] },
        { title: "Coffee", text: "Dark roast", image: "https://www.example.com/coffee.png", choices: [{ label: "Buy coffee", payload: "buy-coffee" }] },
      ],
    },
  },
  { title: "preview.sample.replies", message: { genesys_prompt: "Shall we go on?", genesys_quick_replies: [{ text: "Yes", payload: "yes" }, { text: "No", payload: "no" }] } },
  { title: "preview.sample.place", message: { type: "location", title: "Genesys HQ", address: "2001 Junipero Serra Boulevard, Daly City", latitude: 37.7011118, longitude: -122.4719997 } },
  { title: "preview.sample.sticker", message: { type: "sticker", packageId: "446", stickerId: "1988", title: "Hug" } },
  { title: "preview.sample.picture", message: { kind: "image", text: "Our shop", media: [{ url: "https://www.example.com/shop.jpg", type: "image/jpeg", name: "shop.jpg" }] } },
];

function written(message: unknown): string {
  return JSON.stringify(message, null, 2);
}

function Choices({ of }: { of: Choice[] | undefined }) {
  return of && of.length > 0 ? (
    <ul class="choices">
      {of.map((c, i) => (
        <li key={i}>{c.url ? `${c.label} ↗` : c.label}</li>
      ))}
    </ul>
  ) : null;
}

function OneCard({ card }: { card: Card }) {
  return (
    <article>
      {card.image && <small class="help">{card.image}</small>}
      {card.title && <strong>{card.title}</strong>}
      {card.text && <span>{card.text}</span>}
      <Choices of={card.choices} />
    </article>
  );
}

function OnePart({ part }: { part: Part }) {
  return (
    <li data-testid="part">
      <Badge kind="plain">{word("kind", part.kind)}</Badge>
      {part.text && <p>{part.text}</p>}
      {part.location && <p>{[part.location.title, part.location.address].filter(Boolean).join("\n")}</p>}
      {part.sticker && <p>{part.sticker.title ?? part.sticker.id}</p>}
      {part.media?.map((m, i) => <p key={i}>{m.name ?? m.url}</p>)}
      <Choices of={part.choices ?? part.picker?.choices} />
      {part.cards && (
        <div class="cards">
          {part.cards.map((c, i) => (
            <OneCard key={i} card={c} />
          ))}
        </div>
      )}
    </li>
  );
}

function Json({ title, of }: { title: string; of: unknown }) {
  return (
    <details>
      <summary>
        <code>{title}</code>
      </summary>
      <pre tabIndex={0}>{typeof of === "string" ? of : written(of)}</pre>
    </details>
  );
}

function Standing({ p }: { p: Preview }) {
  if (!p.carried) return <Badge kind="bad">{t("preview.refused")}</Badge>;
  if (p.rules.some((r) => r.loses)) return <Badge kind="bad">{t("preview.loses")}</Badge>;
  return p.rules.length > 0 ? <Badge kind="busy">{t("preview.changed")}</Badge> : <Badge kind="good">{t("preview.whole")}</Badge>;
}

function Result({ p }: { p: Preview }) {
  return (
    <article data-testid={`preview-${p.network}`}>
      <header>
        <strong>{p.title}</strong> <Standing p={p} />
      </header>
      {!p.carried && (
        <p class="error" data-testid="problem">
          {word("reason", p.reason ?? "general")}: {p.problem}
        </p>
      )}
      {p.rules.length > 0 && (
        <ul data-testid="rules">
          {p.rules.map((r) => (
            <li key={r.name}>
              {word("rule", r.name)} {r.loses && <Badge kind="bad">{t("preview.lost")}</Badge>}
            </li>
          ))}
        </ul>
      )}
      {p.waits && <p class="help">{t("preview.waits")}</p>}
      <ol class="parts">
        {p.parts.map((part, i) => (
          <OnePart key={i} part={part} />
        ))}
      </ol>
      <div data-testid="calls">
        {p.calls.map((c, i) => (
          <Json key={i} title={`${c.method} ${c.url}`} of={c.body ?? c.file ?? ""} />
        ))}
        {p.lines.map((line, i) => (
          <Json key={i} title={t("preview.line")} of={line} />
        ))}
      </div>
    </article>
  );
}

export function PreviewPage() {
  const [text, setText] = useState(written(samples[0]?.message));
  const [channel, setChannel] = useState("");
  const [items, setItems] = useState<Preview[] | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const channels = useLoad("networks", async () => (await get<{ items: Channel[] }>("/channels")).items.filter((c) => c.side === "network"));
  const look = async () => {
    setBusy(true);
    try {
      setItems((await api<{ items: Preview[] }>("POST", "/preview", channel ? { message: text, channel } : { message: text })).value.items);
      setFailed(null);
    } catch (e) {
      setItems(null);
      setFailed(e instanceof Problem && e.code === "bad_json" ? `${t("preview.bad_json")} ${e.message}` : explain(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h1>{t("preview.title")}</h1>
      <p class="help">{t("preview.help")}</p>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void look();
        }}
      >
        <div class="adder">
          <select aria-label={t("preview.sample")} data-testid="sample" onChange={(e) => setText(written(samples[Number(e.currentTarget.value)]?.message))}>
            {samples.map((s, i) => (
              <option key={s.title} value={i}>
                {t(s.title)}
              </option>
            ))}
          </select>
          <select aria-label={t("preview.where")} value={channel} data-testid="where" onChange={(e) => setChannel(e.currentTarget.value)}>
            <option value="">{t("preview.everywhere")}</option>
            {channels.value?.map((c) => (
              <option key={c.id} value={c.id}>
                {c.title} · {c.tenant} ({c.id})
              </option>
            ))}
          </select>
        </div>
        <Field
          path="message"
          title={t("preview.message")}
          help={t("preview.message.help")}
          {...(failed ? { error: failed } : {})}
          control={(props) => <textarea {...props} rows={12} spellcheck={false} class="code" value={text} data-testid="message" onInput={(e) => setText(e.currentTarget.value)} />}
        />
        <button type="submit" aria-busy={busy} data-testid="look">
          {t("preview.look")}
        </button>
      </form>
      {items && (
        <div class="previews" aria-live="polite">
          {items.map((p) => (
            <Result key={p.network} p={p} />
          ))}
        </div>
      )}
    </section>
  );
}
