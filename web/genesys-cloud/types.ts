// Shapes of the simulator's control API; the manual stands at the top of sim/genesys_cloud.c.
export interface Guest {
  id: string;
  name: string;
  nickname?: string;
  firstName?: string;
  lastName?: string;
  image?: string;
  email?: string;
}
export interface Conversation {
  id: string;
  state: "queued" | "connected" | "ended";
  channel: string;
  flow: boolean;
  guest: Guest;
  agent?: string;
  disconnect?: string;
  last: string;
  unread: number;
  reopened: number;
  preview: string;
  attributes: Record<string, string>;
}
export interface Media {
  id: string;
  name: string;
  mime: string;
  kind: string;
  state: "fetching" | "kept" | "dropped" | "failed" | "waiting";
  size: number;
  sha256?: string;
  error?: string;
  url?: string;
}
export interface Message {
  id: string;
  conversation: string;
  from: "guest" | "agent" | "bot";
  name: string;
  at: string;
  text: string;
  state: string;
  reason?: { code: string; message: string };
  media?: Media;
  content?: Element_[];
  button?: { type: string; text: string; payload: string; paired: boolean };
}
export interface Card {
  title: string;
  description?: string;
  actions?: { type: string; text: string }[];
}
export interface Element_ {
  contentType: string;
  quickReply?: { text: string; payload: string };
  card?: Card;
  carousel?: { cards: Card[] };
  datePicker?: { title?: string; subtitle?: string; availableTimes?: { dateTime: string }[] };
  listPicker?: { sections?: { title?: string; items?: { title?: string }[] }[] };
}
export interface Desk {
  agents: string[];
  conversations: Conversation[];
}
