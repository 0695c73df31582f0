// stream.ts - the desk's events, read with fetch, so that a page in a frame can show its token; the browser's own EventSource cannot.
//
//   const stop = follow("/desk/events", { event: (name, data) => …, online: (yes) => … });
//
// A lost connection is made again, after 1, 2, 4 … 15 s; the first event of each, "hello", says all that a page must know. No word for a minute: lost.
import { authorization, root } from "../console/api";

const first_wait_ms = 1000;
const most_wait_ms = 15000;
const silence_ms = 60000;

export interface Listener {
  event: (name: string, data: unknown) => void;
  online: (yes: boolean) => void;
  ended: () => void; // the session is over
}

/** Lines of a stream of server-sent events become events. */
export function reader(tell: (name: string, data: string) => void): (text: string) => void {
  let rest = "";
  let name = "";
  let data: string[] = [];
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length) tell(name || "message", data.join("\n"));
        name = "";
        data = [];
      } else if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
  };
}

export function follow(path: string, to: Listener): () => void {
  let stopped = false;
  let wait = first_wait_ms;
  let timer = 0;
  let silence = 0;
  let call = new AbortController();
  const heard = () => {
    clearTimeout(silence);
    silence = window.setTimeout(() => call.abort(), silence_ms);
  };
  const connect = async () => {
    call = new AbortController();
    heard();
    try {
      const r = await fetch(root + path, { headers: { ...authorization(), Accept: "text/event-stream" }, cache: "no-store", credentials: "same-origin", signal: call.signal });
      if (r.status === 401) return to.ended();
      if (!r.ok || !r.body) throw new Error(String(r.status));
      to.online(true);
      const take = reader((name, data) => {
        wait = first_wait_ms;
        if (name === "lost") return call.abort(); // this page was too slow for some of it: the next hello repairs that
        to.event(name, JSON.parse(data));
      });
      const text = r.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await text.read();
        if (done) break;
        heard();
        take(value);
      }
    } catch {
      // not there, or gone: again in a moment
    }
    clearTimeout(silence);
    if (stopped) return;
    to.online(false);
    timer = window.setTimeout(() => void connect(), wait);
    wait = Math.min(wait * 2, most_wait_ms);
  };
  const soon = () => {
    if (stopped || !timer) return;
    clearTimeout(timer);
    timer = window.setTimeout(() => void connect(), 0);
  };
  addEventListener("online", soon);
  void connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(silence);
    removeEventListener("online", soon);
    call.abort();
  };
}
