// types.ts - what the API says, as far as these pages read it (GET /api/v1/openapi is the truth).

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Doc = { [name: string]: Json };

export interface Page<T> {
  items: T[];
  next: string | null;
}
export interface Me {
  user: string;
  role: "administrator" | "supervisor" | "agent";
  expires: string;
  version: string;
}
export interface ProblemItem {
  field: string;
  message: string;
}
export interface Schema {
  type: "string" | "integer" | "boolean" | "object";
  title?: string;
  description?: string;
  default?: Json;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  format?: string;
  properties?: { [name: string]: Schema };
  required?: string[];
  additionalProperties?: boolean | Schema;
  "x-secret"?: boolean;
  "x-order"?: number;
}
export interface Connector {
  name: string;
  title: string;
  side: "network" | "desk";
  schema: Schema;
  webhook: string | null;
  manifest?: string;
}
export interface Tenant {
  id: string;
  slug: string;
  name: string;
  origin: "file" | "store";
  rev: number;
  changed: string;
  changed_by: string;
  read_only: boolean;
  problem?: string;
  desk?: Doc;
  channels?: Doc[];
}
export interface Channel {
  id: string;
  name: string;
  tenant: string;
  tenant_id: string;
  type: string;
  title: string;
  side: "network" | "desk";
  webhook: string | null;
  webhook_own: string | null;
  manifest?: string;
  set_up: boolean;
  refused: boolean;
  why?: string;
  paused: boolean;
  failures: number;
  waiting: number;
  in_flight: number;
  token_expires?: string;
}
export interface Refused {
  id: number;
  at: string;
  remote: string;
  method: string;
  path: string;
  result: string;
  code: string;
  said: string;
  body_bytes: number;
  headers: string[];
  now: { good: boolean; part: string; text: string; other?: string };
}
export interface Conversation {
  id: string;
  channel: string;
  guest: string;
  name: string;
  tenant: string;
  tenant_id: string;
  network: string;
  open: boolean;
  messages: number;
  last_id: number;
  last: string;
  last_text: string;
  last_kind: string;
  last_way: "in" | "out";
}
export interface Identity {
  channel: string;
  network: string;
  network_title?: string; // absent: its channel is not configured any more
  guest: string;
  conversation: string;
  name: string;
  picture?: string;
  phone?: string;
  email?: string;
  matched: "new" | "guest" | "phone" | "email" | "hand";
  since_ms: number;
}
export interface Contact {
  id: string;
  tenant: string;
  name: string;
  named: boolean;
  names: string[];
  phones: string[];
  emails: string[];
  identities: Identity[];
  attributes: Record<string, string>;
  created_ms: number;
  changed_ms: number;
  merged_from: string[];
  rev: number;
}
export interface Hop {
  at?: string;
  call?: string;
  status?: number;
  us?: number;
  answer?: Json;
}
export interface Note {
  end?: string;
  reason?: string;
  text?: string;
  hops?: Hop[];
  note?: Json;
}
export interface Message {
  id: number;
  conversation: string;
  to: string;
  way: "in" | "out";
  kind: string;
  state: string;
  status?: string;
  at: string;
  ended?: string;
  tries: number;
  text: string;
  vendor_id?: string;
  message?: Json;
  media?: Json;
  note?: Note | string;
  trace?: { at: string; what: string; note?: Json }[];
}
export interface Counts {
  waiting: number;
  parked: number;
  delivered: number;
  dead: number;
  unknown: number;
  ignored: number;
}
export interface Sample {
  at: string;
  accepted: number;
  delivered: number;
  waiting: number;
  dead: number;
  rss_bytes: number;
}
export interface Health {
  healthy: boolean;
  why?: string;
  version: string;
  started: string;
  journal: Counts;
  store_queue: number;
  in_flight: number;
  rss_bytes: number;
  webhooks: { connector: string; title: string; webhooks: number; p50_ms: number; p99_ms: number; deadline_ms: number | null }[];
  series: { every_seconds: number; samples: Sample[] };
  queues: { account: string; waiting: number; oldest: string }[];
  oldest_waiting: string | null;
}
export interface Storage {
  name: string;
  read_only: boolean;
  type: string;
  title: string;
  default: boolean;
  checked: boolean;
  works: boolean;
  why?: string;
  remark?: string;
}
export interface StorageKind {
  name: string;
  title: string;
  schema: Schema;
}
export interface Notifier {
  name: string;
  title: string;
  schema: Schema;
  topics: string[];
}
export interface Standing {
  name: string;
  type: string;
  topics: string[];
  state: string;
  why?: string;
  queued: number;
  sent: number;
  refused: number;
  dropped: number;
  last?: string;
  read_only: boolean;
}
export interface Settings {
  rev: number;
  changed?: string;
  changed_by?: string;
  proxy: string | null;
  proxy_in_use: string | null;
  default_storage: string | null;
  default_storage_in_use: string;
  notifiers: Doc[];
  storages: Doc[];
  standing: Standing[];
  commander?: Doc;
  commander_of_file?: Doc;
}
export interface CommanderKinds {
  schema: Schema;
  languages: { name: string; title: string; schema: Schema; archive: string | null }[];
}
export interface Substitution {
  id: string;
  description?: string;
  default_value?: string;
}
export interface CannedResponse {
  name: string;
  library?: string;
  text: string;
  substitutions?: Substitution[];
  tenants: string[];
  rev: number;
  changed: string;
  changed_by: string;
  problem?: string;
}
export interface Rendered {
  name: string;
  text: string;
  command?: string;
  messages?: Json;
  problem?: string;
}
export interface User {
  name: string;
  display_name: string;
  role: Me["role"];
  email?: string;
  queues: string[]; // none: all
  skills: Record<string, number>;
  capacity: { chat: number };
  status: string;
  created: string;
  changed: string;
}
export interface Queue {
  name: string;
  title: string;
  tenant?: string; // slug; absent: of all
  skills: string[];
  overflow_s?: number; // absent, like those below: as the desk says
  overflow_queue?: string;
  business_hours?: string;
  timezone?: string;
  service_level_s?: number;
}
export interface ApiKey {
  ref: string;
  tenant: string;
  name: string;
  permissions: string[];
  enabled: boolean;
  created: string;
  createdby: string;
  revoked: boolean;
  expires: string | false;
  capacity: number;
  frequency: number;
}
export interface Provisioned {
  id: string;
  name?: string;
  type?: string;
  backendurl?: string;
  username?: string;
  token?: { set: boolean };
  genesystenantid?: number;
  slug?: string;
  services: string[];
}
export interface Service {
  ccid: string;
  name: string;
  url?: string;
  secret: Json;
  data: Doc;
  changed: string;
  changedby: string;
}
export interface AuditRow {
  at: string;
  by: string;
  address?: string;
  action: string;
  target: string;
  detail?: Json;
}
export interface Restored {
  dry_run: boolean;
  tenants: { name: string; fate: string; why?: string }[];
  settings: string;
  settings_why?: string;
  responses: { name: string; fate: string; why?: string }[];
  logins: number;
}
export interface Choice {
  label: string;
  payload?: string;
  url?: string;
}
export interface Card {
  title?: string;
  text?: string;
  image?: string;
  choices?: Choice[];
}
/** A message as far as a preview shows it. */
export interface Part {
  kind: string;
  text?: string;
  media?: { url: string; name?: string }[];
  location?: { title?: string; address?: string };
  sticker?: { id: string; title?: string };
  choices?: Choice[];
  cards?: Card[];
  picker?: { choices?: Choice[] };
}
export interface Preview {
  network: string;
  title: string;
  channel?: string;
  carried: boolean;
  reason?: string;
  problem?: string;
  waits: boolean;
  rules: { name: string; text: string; loses: boolean }[];
  parts: Part[];
  calls: { method: string; url: string; type?: string; headers: Record<string, string>; file?: string; body?: Json }[];
  lines: Json[];
}
