// contact.tsx - who the guest is: names, addresses, attributes; what was said over all networks; and the beginning of a conversation.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { api, get, query } from "../console/api";
import { FormModal } from "../console/form_modal";
import { Badge, Failed, Field, Loading, Search, useLoad } from "../console/ui";
import { day, t } from "./i18n";
import { MessageBox } from "./message";
import type { Contact, Found, Identity, Interaction, Message, Targets, Told } from "./types";

const history_page = 40;

export function networkOf(x: Identity): string {
  return x.network_title ?? x.channel.split("/").at(-1) ?? x.channel;
}

/** A message of the history as the transcript shows it. */
export function lineOf(x: Told): Message {
  const m = x.message ?? {};
  const own = m.origin === "hub" || x.kind === "event";
  const dead = x.state === "dead" || x.status === "failed";
  return {
    kind: x.kind,
    ...(m.text || x.text ? { text: m.text ?? x.text } : {}),
    ...(m.choices || m.cards || m.picker || m.location || m.sticker ? { rich: m } : {}),
    media: x.media?.media ?? m.media ?? [],
    id: String(x.id),
    conversation: x.conversation,
    from: own ? "system" : x.way === "in" ? "guest" : "agent",
    author: m.from?.name ?? "",
    at_ms: Date.parse(x.at),
    ...(m.event ? { event: m.event } : {}),
    ...(m.of ? { answer_to: m.of } : {}),
    state: dead ? "dead" : x.state === "unknown" ? "unknown" : x.state === "waiting" || x.state === "parked" ? "accepted" : x.status === "read" ? "read" : "delivered",
    ...(x.note?.note ? { adapted: x.note.note.split(" ").filter(Boolean) } : {}),
    ...(x.note?.reason ? { reason: x.note.reason } : {}),
    visible: m.private ? "agents" : "all",
  };
}

/** Begins, or goes on with, a conversation and shows it. */
export async function begin(what: Record<string, unknown>, show: (id: string) => void): Promise<void> {
  const { value } = await api<Interaction>("POST", "/desk/interactions", what);
  show(value.id);
}

export function About({ contact, write }: { contact: Contact; write?: (x: Identity) => void }) {
  const rows = Object.entries(contact.attributes ?? {});
  return (
    <>
      <dl class="about">
        {contact.phones?.length > 0 && (
          <>
            <dt>{t("contact.phones")}</dt>
            <dd>
              <bdi>{contact.phones.join(", ")}</bdi>
            </dd>
          </>
        )}
        {contact.emails?.length > 0 && (
          <>
            <dt>{t("contact.emails")}</dt>
            <dd>
              <bdi>{contact.emails.join(", ")}</bdi>
            </dd>
          </>
        )}
        {rows.map(([k, v]) => [
          <dt key={k}>
            <bdi>{k}</bdi>
          </dt>,
          <dd key={`${k}=`} dir="auto">
            {v}
          </dd>,
        ])}
      </dl>
      <h3>{t("contact.identities")}</h3>
      <ul class="identities">
        {contact.identities.map((x) => (
          <li key={x.conversation}>
            <Badge kind="plain">{networkOf(x)}</Badge> <bdi>{x.name || x.guest}</bdi>
            {write && (
              <button type="button" class="secondary small" onClick={() => write(x)} aria-label={t("contact.write_to", { network: networkOf(x), name: x.name || x.guest })} data-testid="write">
                {t("contact.write")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Everything that was said with this contact, whatever the network, the newest at the end. */
export function History({ contact }: { contact: Contact }) {
  const [wanted, setWanted] = useState("");
  const [more, setMore] = useState<{ key: string; items: Message[]; next: string | null }>({ key: "", items: [], next: null });
  const [error, setError] = useState<unknown>(null);
  const key = `/contacts/${encodeURIComponent(contact.id)}/messages${query({ q: wanted, limit: history_page })}`;
  const load = async (before: string | null) => {
    const page = await get<Found<Told>>(`/contacts/${encodeURIComponent(contact.id)}/messages${query({ q: wanted, limit: history_page, before })}`);
    return { items: page.items.map(lineOf).filter((m) => m.event !== "read"), next: page.next ?? null };
  };
  const first = useLoad(`${key} ${contact.identities.map((x) => x.conversation).join(" ")}`, () => load(null)); // another one merged into it has brought its own
  const further = more.key === key ? more : null;
  const next = further ? further.next : (first.value?.next ?? null);
  const on = async () => {
    setError(null);
    try {
      const page = await load(next);
      setMore({ key, items: [...(further?.items ?? []), ...page.items], next: page.next });
    } catch (e) {
      setError(e);
    }
  };
  const networks = new Map(contact.identities.map((x) => [x.conversation, networkOf(x)]));
  const shown = [...(first.value?.items ?? []), ...(further?.items ?? [])].reverse();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current && first.value && !further) box.current.scrollTop = box.current.scrollHeight;
  }, [first.value]);
  let last = "";
  return (
    <section class="history" data-testid="history">
      <Search title={t("contact.search_history")} value={wanted} change={setWanted} />
      <Loading of={first}>{() => (shown.length ? null : <p>{wanted ? t("nothing_found") : t("contact.no_history")}</p>)}</Loading>
      <div class="log" ref={box} tabIndex={0} role="region" aria-label={t("contact.history")}>
        {next && (
          <button type="button" class="secondary small earlier-button" onClick={() => void on()} data-testid="history-earlier">
            {t("transcript.earlier")}
          </button>
        )}
        {shown.map((m) => {
          const date = `${day(m.at_ms)} · ${networks.get(m.conversation ?? "") ?? m.conversation ?? ""}`;
          const fresh = date !== last;
          last = date;
          return (
            <div key={m.id} class="row">
              {fresh && <p class="day">{date}</p>}
              <MessageBox m={m} names={(user) => user || (m.from === "guest" ? contact.name : "")} wanted={wanted} chosen={false} />
            </div>
          );
        })}
      </div>
      <Failed error={error} />
    </section>
  );
}

/** Writing first: on a channel, to somebody new or known. */
export function Start({ tenant, contact, show, close }: { tenant: string; contact?: Contact | undefined; show: (id: string) => void; close: () => void }) {
  const targets = useLoad("targets", () => get<Targets>("/desk/targets"));
  const [channel, setChannel] = useState("");
  const [guest, setGuest] = useState(contact?.phones[0] ?? contact?.emails[0] ?? "");
  const [text, setText] = useState("");
  const list = (targets.value?.channels ?? []).filter((c) => !tenant || c.tenant === tenant);
  const chosen = channel || (list[0]?.id ?? "");
  const go = () => begin({ channel: chosen, guest: guest.trim(), ...(text.trim() ? { text: text.trim() } : {}) }, show);
  return (
    <FormModal title={t("start.title")} yes={t("start")} testid="start-yes" off={!chosen} cancel={close} submit={go}>
      {(wrong) => (
        <Loading of={targets}>
          {() => (
            <>
              <Field
                path="channel"
                title={t("start.channel")}
                error={wrong("channel")}
                control={(props) => (
                  <select {...props} autofocus value={chosen} onChange={(e) => setChannel(e.currentTarget.value)}>
                    {list.map((c) => (
                      <option key={c.id} value={c.id}>
                        {c.network} · {c.name} · {c.tenant}
                      </option>
                    ))}
                  </select>
                )}
              />
              <Field path="guest" title={t("start.guest")} help={t("start.guest.help")} required error={wrong("guest")} control={(props) => <input {...props} required dir="auto" value={guest} onInput={(e) => setGuest(e.currentTarget.value)} data-testid="start-guest" />} />
              <Field path="text" title={t("message")} error={wrong("text")} control={(props) => <textarea {...props} rows={3} dir="auto" value={text} onInput={(e) => setText(e.currentTarget.value)} data-testid="start-text" />} />
            </>
          )}
        </Loading>
      )}
    </FormModal>
  );
}
