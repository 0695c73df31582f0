// message.tsx - one message as the agent sees it. Whatever it holds is data: texts become text, addresses become links only where a browser opens them
// without running anything.
import type { VNode } from "preact";
import { language, number, word as common } from "../console/i18n";
import { Badge } from "../console/ui";
import type { Children } from "../console/ui";
import { clock, moment, t, word } from "./i18n";
import type { Card, Choice, Content, Media, Message, Place } from "./types";

const kib = 1024;

export function safe(url: string | undefined): string | undefined {
  try {
    const u = new URL(url ?? "", location.href);
    return ["https:", "http:", "mailto:", "tel:"].includes(u.protocol) ? u.href : undefined;
  } catch {
    return undefined;
  }
}
function Link({ url, children, download }: { url: string; children: Children; download?: string | undefined }) {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer" download={download}>
      {children}
    </a>
  );
}

/** The text with what was searched for marked. */
function marked(text: string, wanted: string): Children[] {
  if (!wanted) return [text];
  const parts: Children[] = [];
  const all = text.toLocaleLowerCase(language());
  const small = wanted.toLocaleLowerCase(language());
  if (all.length !== text.length) return [text]; // a letter that changes its length: not worth a wrong mark
  let at = 0;
  for (let k = all.indexOf(small); k >= 0; k = all.indexOf(small, at)) {
    parts.push(text.slice(at, k), <mark>{text.slice(k, k + small.length)}</mark>);
    at = k + small.length;
  }
  parts.push(text.slice(at));
  return parts;
}
export function Prose({ text, wanted = "" }: { text: string; wanted?: string }) {
  const parts: Children[] = [];
  let at = 0;
  for (const m of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g)) {
    const url = safe(m[0]);
    if (!url) continue;
    parts.push(...marked(text.slice(at, m.index), wanted), <Link url={url}>{marked(m[0], wanted)}</Link>);
    at = m.index + m[0].length;
  }
  parts.push(...marked(text.slice(at), wanted));
  return <p dir="auto">{parts}</p>;
}

function size(bytes: number | undefined): string {
  if (!bytes) return "";
  const [n, unit] = bytes < kib ? [bytes, "byte"] : bytes < kib * kib ? [bytes / kib, "kilobyte"] : [bytes / kib / kib, "megabyte"];
  return new Intl.NumberFormat(language(), { style: "unit", unit: unit as string, unitDisplay: "short", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n as number);
}
function Attachment({ media }: { media: Media }) {
  const url = safe(media.url);
  const name = media.name || t("media.file");
  const family = media.type?.split("/")[0] ?? "";
  if (!url)
    return (
      <p class="why" data-testid="media-lost">
        {t("media.lost", { name })} {media.error}
      </p>
    );
  return (
    <figure class="media" data-testid={`media-${["image", "audio", "video"].includes(family) ? family : "file"}`}>
      {family === "image" ? (
        <Link url={url}>
          <img src={url} alt={media.name || t("media.picture")} loading="lazy" referrerpolicy="no-referrer" />
        </Link>
      ) : family === "audio" ? (
        <audio controls preload="metadata" src={url} aria-label={name} />
      ) : family === "video" ? (
        <video controls preload="metadata" src={url} aria-label={name} />
      ) : null}
      <figcaption>
        <Link url={url} download={media.name}>
          <bdi>{name}</bdi>
        </Link>{" "}
        <span class="help">{size(media.size)}</span>
      </figcaption>
    </figure>
  );
}

function Choices({ list }: { list: Choice[] }) {
  return (
    <ul class="choices" aria-label={t("rich.choices")}>
      {list.map((c, i) => {
        const url = safe(c.url && c.url);
        return (
          <li key={i} dir="auto">
            {c.url && url ? <Link url={url}>{c.label || url}</Link> : c.label || c.payload}
          </li>
        );
      })}
    </ul>
  );
}
function CardBox({ card }: { card: Card }) {
  const image = safe(card.image && card.image);
  const url = card.url ? safe(card.url) : undefined;
  return (
    <li class="card">
      {card.image && image && <img src={image} alt="" loading="lazy" referrerpolicy="no-referrer" />}
      {card.title && <strong dir="auto">{url ? <Link url={url}>{card.title}</Link> : card.title}</strong>}
      {card.text && <Prose text={card.text} />}
      {card.choices && card.choices.length > 0 && <Choices list={card.choices} />}
    </li>
  );
}
function PlaceBox({ place }: { place: Place }) {
  const at = `${place.lat}, ${place.lon}`;
  return (
    <p>
      <Link url={`https://www.openstreetmap.org/?mlat=${place.lat}&mlon=${place.lon}#map=16/${place.lat}/${place.lon}`}>
        <bdi>{place.title || place.address || at}</bdi>
      </Link>{" "}
      {place.title && place.address && <span dir="auto">{place.address}</span>} <span class="help">{at}</span>
    </p>
  );
}

export const mediaOf = (x: Media | Media[] | undefined): Media[] => (Array.isArray(x) ? x : x ? [x] : []);

export function ContentBox({ content, wanted = "" }: { content: Content; wanted?: string }) {
  const parts: VNode[] = [];
  if (content.text) parts.push(<Prose text={content.text} wanted={wanted} />);
  for (const m of mediaOf(content.media)) parts.push(<Attachment media={m} />);
  if (content.sticker && !mediaOf(content.media).length) parts.push(<p dir="auto">{content.sticker.title || common("kind", "sticker")}</p>);
  if (content.location) parts.push(<PlaceBox place={content.location} />);
  if (content.cards?.length)
    parts.push(
      <ul class="cards" aria-label={common("kind", "cards")} tabIndex={0}>
        {content.cards.map((c, i) => (
          <CardBox key={i} card={c} />
        ))}
      </ul>,
    );
  const picker = content.picker;
  if (picker) {
    if (picker.title) parts.push(<strong dir="auto">{picker.title}</strong>);
    if (picker.text) parts.push(<Prose text={picker.text} wanted={wanted} />);
    if (picker.choices?.length) parts.push(<Choices list={picker.choices} />);
    if (picker.slots?.length) parts.push(<Choices list={picker.slots.map((s) => ({ label: moment(s.at_ms) }))} />);
  }
  if (content.choices?.length) parts.push(<Choices list={content.choices} />);
  if (!parts.length)
    parts.push(
      <p>
        <em>{common("kind", content.kind ?? "event")}</em>
      </p>,
    );
  return <>{parts}</>;
}

/** rich, where it stands, is the whole of it; else the members are. */
export function contentOf(m: Message): Content {
  const media = m.files ?? m.media ?? m.rich?.media ?? [];
  return m.rich ? { ...m.rich, media } : { ...m, media };
}

export function deliveryKind(s: Message["state"]): "good" | "bad" | "busy" | "plain" {
  return s === "read" || s === "delivered" ? "good" : s === "dead" || s === "unknown" ? "bad" : "busy";
}

export function MessageBox({ m, names, wanted, chosen }: { m: Message; names: (user: string | undefined) => string; wanted: string; chosen: boolean }) {
  const whisper = m.visible === "agents";
  if (m.event || (m.from === "system" && !mediaOf(contentOf(m).media).length && !m.rich))
    return (
      <p class={`event ${chosen ? "chosen" : ""}`} id={`m-${m.id}`} data-testid="line-system">
        <span dir="auto">{m.event ? [word("event", m.event), names(m.author), m.text].filter(Boolean).join(" · ") : m.text}</span> {whisper && <Badge kind="busy">{t("whisper.mark")}</Badge>} <time dateTime={new Date(m.at_ms).toISOString()}>{clock(m.at_ms)}</time>
      </p>
    );
  return (
    <article class={`message ${m.from === "guest" ? "in" : "out"} ${whisper ? "whisper" : ""} ${chosen ? "chosen" : ""}`} id={`m-${m.id}`} data-testid={`line-${m.from}`}>
      <header>
        <bdi>{names(m.author)}</bdi> <time dateTime={new Date(m.at_ms).toISOString()}>{clock(m.at_ms)}</time>
        {whisper && (
          <Badge kind="busy">
            <span data-testid="whisper-mark">{t("whisper.mark")}</span>
          </Badge>
        )}
      </header>
      {m.answer_to && <small class="help">{t("message.answer")}</small>}
      <ContentBox content={contentOf(m)} wanted={wanted} />
      {m.from !== "guest" && !whisper && m.state && (
        <footer>
          <span data-testid="delivery">
            <Badge kind={deliveryKind(m.state)}>{word("delivery", m.state)}</Badge>
          </span>
          {m.reason && m.state !== "delivered" && m.state !== "read" && <span class="why"> {common("reason", m.reason)}</span>}
          {m.adapted && m.adapted.length > 0 && (
            <details class="adapted" data-testid="adapted">
              <summary>{t("message.adapted", { n: number(m.adapted.length) })}</summary>
              <ul>
                {m.adapted.map((rule) => (
                  <li key={rule}>{common("rule", rule)}</li>
                ))}
              </ul>
            </details>
          )}
        </footer>
      )}
    </article>
  );
}
