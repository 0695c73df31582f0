// What the control API (sim/line.c) and LINE's own objects look like here.
export interface Guest {
  number: number;
  id: string;
  kind: "user" | "group" | "room";
  name: string;
  status?: string;
  friend: boolean;
  destinationId?: string;
  loading_ms: number;
}

export interface Action {
  type: string;
  label?: string;
  text?: string;
  data?: string;
  displayText?: string;
  uri?: string;
  mode?: "date" | "time" | "datetime";
  initial?: string;
  min?: string;
  max?: string;
  clipboardText?: string;
}

// Objects of the vendor are read member by member; what is not there or has another type counts as absent.
export type Json = Record<string, unknown>;

export interface Bubble {
  id: string;
  from: "guest" | "account";
  at: string;
  how: string;
  userId?: string;
  read?: boolean;
  unsent?: boolean;
  media?: Json;
  message: Json;
}

export const text = (o: Json | undefined, name: string): string => (typeof o?.[name] === "string" ? (o[name] as string) : "");
export const object = (o: Json | undefined, name: string): Json | undefined =>
  o?.[name] && typeof o[name] === "object" && !Array.isArray(o[name]) ? (o[name] as Json) : undefined;
export const list = (o: Json | undefined, name: string): Json[] => (Array.isArray(o?.[name]) ? (o[name] as Json[]) : []);
