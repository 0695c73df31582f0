// types.ts - what the desk's API says, as far as these pages read it (GET /api/v1/openapi is the truth). Times are ms since 1970.
import type { Doc } from "../console/types";

export type AgentRole = "owner" | "consulted" | "conferenced" | "monitor" | "coach";
export interface Caps {
  text_max?: number;
  media?: { type: string; max_bytes: number }[];
  choices_max?: number;
  cards_max?: number;
  location?: boolean;
  typing?: boolean;
  read?: boolean;
}
export interface Interaction {
  id: string;
  conversation: string; // "acme/line:U1"
  tenant: string;
  channel: string;
  network: string;
  contact: { id?: string; name?: string; picture?: string };
  queue?: string;
  state: "queued" | "invited" | "open" | "held" | "wrapup" | "done";
  owner?: string;
  owner_was?: string; // of one that is done
  invited?: string; // who is asked to take it
  agents: { user: string; name?: string; role: AgentRole }[];
  created_ms: number;
  queued_ms?: number;
  accepted_ms?: number;
  last_guest_ms?: number;
  last_agent_ms?: number;
  held_until_ms?: number;
  reply_until_ms?: number; // the network's reply window ends; absent: it has none
  subject?: string;
  disposition?: string;
  note?: string;
  failed?: { message: string; reason?: string }; // it is about a message that could not be delivered
  attributes?: Record<string, unknown>;
  caps?: Caps;
  unread: number;
}
export interface Media {
  url?: string;
  type?: string;
  name?: string;
  size?: number;
  error?: string;
}
export interface Choice {
  label?: string;
  payload?: string;
  url?: string;
}
export interface Card {
  title?: string;
  text?: string;
  image?: string;
  url?: string;
  choices?: Choice[];
}
export interface Picker {
  title?: string;
  text?: string;
  choices?: Choice[];
  slots?: { at_ms: number }[];
}
export interface Place {
  lat: number;
  lon: number;
  title?: string;
  address?: string;
}
/** What a message consists of: of the desk's own, and the hub's neutral one. */
export interface Content {
  kind?: string;
  text?: string;
  media?: Media | Media[];
  choices?: Choice[];
  cards?: Card[];
  picker?: Picker;
  location?: Place;
  sticker?: { title?: string };
}
export interface Message extends Content {
  id: string;
  client_id?: string; // as the page that sent it called it
  interaction?: string;
  conversation?: string; // in a contact's history
  from: "guest" | "agent" | "system";
  user?: string;
  author?: string;
  at_ms: number;
  event?: string;
  files?: Media[]; // where there are several
  rich?: Content;
  answer_to?: string;
  state?: "accepted" | "sent" | "delivered" | "read" | "dead" | "unknown";
  adapted?: string[];
  visible?: "all" | "agents";
  reason?: string;
}
export interface Medium {
  state: "ready" | "not-ready";
  reason?: string;
  capacity: number;
  open: number;
}
export interface DeskMe {
  user: string;
  display_name?: string;
  role: "administrator" | "supervisor" | "agent";
  reasons?: string[];
  media: Record<string, Medium>;
  queues?: string[];
}
export interface Targets {
  agents: { user: string; display_name?: string; state?: "ready" | "not-ready" | "off" }[];
  queues: { name: string; title?: string }[];
  channels: { id: string; tenant: string; network: string; name: string }[];
}
export interface Response {
  name: string;
  library?: string;
  text: string;
  substitutions?: { id: string; description?: string; default_value?: string }[];
}
export interface Rendered {
  text: string;
  messages?: Content[]; // in the order in which they are sent
  problem?: string; // why nothing would be sent
}
export interface Sample {
  at_ms: number;
  waiting: number;
  answered: number;
  abandoned: number;
}
export interface QueueNumbers {
  name: string;
  title?: string;
  waiting: number;
  longest_ms: number;
  open: number;
  agents_ready: number;
  agents_on: number;
  answered_today: number;
  abandoned_today: number;
  service_level: number; // 0 to 1
  avg_wait_ms: number;
  series?: Sample[];
}
export interface AgentNumbers {
  user: string;
  display_name?: string;
  media: Record<string, Medium>;
  since_ms?: number;
  open: string[];
  answered_today: number;
}
/** A message of the history, as the REST API tells it. */
export interface Told {
  id: number;
  conversation: string;
  way: "in" | "out";
  kind: string;
  state: string;
  status?: string;
  at: string;
  text: string;
  message?: Content & { media?: Media[]; origin?: string; from?: { id?: string; name?: string }; private?: boolean; event?: string; of?: string };
  media?: { media?: Media[] };
  note?: { reason?: string; note?: string };
}
export interface Identity {
  channel: string;
  guest: string;
  conversation: string;
  name?: string;
  network_title?: string; // absent: its channel is not configured any more
}
export interface Contact {
  id: string;
  name: string;
  names?: string[];
  phones: string[];
  emails: string[];
  identities: Identity[];
  attributes: Record<string, string>;
  created_ms?: number;
  changed_ms?: number;
  merged_from?: string[];
  rev?: number;
}
export interface Found<T> {
  items: T[];
  next?: string | null;
}
export type Body = Doc;
