// What the guest sees: a button, and the chat in a panel. It lives in a shadow of its own, so that the site's styles and this do not meet.
import { order, pictureTypes } from "./chat";
import type { Chat, Message, Pending } from "./chat";
import { el, prose, rich, withoutFiles } from "./rich";
import { regionOf, t } from "./texts";

declare const STYLE: string; // style.css, put in by the build

export interface Looks {
  title: string;
  color: string;
  theme: string; // light, dark, auto
  direction: string;
  language: string;
  fields: string[]; // of the form before the chat: name, email, subject
  invite: string; // shown beside the button to who has not chatted yet; "": nobody is asked
  inviteSeconds: number;
}

const icons: Record<string, string> = {
  chat: "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H9l-5 4V6a2 2 0 0 1 0-2z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M3 11l18-8-8 18-2-8z",
  attach: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  emoji: "M12 3a9 9 0 1 0 .01 0zM9 10h.01M15 10h.01M8.5 14.5a4 4 0 0 0 7 0",
  more: "M5 12h.01M12 12h.01M19 12h.01",
};
const quietKey = "dragoman-chat-quiet";
const invitedKey = "dragoman-chat-invited"; // once a visit is enough

function kept(storage: "localStorage" | "sessionStorage", key: string): boolean {
  try {
    return window[storage].getItem(key) !== null;
  } catch {
    return false; // no storage
  }
}
function keep(storage: "localStorage" | "sessionStorage", key: string, on: boolean): void {
  try {
    if (on) window[storage].setItem(key, "1");
    else window[storage].removeItem(key);
  } catch {
    // no storage: until the page goes
  }
}
/** Two short tones. Browsers allow it once the guest has done something on the page. */
function ring(): void {
  try {
    const audio = new AudioContext();
    for (const [at, hz] of [[0, 660], [0.13, 880]] as const) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0.08, audio.currentTime + at);
      gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.12);
      tone.connect(gain).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.13);
    }
    setTimeout(() => void audio.close(), 600);
  } catch {
    // a browser without sound
  }
}

const emojis = "😀😄😊🙂😉😍🤔😅😂😢😭😡👍👎👌🙏👏💪🎉❤️⭐🔥✅❌❓☀️🌧️📦🚚🏠💳⏰📷📞✉️🍀".match(/.\ufe0f?/gu) ?? []; // with the mark that asks for a picture, where there is one

function icon(name: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", icons[name] ?? "");
  svg.append(path);
  return svg;
}
function tool(name: string, label: string, pressed: () => void): HTMLButtonElement {
  const b = el("button", { type: "button", class: "tool", "aria-label": label, title: label, "data-testid": name });
  b.append(icon(name));
  b.addEventListener("click", pressed);
  return b;
}

export class View {
  private readonly host = el("div");
  private readonly root: ShadowRoot;
  private readonly launcher: HTMLButtonElement;
  private readonly badge = el("span", { class: "badge", hidden: "" });
  private readonly panel: HTMLElement;
  private readonly main = el("div", { class: "main" });
  private readonly log: HTMLElement;
  private readonly status = el("p", { class: "status", role: "status" });
  private readonly field: HTMLTextAreaElement;
  private readonly composer: HTMLFormElement;
  private readonly menu: HTMLElement;
  private readonly palette: HTMLElement;
  private readonly pick = el("input", { type: "file", hidden: "", tabindex: "-1", "data-testid": "file" });
  private readonly attach = tool("attach", t("attach"), () => this.pick.click());
  private readonly shown = new Map<string, HTMLElement>();
  private readonly invitation = el("div", { class: "invite", role: "status", "data-testid": "invite" });
  private readonly sound = el("button", { type: "button", "data-testid": "menu-sound" });
  private quiet = kept("localStorage", quietKey);
  private notice = "";
  private unread = 0;
  private form: HTMLElement | undefined;
  private readonly seen = el("p", { class: "seen", "data-testid": "seen" });
  private opinion: HTMLElement | undefined; // asked at the end of a chat
  chat!: Chat;

  constructor(private readonly looks: Looks) {
    this.root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // not an element: a strict policy of the site allows it
    sheet.replaceSync(STYLE);
    this.root.adoptedStyleSheets = [sheet];
    this.host.dir = looks.direction;
    this.host.lang = looks.language;
    this.host.dataset["theme"] = looks.theme;
    if (looks.color && CSS.supports("color", looks.color)) this.host.style.setProperty("--brand", looks.color);

    this.launcher = el("button", { type: "button", class: "launcher", "aria-label": t("open"), "aria-expanded": "false", "data-testid": "launcher" });
    this.launcher.append(icon("chat"), this.badge);
    this.launcher.addEventListener("click", () => this.toggle(true));

    this.log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": t("scroll"), tabindex: "0", "data-testid": "log" });
    this.field = el("textarea", { rows: "1", "aria-label": t("message"), placeholder: t("message"), maxlength: "5000", "data-testid": "field" });
    this.menu = el("div", { class: "menu", hidden: "" }, this.item("transcript", () => void this.save()), this.sound, this.item("end", () => void this.chat.end()));
    this.palette = this.makePalette();
    this.composer = this.makeComposer();
    const more = tool("more", t("more"), () => {
      this.menu.hidden = !this.menu.hidden;
      more.setAttribute("aria-expanded", String(!this.menu.hidden));
    });
    const head = el("header", {}, el("h2", { id: "title" }, looks.title), more, tool("close", t("close"), () => this.toggle(false)), this.menu);
    this.panel = el("section", { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: "", "data-testid": "panel" }, head, this.main);
    this.panel.addEventListener("keydown", (e) => {
      if (e.key === "Escape") this.escape();
      e.stopPropagation(); // the site's own shortcuts are not meant
    });
    this.sound.addEventListener("click", () => {
      this.quiet = !this.quiet;
      keep("localStorage", quietKey, this.quiet);
      this.menu.hidden = true;
      this.changed();
    });
    this.seen.textContent = t("seen");
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.panel.hidden) this.chat.looked();
    });
    this.root.append(this.launcher, this.invitation, this.panel);
    document.body.append(this.host);
  }

  // ---- parts --------------------------------------------------------------------------------------------------------------------

  private item(what: "transcript" | "end", pressed: () => void): HTMLElement {
    const b = el("button", { type: "button", "data-testid": `menu-${what}` }, t(what));
    b.addEventListener("click", () => {
      this.menu.hidden = true;
      pressed();
    });
    return b;
  }
  private makePalette(): HTMLElement {
    const box = el("div", { class: "palette", hidden: "", role: "group", "aria-label": t("emoji") });
    for (const e of emojis) {
      const b = el("button", { type: "button" }, e);
      b.addEventListener("click", () => {
        this.field.setRangeText(e, this.field.selectionStart, this.field.selectionEnd, "end");
        this.field.focus();
      });
      box.append(b);
    }
    return box;
  }
  private makeComposer(): HTMLFormElement {
    const send = el("button", { type: "submit", class: "tool", "aria-label": t("send"), title: t("send"), "data-testid": "send" });
    send.append(icon("send"));
    const emoji = tool("emoji", t("emoji"), () => {
      this.palette.hidden = !this.palette.hidden;
      emoji.setAttribute("aria-expanded", String(!this.palette.hidden));
    });
    const form = el("form", { class: "composer" }, emoji, this.attach, this.pick, this.field, send);
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.send();
    });
    this.field.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
        e.preventDefault();
        this.send();
      }
    });
    this.field.addEventListener("input", () => {
      this.field.style.height = "auto";
      this.field.style.height = `${Math.min(this.field.scrollHeight, 120)}px`;
      this.chat.typed(this.field.value);
    });
    this.pick.addEventListener("change", () => {
      const file = this.pick.files?.[0];
      this.pick.value = "";
      if (file) void this.chat.upload(file).then((code) => this.complain(code === "INVALID_FILE_TYPE" ? t("wrong") : code === "LIMIT_FILE_SIZE" ? t("large") : ""));
    });
    return form;
  }
  private makeForm(): HTMLElement {
    const form = el("form", { class: "form", "data-testid": "form", novalidate: "" });
    const inputs: Record<string, HTMLInputElement> = {};
    for (const name of ["name", "email", "subject"] as const) {
      if (!this.looks.fields.includes(name)) continue;
      const input = el("input", { name, type: name === "email" ? "email" : "text", maxlength: "200", autocomplete: name === "subject" ? "off" : name, ...(name === "name" ? { required: "" } : {}) });
      inputs[name] = input;
      form.append(el("label", {}, t(name), input));
    }
    const error = el("p", { class: "error", role: "alert" });
    const start = el("button", { type: "submit", class: "choice", "data-testid": "start" }, t("start"));
    form.append(error, start);
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      const name = inputs["name"]?.value.trim() ?? t("you");
      error.textContent = "";
      if (!name) {
        error.textContent = t("needed");
        inputs["name"]?.focus();
        return;
      }
      if (inputs["email"] && !inputs["email"].validity.valid) {
        error.textContent = t("address");
        inputs["email"].focus();
        return;
      }
      start.disabled = true;
      const email = inputs["email"]?.value.trim(), subject = inputs["subject"]?.value.trim();
      void this.chat.start({ nickname: name, ...(email ? { email } : {}), ...(subject ? { subject } : {}) }).then((code) => {
        start.disabled = false;
        if (code) error.textContent = code === "INVALID_NICKNAME" ? t("needed") : t("unavailable");
        else this.field.focus();
      });
    });
    return form;
  }

  /** To be called when it is known that there is no chat to go on with. */
  invite(): void {
    if (!this.looks.invite || kept("sessionStorage", invitedKey)) return;
    setTimeout(() => {
      if (!this.panel.hidden || this.chat.state !== "none") return;
      keep("sessionStorage", invitedKey, true);
      const open = el("button", { type: "button", class: "asks" }, this.looks.invite);
      open.addEventListener("click", () => this.toggle(true));
      const close = tool("close", t("dismiss"), () => {
        this.invitation.replaceChildren();
        this.launcher.focus();
      });
      this.invitation.replaceChildren(open, close);
    }, this.looks.inviteSeconds * 1000);
  }

  // ---- doings ----------------------------------------------------------------------------------------------------------------------

  toggle(open: boolean): void {
    this.panel.hidden = !open;
    this.launcher.hidden = open;
    this.launcher.setAttribute("aria-expanded", String(open));
    if (!open) {
      this.launcher.focus();
      return;
    }
    this.unread = 0;
    this.invitation.replaceChildren();
    this.changed();
    this.log.scrollTop = this.log.scrollHeight;
    (this.chat.state === "open" ? this.field : this.panel.querySelector<HTMLElement>("input,button.choice"))?.focus();
  }
  private escape(): void {
    if (!this.palette.hidden) this.palette.hidden = true;
    else if (!this.menu.hidden) this.menu.hidden = true;
    else this.toggle(false);
  }
  private send(): void {
    const text = this.field.value.trim();
    if (!text || this.chat.state !== "open") return;
    this.field.value = "";
    this.field.style.height = "auto";
    this.palette.hidden = true;
    void this.chat.say(text);
  }
  private complain(text: string): void {
    this.notice = text;
    this.changed();
    if (text)
      setTimeout(() => {
        if (this.notice === text) this.notice = "";
        this.changed();
      }, 6000);
  }
  private async save(): Promise<void> {
    try {
      const a = el("a", { href: URL.createObjectURL(await this.chat.transcript()), download: "transcript.txt" });
      this.root.append(a);
      a.click();
      a.remove();
    } catch {
      this.complain(t("unavailable"));
    }
  }
  arrived(m: Message): void {
    if (!this.quiet && (m.text || m.content) && (this.panel.hidden || document.hidden)) ring();
    if (this.panel.hidden && m.from.type !== "Customer" && (m.text || m.content)) this.unread++;
  }

  // ---- drawing ------------------------------------------------------------------------------------------------------------------------

  private readonly tap = (text: string): void => {
    void this.chat.say(text);
    this.field.focus();
  };
  private bubble(m: Message, last: boolean): HTMLElement {
    const own = m.from.participantId === this.chat.participant;
    const who = own ? t("you") : (m.from.nickname ?? m.from.firstName ?? "");
    if (m.type === "ParticipantJoined" || m.type === "ParticipantLeft")
      return el("p", { class: "event", ...(own ? { hidden: "" } : {}) }, t(m.type === "ParticipantJoined" ? "joined" : "left", who));
    const text = m.type === "PushUrl" ? (m.url ?? m.text ?? "") : withoutFiles(m);
    const body = el("div", { class: "bubble" });
    const cards = m.contentType === "generic" || m.contentType === "single-selection-list";
    if (text && !cards) body.append(el("p", { class: "text" }, prose(text)));
    for (const part of rich(this.chat, m, this.tap, last)) if (part) body.append(part);
    const at = new Date(m.utcTime);
    const today = at.toDateString() === new Date().toDateString(); // a chat may go on for days
    const clock = { hour: "2-digit", minute: "2-digit" } as const;
    const time = el("time", { datetime: at.toISOString() }, at.toLocaleString(regionOf(this.looks.language), today ? clock : { day: "numeric", month: "short", ...clock }));
    return el("article", { class: own ? "line own" : "line", "data-testid": own ? "own" : "other" }, el("p", { class: "who" }, `${who} `, time), body);
  }
  private waiting(p: Pending): HTMLElement {
    const line = el("article", { class: "line own pending", "data-testid": "pending" }, el("div", { class: "bubble" }, el("p", { class: "text" }, p.text)));
    if (p.failed) {
      const again = el("button", { type: "button", class: "choice", "data-testid": "again" }, t("failed"));
      again.addEventListener("click", () => void this.chat.deliver(p));
      line.append(again);
    }
    return line;
  }
  private drawLog(): void {
    const { messages, pending } = this.chat;
    const bottom = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    const said = messages.filter((m) => m.type !== "ParticipantJoined" && m.type !== "ParticipantLeft").at(-1);
    const nodes: HTMLElement[] = [];
    for (const m of messages) {
      const key = `${m.index}${m.contentType === "quick-replies" && m === said && !pending.length ? "+" : ""}`;
      let node = this.shown.get(key);
      if (!node) {
        node = this.bubble(m, key.endsWith("+"));
        this.shown.set(key, node);
      }
      nodes.push(node);
    }
    for (const old of this.log.querySelectorAll(".pending")) old.remove();
    let at = 0; // what stands stays where it is: a screen reader hears only what is new
    for (const n of nodes) {
      if (this.log.children[at] !== n) this.log.insertBefore(n, this.log.children[at] ?? null);
      at++;
    }
    while (this.log.children.length > at) this.log.lastElementChild?.remove();
    for (const p of pending) this.log.append(this.waiting(p));
    const read = messages.filter((m) => m.from.participantId === this.chat.participant && m.type !== "ParticipantJoined" && order(m.index) <= order(this.chat.seenTo || "0")).at(-1);
    const at_read = read && (this.shown.get(read.index) ?? this.shown.get(`${read.index}+`));
    if (!at_read) this.seen.remove();
    else if (this.seen.parentElement !== at_read) at_read.append(this.seen);
    if (bottom || pending.length) this.log.scrollTop = this.log.scrollHeight;
    if (!this.panel.hidden && !document.hidden) this.chat.looked();
  }
  /** How was it? Stars as radio buttons, and a few words. */
  private makeOpinion(most: number): HTMLElement {
    const stars = el("fieldset", {}, el("legend", {}, t("rate")));
    for (let n = 1; n <= most; n++) {
      const pick = el("input", { type: "radio", name: "rating", value: String(n), "aria-label": t("stars", `${n}/${most}`) });
      stars.append(el("label", { class: "star" }, pick, "★"));
    }
    const words = el("textarea", { rows: "2", maxlength: "1000", "aria-label": t("comment"), placeholder: t("comment"), "data-testid": "comment" });
    const send = el("button", { type: "submit", class: "choice", disabled: "" }, t("send"));
    const form = el("form", { class: "opinion", "data-testid": "opinion" }, stars, words, send);
    stars.addEventListener("change", () => {
      send.disabled = false;
    });
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      const rating = Number(stars.querySelector<HTMLInputElement>("input:checked")?.value);
      if (!rating) return;
      send.disabled = true;
      void this.chat.rate(rating, words.value.trim()).then((good) => {
        if (good) this.complain(t("thanks"));
        else {
          send.disabled = false;
          this.complain(t("unavailable"));
        }
      });
    });
    return form;
  }
  /** Nobody has said anything yet. */
  private silent(): boolean {
    return !this.chat.pending.length && !this.chat.messages.some((m) => m.type !== "ParticipantJoined" && m.type !== "ParticipantLeft");
  }
  changed(): void {
    const chat = this.chat;
    this.badge.hidden = !this.unread;
    this.badge.textContent = String(this.unread);
    this.launcher.setAttribute("aria-label", this.unread ? `${t("open")}, ${t("unread", String(this.unread))}` : t("open"));
    this.sound.textContent = t(this.quiet ? "loud" : "quiet");
    for (const b of this.menu.querySelectorAll("button")) b.disabled = chat.state === "none" && b !== this.sound;
    this.menu.querySelector<HTMLButtonElement>("[data-testid=menu-end]")!.disabled = chat.state !== "open";
    if (chat.state === "none") {
      this.form ??= this.makeForm();
      if (this.form.parentElement !== this.main) this.main.replaceChildren(this.form);
      return;
    }
    if (this.log.parentElement !== this.main) {
      this.log.replaceChildren();
      this.shown.clear();
      this.main.replaceChildren(this.log, this.status, this.palette, this.composer);
    }
    const any = chat.uploads === "files";
    this.attach.hidden = !chat.uploads;
    this.attach.title = t(any ? "file" : "attach");
    this.attach.setAttribute("aria-label", this.attach.title);
    this.pick.accept = any ? "" : pictureTypes.join();
    this.drawLog();
    const ended = chat.state === "ended";
    this.composer.hidden = ended;
    this.status.textContent = this.notice || (ended ? t("ended") : !chat.online ? t("offline") : chat.typing ? t("typing", chat.typing) : this.silent() ? t("hello") : "");
    this.status.dataset["state"] = ended ? "ended" : !chat.online ? "offline" : chat.typing ? "typing" : "";
    if (ended && chat.asks && !this.opinion) this.main.append((this.opinion = this.makeOpinion(chat.asks)));
    else if (this.opinion && !(ended && chat.asks)) {
      this.opinion.remove();
      this.opinion = undefined;
    }
    const again = this.main.querySelector(".again");
    if (ended && !again) {
      const b = el("button", { type: "button", class: "choice again", "data-testid": "new" }, t("again"));
      b.addEventListener("click", () => {
        chat.state = "none";
        this.form = undefined;
        this.changed();
        this.panel.querySelector<HTMLElement>("input")?.focus();
      });
      this.main.append(b);
    } else if (!ended && again) again.remove();
  }
}
