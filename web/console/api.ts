// api.ts - calls of this hub's own REST API, with the session's cookie.
//
//   const {value, etag} = await api<Tenant>("GET", `/tenants/${id}`);      throws Problem
import type { Me, ProblemItem } from "./types";

export const root = "/api/v1";
const others = "/nexus/"; // addresses that begin so are not below it; errors have a shape of their own there

/** In a frame of another site the browser keeps the session's cookie back: there the page holds a token of its own, as long as its window lives. */
export const framed = window.top !== window.self;
const tokenKey = "dragoman-token";
let token = "";
try {
  if (framed) token = sessionStorage.getItem(tokenKey) ?? "";
} catch {
  token = ""; // no storage: until the page goes
}
function keepToken(value: string): void {
  token = value;
  try {
    if (value) sessionStorage.setItem(tokenKey, value);
    else sessionStorage.removeItem(tokenKey);
  } catch {
    // as above
  }
}
/** What shows whose call it is, where the cookie does not. */
export function authorization(): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
export async function logIn(user: string, password: string): Promise<void> {
  keepToken("");
  const { value } = await api<{ token: string }>("POST", "/auth/login", { user, password, cookie: !framed });
  if (framed) keepToken(value.token);
}
const provider = `${root}/auth/oidc/start`;
/** Where people log in at the company's provider, to come back here; "": this hub knows none. In a frame the session that is made there would not reach us. */
export async function providerLogIn(): Promise<string> {
  if (framed) return "";
  try {
    const ways = await get<{ provider: boolean }>("/auth/ways");
    return ways.provider ? `${provider}?next=${encodeURIComponent(location.pathname + location.search)}` : "";
  } catch {
    return "";
  }
}
/** Who is it, if anybody: a page that only wants to know leaves no refused call in the browser's console. */
export async function whoAmI(): Promise<Me | null> {
  try {
    const ways = await get<{ logged_in: boolean }>("/auth/ways");
    return ways.logged_in ? await get<Me>("/auth/me") : null;
  } catch {
    return null;
  }
}
export async function logOut(): Promise<void> {
  try {
    await api("POST", "/auth/logout");
  } finally {
    keepToken("");
  }
}

export class Problem extends Error {
  constructor(
    readonly status: number, // 0: the hub could not be reached
    readonly code: string,
    detail: string,
    readonly field: string | undefined,
    readonly problems: ProblemItem[],
    readonly retryAfter: number, // seconds; 0: not said
  ) {
    super(detail);
  }
}

let ended: () => void = () => {};
/** Who is told when the session is over. */
export function onSessionEnded(tell: () => void): void {
  ended = tell;
}

export interface Answer<T> {
  value: T;
  etag: string | null;
}

const answer_ms = 60000; // a question that has no answer by then is given up: whoever asked may ask again
export async function api<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store", headers: { "X-Dragoman": "1", ...authorization(), ...headers } };
  if (body instanceof Blob) {
    init.body = body;
    init.headers = { ...init.headers, "Content-Type": body.type || "application/octet-stream" };
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "Content-Type": "application/json" };
  }
  if (method === "GET") init.signal = AbortSignal.timeout(answer_ms);
  let r: Response;
  let text: string;
  try {
    r = await fetch(path.startsWith(others) ? path : root + path, init);
    text = await r.text();
  } catch {
    throw new Problem(0, "unreachable", "", undefined, [], 0);
  }
  let json: any;
  try {
    json = text ? JSON.parse(text) : undefined;
  } catch {
    json = undefined;
  }
  if (r.ok) return { value: json as T, etag: r.headers.get("ETag") };
  if (r.status === 401 && path !== "/auth/login" && path !== "/auth/me") ended();
  const problems: ProblemItem[] = Array.isArray(json?.problems) ? json.problems : [];
  if (!problems.length && json?.field) problems.push({ field: json.field, message: json.detail });
  throw new Problem(r.status, json?.code ?? json?.status?.code ?? "", json?.detail ?? json?.status?.message ?? r.statusText, json?.field, problems, Number(r.headers.get("Retry-After")) || 0);
}

export async function get<T>(path: string): Promise<T> {
  return (await api<T>("GET", path)).value;
}

/** ?a=1&b=2 of those that are not empty. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== null && v !== undefined && v !== "" && v !== false) q.set(k, String(v));
  const text = q.toString();
  return text ? `?${text}` : "";
}

/** One event stream for the whole page; who is interested listens on it. After an interruption all are told {}: anything may have happened meanwhile. */
type Listener = (data: unknown) => void;
const listeners = new Map<string, Set<Listener>>();
let stream: EventSource | null = null;
let reopening = 0;
const names = ["conversation", "contact", "health", "config"];
const reopen_ms = 5000;

function open(again: boolean): void {
  if (token) return; // it cannot show the token: pages in a frame look every so often
  stream?.close();
  const own = (stream = new EventSource(`${root}/events`));
  let heard = again;
  own.addEventListener("hello", () => {
    if (heard) for (const all of listeners.values()) for (const tell of all) tell({});
    heard = true;
  });
  own.onerror = () => {
    // a lost connection is made again by the browser; after a refusal (a hub that starts anew, or a proxy before it) it gives up
    if (own.readyState === EventSource.CLOSED && own === stream) reopening = window.setTimeout(open, reopen_ms, true);
  };
  for (const name of names)
    own.addEventListener(name, (e) => {
      const data: unknown = JSON.parse((e as MessageEvent<string>).data);
      for (const tell of listeners.get(name) ?? []) tell(data);
    });
}
export function streamOpen(): void {
  open(false);
}
export function streamClose(): void {
  clearTimeout(reopening);
  stream?.close();
  stream = null;
}
export function listen(name: string, tell: Listener): () => void {
  const all = listeners.get(name) ?? new Set<Listener>();
  listeners.set(name, all.add(tell));
  return () => void all.delete(tell);
}
