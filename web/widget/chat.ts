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
interface Answer {
  status: number;
  code: string | number;
  data: { clientToken?: string; messages?: Message[]; chatEnded?: boolean; index?: string };
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

export class Chat {
  messages: Message[] = [];
  pending: Pending[] = [];
  typing = "";
  state: "none" | "open" | "ended" = "none";
  online = true;
  participant = "";
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
      this.begin("");
      return 0;
    } catch {
      return 1;
    }
  }
  private begin(query: string): void {
    this.state = "open";
    this.active = Date.now();
    void this.poll(query);
    this.listener.changed();
  }
  async end(): Promise<void> {
    await this.call("DELETE", `/${this.session}/participants/${this.participant}`).catch(() => undefined);
    await this.poll();
    this.over();
  }
  private over(): void {
    this.state = "ended";
    this.typing = "";
    clearTimeout(this.timer);
    this.listener.changed();
  }

  // ---- reading ----------------------------------------------------------------------------------------------------------------------

  private soon(): void {
    if (this.state === "open" && !this.polling) {
      clearTimeout(this.timer);
      void this.poll();
    }
  }
  private later(): void {
    if (this.state !== "open") return;
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
        this.read(r.data.messages ?? [], query !== "");
        this.wait = document.hidden ? pollHidden : Date.now() - this.active < quietAfter ? pollActive : pollQuiet;
        if (!this.online) {
          this.online = true;
          this.listener.changed();
        }
        if (r.ended) {
          this.forgetLater();
          this.over();
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
    const order = (m: Message): number => Number(m.index.replace("-", ""));
    this.messages.sort((a, b) => order(a) - order(b));
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
  async picture(file: File): Promise<string | number> {
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
      const r = await this.call("POST", `/${this.session}/${p.file ? "images" : "messages"}`, { type: "Text", text: p.text }, p.id, form);
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
