// state.ts - what the page knows: who I am, the interactions, their lines as far as they were read, who types. Events change it, parts of the page watch it.
//
// Bounded  lines of an interaction are dropped when it is gone, and, where they are many, when another one is looked at; they are read again when wanted.
import { useEffect, useState } from "preact/hooks";
import { api, get, Problem, query } from "../console/api";
import type { AgentNumbers, Content, DeskMe, Found, Interaction, Message, QueueNumbers } from "./types";

const page_lines = 50;
const lines_kept = 500; // of an interaction that nobody looks at
const typing_ms = 7000;

export interface Pending {
  id: string; // ours: a repeat has effect once
  body: Record<string, unknown>;
  shown: Content & { whisper?: boolean };
  at_ms: number;
  failed?: string;
}
export interface Lines {
  items: Message[]; // oldest first
  next: string | null; // there are earlier ones
  state: "none" | "reading" | "read" | "stale" | "failed";
  missed?: boolean; // while they were read something was said that was not told here: they are read once more
  error: unknown;
  pending: Pending[];
}
interface News {
  interaction?: string;
  id: string;
  state: NonNullable<Message["state"]>;
  before?: boolean; // and all that was said before it
  reason?: string;
  adapted?: string[];
}
const order: Message["state"][] = [undefined, "accepted", "unknown", "sent", "delivered", "read", "dead"];
function further(s: Message["state"]): number {
  return order.indexOf(s);
}
export interface Typing {
  who: string; // "guest", or an agent
  preview: string;
  until_ms: number;
}

/** Something may have been said that is not among them. */
function doubt(lines: Lines): void {
  if (lines.state === "reading") lines.missed = true;
  else lines.state = "stale";
}
/** Events name a line by the sender's own id, the history by both. */
function idOf(m: Message): string {
  return m.client_id ?? m.id;
}

class State {
  me: DeskMe | null = null;
  online = true;
  interactions = new Map<string, Interaction>();
  gone = new Set<string>(); // no longer mine; shown while it is looked at
  lines = new Map<string, Lines>();
  typing = new Map<string, Typing[]>();
  queues: QueueNumbers[] | null = null;
  agents: AgentNumbers[] | null = null;
  private watchers = new Set<() => void>();
  private told = false;

  watch(tell: () => void): () => void {
    this.watchers.add(tell);
    return () => void this.watchers.delete(tell);
  }
  /** At the end of this turn, once. */
  changed(): void {
    if (this.told) return;
    this.told = true;
    queueMicrotask(() => {
      this.told = false;
      for (const tell of this.watchers) tell();
    });
  }

  linesOf(id: string): Lines {
    const found = this.lines.get(id) ?? { items: [], next: null, state: "none" as const, error: null, pending: [] };
    this.lines.set(id, found);
    return found;
  }
  mine(i: Interaction): boolean {
    const user = this.me?.user;
    return i.state !== "done" && (i.owner === user || i.invited === user || i.agents.some((a) => a.user === user));
  }
  /** Waiting for me to say yes. */
  invites(i: Interaction): boolean {
    return i.state === "invited" && i.invited === this.me?.user;
  }

  put(i: Interaction): void {
    const was = this.interactions.get(i.id);
    const lines = this.lines.get(i.id);
    if (lines && (lines.state === "failed" || this.gone.has(i.id) || !was || !this.mine(was))) doubt(lines); // what was said meanwhile was told to others
    this.interactions.set(i.id, i);
    this.gone.delete(i.id);
    this.changed();
  }
  forget(id: string): void {
    if (!this.interactions.has(id)) return;
    this.gone.add(id);
    this.typing.delete(id);
    this.changed();
  }
  /** Nobody looks at it any more. */
  drop(id: string): void {
    if (!this.gone.has(id)) return;
    this.gone.delete(id);
    this.interactions.delete(id);
    this.lines.delete(id);
    this.changed();
  }
  /** found: the oldest first; of the same moment they stand in the order they came, earlier pages before. */
  add(id: string, found: Message[], before = false): void {
    const lines = this.linesOf(id);
    const at = new Map(lines.items.map((m, k) => [m.id, k]));
    const fresh: Message[] = [];
    for (const told of found) {
      const m = { ...told, id: idOf(told) };
      const k = at.get(m.id);
      if (k === undefined) fresh.push(m);
      else {
        const old = lines.items[k]!;
        lines.items[k] = further(old.state) > further(m.state) ? { ...old, ...m, state: old.state! } : { ...old, ...m }; // news may have overtaken it
      }
      lines.pending = lines.pending.filter((p) => p.id !== m.id);
    }
    lines.items = before ? [...fresh, ...lines.items] : [...lines.items, ...fresh];
    lines.items.sort((a, b) => a.at_ms - b.at_ms);
    this.changed();
  }
  /** How far a message of ours came: only ever further. */
  came(news: News): void {
    for (const [id, lines] of this.lines) {
      if (news.interaction && news.interaction !== id) continue;
      const at = lines.items.findIndex((x) => x.id === news.id);
      const all = news.before ? (at < 0 && news.id ? [] : lines.items.slice(0, at < 0 ? lines.items.length : at + 1)) : lines.items.slice(at, at + 1);
      for (const m of at < 0 && !news.before ? [] : all) {
        if (m.from === "guest" || further(m.state) >= further(news.state)) continue;
        m.state = news.state;
        if (news.reason) m.reason = news.reason;
        if (news.adapted) m.adapted = news.adapted;
      }
    }
  }
  /** Another one is looked at. */
  leave(id: string): void {
    this.drop(id);
    const lines = this.lines.get(id);
    if (lines && lines.items.length > lines_kept && !lines.pending.length) this.lines.delete(id);
  }
}
export const state = new State();

/** Draws the part again when anything changed. */
export function useDesk(): State {
  const [, turn] = useState(0);
  useEffect(() => state.watch(() => turn((n) => n + 1)), []);
  return state;
}

/* ---- events --------------------------------------------------------------------------------------------------------------- */

type Arrival = (i: Interaction, m: Message) => void;
let arrived: Arrival = () => {};
/** Who is told of a guest's new message. */
export function onArrival(tell: Arrival): void {
  arrived = tell;
}

export function happened(name: string, data: unknown): void {
  switch (name) {
    case "hello": {
      const { me, interactions } = data as { me: DeskMe; interactions: Interaction[] };
      const listed = new Set(interactions.map((i) => i.id));
      state.me = me;
      for (const i of interactions) state.put(i);
      for (const id of state.interactions.keys()) if (!listed.has(id)) state.gone.add(id);
      for (const lines of state.lines.values()) if (lines.state === "read" || lines.state === "reading") doubt(lines);
      state.typing.clear();
      break;
    }
    case "interaction":
      state.put(data as Interaction);
      break;
    case "gone":
      state.forget((data as { id: string }).id);
      break;
    case "message": {
      const { interaction, message } = data as { interaction: string; message: Message };
      if (message.event === "read") return; // told as the state of what was read, too
      const i = state.interactions.get(interaction);
      const known = state.lines.get(interaction)?.items.some((m) => m.id === idOf(message));
      state.add(interaction, [message]);
      state.typing.set(interaction, (state.typing.get(interaction) ?? []).filter((x) => x.who !== (message.from === "guest" ? "guest" : message.author)));
      if (i && !known && message.from === "guest") arrived(i, message);
      break;
    }
    case "typing": {
      const { interaction, who, preview, on } = data as { interaction: string; who: string; preview?: string; on?: boolean };
      const others = (state.typing.get(interaction) ?? []).filter((x) => x.who !== who);
      if (on !== false && who !== state.me?.user) others.push({ who, preview: preview ?? "", until_ms: Date.now() + typing_ms });
      state.typing.set(interaction, others);
      window.setTimeout(() => state.changed(), typing_ms + 100);
      break;
    }
    case "state": {
      state.came(data as News);
      break;
    }
    case "me":
      state.me = data as DeskMe;
      break;
    case "queues":
      state.queues = data as QueueNumbers[];
      break;
    case "agents":
      state.agents = data as AgentNumbers[];
      break;
  }
  state.changed();
}

export function typingNow(id: string): Typing[] {
  return (state.typing.get(id) ?? []).filter((x) => x.until_ms > Date.now());
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------- */

const path = (id: string, rest = "") => `/desk/interactions/${encodeURIComponent(id)}${rest}`;

/** The latest lines, or those before what is there. */
export async function read(id: string, earlier = false): Promise<void> {
  const lines = state.linesOf(id);
  if (lines.state === "reading" || (earlier && !lines.next)) return;
  lines.state = "reading";
  lines.missed = false;
  state.changed();
  const there = new Set(lines.items.map((m) => m.id)); // what comes beside them is kept: the page on its way may not have it yet
  try {
    const page = await get<Found<Message>>(path(id, "/messages") + query({ limit: page_lines, before: earlier ? lines.next : "" }));
    const joined = !earlier && page.items.some((m) => there.has(idOf(m)));
    if (!earlier && !joined) lines.items = lines.items.filter((m) => !there.has(m.id)); // more was said meanwhile than one page: what was read before is read again when wanted
    if (earlier || !joined) lines.next = page.next ?? null;
    lines.state = lines.missed ? "stale" : "read";
    lines.error = null;
    state.add(id, page.items.filter((m) => m.event !== "read").reverse(), earlier);
  } catch (e) {
    lines.state = "failed";
    lines.error = e;
    state.changed();
  }
}

export async function look(id: string): Promise<void> {
  const i = await get<Interaction>(path(id));
  const known = state.interactions.has(i.id);
  state.put(i);
  if (!known && !state.mine(i)) state.gone.add(i.id); // somebody else's: not in my list
  state.changed();
}

function isInteraction(v: unknown): v is Interaction {
  return typeof v === "object" && v !== null && "id" in v && "conversation" in v;
}
export async function act(id: string, verb: string, body: Record<string, unknown> = {}): Promise<void> {
  const { value } = await api<unknown>("POST", path(id, `/${verb}`), body);
  if (isInteraction(value)) state.put(value);
}

/** As the hub keeps it: 32 hexadecimal digits (a page over plain http has no randomUUID). */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export async function deliver(id: string, p: Pending): Promise<void> {
  const lines = state.linesOf(id);
  delete p.failed;
  if (!lines.pending.includes(p)) lines.pending.push(p);
  state.changed();
  try {
    const { value } = await api<{ message?: Message }>("POST", path(id, "/messages"), p.body);
    lines.pending = lines.pending.filter((x) => x !== p);
    if (value.message) state.add(id, [value.message]);
  } catch (e) {
    p.failed = e instanceof Problem && e.status > 0 ? e.message : "unreachable";
  }
  state.changed();
}
export function discard(id: string, p: Pending): void {
  const lines = state.linesOf(id);
  lines.pending = lines.pending.filter((x) => x !== p);
  state.changed();
}
export function say(id: string, body: Record<string, unknown>, shown: Pending["shown"]): Promise<void> {
  const mine = newId();
  return deliver(id, { id: mine, body: { id: mine, ...body }, shown, at_ms: Date.now() });
}

export interface Uploaded {
  file: string;
  url: string;
  type: string;
  name?: string;
  size: number;
}
export async function upload(file: File): Promise<Uploaded> {
  return (await api<Uploaded>("POST", "/desk/files" + query({ name: file.name }), file)).value;
}
