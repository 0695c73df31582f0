// Chat v3 as a page speaks it: docs/wire/webchat.md. No document here; the view is told what changed.
export interface Action {
  url?: string;
  textback?: string;
}
export interface Item {
  id?: string;
  type?: string;
  text?: string;
  title?: string;
  desc?: string;
  image?: string;
  imageText?: string;
  url?: string;
  mime?: string;
  name?: string;
  size?: number;
  at?: string;
  submitLabel?: string;
  actions?: Action;
  components?: Item[];
}
export interface Message {
  index: string;
  type: string;
  utcTime: number;
  text?: string;
  url?: string;
  contentType?: string;
  content?: Item[];
  from: { participantId: string; nickname?: string; firstName?: string; type: string };
}
export interface Pending {
  id: string; // of the operation: a repeat has effect once
  text: string;
  file?: File;
  failed?: boolean;
  index?: string;
}
export interface Settings {
  url: string; // …/nexus/v3/chat/sessions
  key: string;
  endpoint: string;
  stream: string;
  userData: Record<string, string>;
}
interface State {
  messages?: Message[];
  chatEnded?: boolean;
  seenIndex?: string; // up to where the other side has read
  satisfaction?: number; // the guest is to be asked how it was, 1 to so many
}
export type Uploads = "images" | "files"; // what the hub takes
interface Answer {
  status: number;
  code: string | number;
  data: State & { clientToken?: string; index?: string; uploads?: Uploads };
  ended: boolean;
}
export interface Listener {
  changed(): void; // messages, pending, typing, state
  arrived(m: Message): void; // from an agent, new on this page
}

const pollActive = 1500;
const pollQuiet = 3000;
const pollHidden = 8000;
const quietAfter = 60000;
const waitMost = 30000;
const typingShown = 5000;
const typingEvery = 3000;
const typingEnds = 2000;
const pageOfHistory = 100;
const streamSilent = 60000; // the hub says something each 25 s: a connection that does not is dead
const streamTries = 3; // that ended at once: then this page polls
const streamShort = 5000;
export const pictureTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export const order = (index: string): number => Number(index.replace("-", ""));

export class Chat {
  messages: Message[] = [];
  pending: Pending[] = [];
  typing = "";
  state: "none" | "open" | "ended" = "none";
  online = true;
  participant = "";
  seenTo = ""; // the index up to which the other side has read
  asks = 0; // how it was, 1 to so many; 0: nobody asks
  uploads: Uploads | undefined;
  private token = "";
  private session = "";
  private seen = new Set<string>();
  private timer = 0;
  private wait = pollActive;
  private active = Date.now();
  private typingTimer = 0;
  private typedAt = 0;
  private typedTimer = 0;
  private polling = false;
  private reading = ""; // told the hub: read up to here
  private stream: AbortController | null = null;
  private streamed = false; // it works just now
  private tries = 0;
  private readonly store: string;

  constructor(
    private readonly settings: Settings,
    private readonly listener: Listener,
  ) {
    this.store = `dragoman-chat:${settings.url}:${settings.key}:${settings.endpoint}`;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.soon();
    });
    addEventListener("online", () => this.soon());
  }

  // ---- calls ------------------------------------------------------------------------------------------------------------------

  headers(): Record<string, string> {
    return { "x-api-key": this.settings.key, ...(this.token ? { "x-nexus-client-key": this.token } : {}) };
  }
  private async call(method: string, path: string, data?: unknown, id: string = crypto.randomUUID(), form?: FormData): Promise<Answer> {
    const init: RequestInit = { method, headers: this.headers(), cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };
    if (form) {
      form.append("operationId", id);
      init.body = form;
    } else if (method !== "GET") {
      init.headers = { ...this.headers(), "content-type": "application/json" };
      init.body = JSON.stringify({ operationId: id, ...(data ? { data } : {}) });
    }
    if (typeof AbortSignal.timeout === "function") init.signal = AbortSignal.timeout(form ? 60000 : 15000);
    const r = await fetch(this.settings.url + path, init);
    const json = (await r.json().catch(() => ({}))) as { status?: { code?: string | number }; data?: Answer["data"]; chatEnded?: boolean };
    return { status: r.status, code: json.status?.code ?? 1, data: json.data ?? {}, ended: json.chatEnded === true || json.data?.chatEnded === true };
  }
  private take(token: string): void {
    this.token = token;
    const claims = JSON.parse(atob(token.split(".")[1] ?? "")) as { sessionId: string; participantId: string };
    this.session = claims.sessionId;
    this.participant = claims.participantId;
    try {
      localStorage.setItem(this.store, token);
    } catch {
      // no storage: the chat lives as long as this page
    }
  }
  private forget(): void {
    this.token = "";
    try {
      localStorage.removeItem(this.store);
    } catch {
      // as above
    }
  }

  // ---- beginning and end ----------------------------------------------------------------------------------------------------------

  /** The chat that this browser had, if it still is one. */
  async resume(): Promise<boolean> {
    try {
      this.token = localStorage.getItem(this.store) ?? "";
    } catch {
      this.token = "";
    }
    if (!this.token) return false;
    const { endpoint, stream, userData } = this.settings;
    for (let wait = 1000; ; wait = Math.min(wait * 2, waitMost)) {
      try {
        const r = await this.call("POST", "", { ...(endpoint ? { endpoint } : {}), ...(stream ? { stream } : {}), userData });
        if (r.status === 200 && r.data.clientToken && !r.ended) {
          this.take(r.data.clientToken); // a transport of our own: another tab reads with its own
          this.uploads = r.data.uploads;
          this.begin(`?count=${pageOfHistory}`);
          return true;
        }
        if (r.status !== 429 && r.status < 500) {
          this.forget();
          return false;
        }
      } catch {
        // no network now
      }
      await new Promise((done) => setTimeout(done, wait));
    }
  }
  /** False: why is the code. */
  async start(form: Record<string, string>): Promise<string | number> {
    const { endpoint, stream, userData } = this.settings;
    this.forget();
    try {
      const r = await this.call("POST", "", { ...form, ...(endpoint ? { endpoint } : {}), ...(stream ? { stream } : {}), userData });
      if (r.status !== 200 || !r.data.clientToken) return r.code || 1;
      this.messages = [];
      this.pending = [];
      this.seen.clear();
      this.take(r.data.clientToken);
      this.uploads = r.data.uploads;
      this.begin("");
      return 0;
    } catch {
      return 1;
    }
  }
  private begin(query: string): void {
    this.state = "open";
    this.active = Date.now();
    this.asks = 0;
    this.tries = 0;
    this.seenTo = this.reading = "";
    void this.poll(query).then(() => this.listen());
    this.listener.changed();
  }
  async end(): Promise<void> {
    await this.call("DELETE", `/${this.session}/participants/${this.participant}`).catch(() => undefined);
    await this.poll();
    this.over();
  }
  /** How it was, once. */
  async rate(rating: number, comment: string): Promise<boolean> {
    try {
      const r = await this.call("POST", `/${this.session}/satisfaction`, { rating, ...(comment ? { comment } : {}) });
      if (r.status !== 200) return false;
    } catch {
      return false;
    }
    this.asks = 0;
    this.listener.changed();
    return true;
  }
  private over(): void {
    this.state = "ended";
    this.typing = "";
    clearTimeout(this.timer);
    this.stream?.abort();
    this.listener.changed();
  }

  // ---- reading ----------------------------------------------------------------------------------------------------------------------

  private soon(): void {
    if (this.state !== "open") return;
    if (this.tries < streamTries) void this.listen();
    if (!this.polling && !this.streamed) {
      clearTimeout(this.timer);
      void this.poll();
    }
  }
  private later(): void {
    if (this.state !== "open" || this.streamed) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.poll(), this.wait);
  }
  private async poll(query = ""): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      const r = await this.call("GET", `/${this.session}/messages${query}`);
      if (r.status === 404 || r.status === 401) {
        this.forget();
        this.over();
      } else if (r.status === 200) {
        this.takeIn(r.data, query !== "");
        this.wait = document.hidden ? pollHidden : Date.now() - this.active < quietAfter ? pollActive : pollQuiet;
        if (!this.online) {
          this.online = true;
          this.listener.changed();
        }
      } else if (r.status !== 429) {
        throw new Error(String(r.status));
      }
    } catch {
      this.wait = Math.min(this.wait * 1.3, waitMost);
      if (this.online) {
        this.online = false;
        this.listener.changed();
      }
    }
    this.polling = false;
    this.later();
  }
  private takeIn(state: State, restored: boolean): void {
    if (state.seenIndex && state.seenIndex !== this.seenTo) {
      this.seenTo = state.seenIndex;
      this.listener.changed();
    }
    this.read(state.messages ?? [], restored);
    if (!state.chatEnded || this.state !== "open") return;
    this.asks = state.satisfaction ?? 0;
    this.forgetLater();
    this.over();
  }
  /** Told as it happens instead of asking: one answer that does not end. Where it does not come through (an old proxy, too many pages), this page polls. */
  private async listen(): Promise<void> {
    if (this.stream || this.state !== "open" || this.tries >= streamTries) return;
    const abort = (this.stream = new AbortController());
    const began = Date.now();
    let silent = 0;
    const heard = (): void => {
      clearTimeout(silent);
      silent = window.setTimeout(() => abort.abort(), streamSilent);
    };
    try {
      heard();
      const last = this.messages.at(-1)?.index;
      const r = await fetch(`${this.settings.url}/${this.session}/events${last ? `?index=${last}` : ""}`, { headers: this.headers(), signal: abort.signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
      if (r.status !== 200 || !r.body || !(r.headers.get("content-type") ?? "").startsWith("text/event-stream")) throw new Error(String(r.status));
      const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        heard();
        const events = (rest + value).split("\n\n");
        rest = events.pop() ?? "";
        for (const event of events) this.event(event);
      }
    } catch {
      // it is polled, and tried again
    }
    clearTimeout(silent);
    this.stream = null;
    this.streamed = false;
    this.tries = Date.now() - began < streamShort ? this.tries + 1 : 0;
    if (this.state === "open") {
      await this.poll();
      setTimeout(() => void this.listen(), this.wait);
    }
  }
  private event(text: string): void {
    const lines = text.split("\n");
    const name = lines.find((l) => l.startsWith("event: "))?.slice(7);
    if (name === "lost") return this.stream?.abort(); // it comes back with what it has
    if (name !== "messages") return;
    if (!this.streamed) {
      this.streamed = true;
      clearTimeout(this.timer);
      if (!this.online) {
        this.online = true;
        this.listener.changed();
      }
    }
    this.takeIn(JSON.parse(lines.filter((l) => l.startsWith("data: ")).map((l) => l.slice(6)).join("\n")) as State, false);
  }
  /** The guest sees what is there: the other side is told, once for what is new. */
  looked(): void {
    const last = this.messages.filter((m) => m.from.participantId !== this.participant && m.from.type !== "Customer" && (m.text || m.content)).at(-1);
    if (this.state !== "open" || !last || last.index === this.reading) return;
    this.reading = last.index;
    void this.call("POST", `/${this.session}/read`, { index: last.index }).catch(() => {
      this.reading = "";
    });
  }
  private forgetLater(): void {
    try {
      localStorage.removeItem(this.store); // a new page begins anew; this one keeps what it needs for the transcript
    } catch {
      // as above
    }
  }
  private read(found: Message[], restored: boolean): void {
    let changed = restored;
    for (const m of found) {
      if (this.seen.has(m.index)) continue;
      this.seen.add(m.index);
      if (m.type === "TypingStarted" || m.type === "TypingStopped") {
        if (m.from.participantId !== this.participant) this.types(m.type === "TypingStarted" ? (m.from.nickname ?? "") : "");
        continue;
      }
      changed = true;
      this.messages.push(m);
      this.active = Date.now();
      this.pending = this.pending.filter((p) => p.index !== m.index);
      if (m.from.participantId !== this.participant) {
        this.typing = "";
        if (!restored) this.listener.arrived(m);
      }
    }
    if (!changed) return;
    this.messages.sort((a, b) => order(a.index) - order(b.index));
    this.pending = this.pending.filter((p) => !p.index || !this.seen.has(p.index));
    this.listener.changed();
  }
  private types(name: string): void {
    clearTimeout(this.typingTimer);
    this.typing = name;
    if (name) {
      this.typingTimer = window.setTimeout(() => {
        this.typing = "";
        this.listener.changed();
      }, typingShown);
    }
    this.listener.changed();
  }

  // ---- writing ------------------------------------------------------------------------------------------------------------------------

  async say(text: string): Promise<void> {
    clearTimeout(this.typedTimer);
    this.typedAt = 0;
    await this.deliver({ id: crypto.randomUUID(), text });
  }
  async upload(file: File): Promise<string | number> {
    return await this.deliver({ id: crypto.randomUUID(), text: file.name, file });
  }
  async deliver(p: Pending): Promise<string | number> {
    delete p.failed;
    if (!this.pending.includes(p)) this.pending.push(p);
    this.active = Date.now();
    this.wait = pollActive;
    this.listener.changed();
    const form = p.file ? new FormData() : undefined;
    if (p.file) form?.append("file", p.file, p.file.name);
    try {
      const to = !p.file ? "messages" : pictureTypes.includes(p.file.type) || this.uploads !== "files" ? "images" : "files";
      const r = await this.call("POST", `/${this.session}/${to}`, { type: "Text", text: p.text }, p.id, form);
      if (r.status === 200) {
        if (r.data.index && !this.seen.has(r.data.index)) p.index = r.data.index;
        else this.pending = this.pending.filter((x) => x !== p);
        this.listener.changed();
        this.soon();
        return 0;
      }
      if (r.code === "INVALID_FILE_TYPE" || r.code === "LIMIT_FILE_SIZE") {
        this.pending = this.pending.filter((x) => x !== p);
        this.listener.changed();
        return r.code;
      }
      if (r.ended || r.status === 404 || r.status === 401) this.over();
    } catch {
      // not sent: the guest may try again
    }
    p.failed = true;
    this.listener.changed();
    return 1;
  }
  /** What is in the field now: told while it grows, and once more when it rests. */
  typed(text: string): void {
    if (this.state !== "open") return;
    clearTimeout(this.typedTimer);
    if (!text) return;
    if (Date.now() - this.typedAt >= typingEvery) {
      this.typedAt = Date.now();
      void this.call("POST", `/${this.session}/messages`, { type: "TypingStarted", text }).catch(() => undefined);
    }
    this.typedTimer = window.setTimeout(() => {
      this.typedAt = 0;
      void this.call("POST", `/${this.session}/messages`, { type: "TypingStopped", text: "" }).catch(() => undefined);
    }, typingEnds);
  }

  // ---- files --------------------------------------------------------------------------------------------------------------------------

  /** Of an item of a message: relative to the chat's root without "/sessions", and asked for with both headers. */
  async file(url: string): Promise<Blob> {
    const r = await fetch(this.settings.url.replace("/sessions", "") + url, { headers: this.headers(), credentials: "omit" });
    if (!r.ok) throw new Error(String(r.status));
    return await r.blob();
  }
  async transcript(): Promise<Blob> {
    const r = await fetch(`${this.settings.url}/${this.session}/transcript`, { headers: this.headers(), credentials: "omit" });
    if (!r.ok) throw new Error(String(r.status));
    return await r.blob();
  }
}
