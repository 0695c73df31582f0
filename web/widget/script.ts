// The chat for a company's site, in one tag:
//
//   <script src="https://hub.example.com/webchat/widget.js" data-key="API KEY" async></script>
//
// data-endpoint, data-stream: which chat; data-title, data-color, data-theme (auto, light, dark), data-language, data-dir; data-fields: of the form before
// the chat ("name,email,subject"); data-invite, data-invite-seconds: an invitation beside the button; data-open: open from the start; data-hub: another hub than the one the script came from.
// window.DragomanChat: open(), close(), userData: told with the next start.
import { Chat } from "./chat";
import { languageOf, speak, t } from "./texts";
import { View } from "./view";

declare global {
  interface Window {
    DragomanChat?: { open(): void; close(): void; userData: Record<string, string> };
  }
}

const tag = document.currentScript as HTMLScriptElement | null;

function about(): Record<string, string> {
  return { _genesys_source: "web", _genesys_url: location.href.split("#")[0] ?? "", _genesys_referrer: document.referrer, _genesys_pageTitle: document.title };
}

function run(): void {
  const data = tag?.dataset ?? {};
  if (window.DragomanChat || !data["key"]) return;
  const hub = data["hub"] ?? new URL(tag?.src ?? location.href).origin;
  const page = document.documentElement;
  const language = languageOf([data["language"] ?? "", page.lang, ...navigator.languages].filter(Boolean));
  speak(language);
  const userData = about();
  const view = new View({
    title: data["title"] ?? t("title"),
    color: data["color"] ?? "",
    theme: data["theme"] ?? "auto",
    direction: data["dir"] ?? (page.dir || "ltr"),
    language,
    invite: data["invite"] ?? "",
    inviteSeconds: Number(data["inviteSeconds"] ?? 10) || 0,
    fields: (data["fields"] ?? "name,email").split(",").map((f) => f.trim()),
  });
  const settings = { url: `${hub}/nexus/v3/chat/sessions`, key: data["key"], endpoint: data["endpoint"] ?? "", stream: data["stream"] ?? "", userData };
  view.chat = new Chat(settings, {
    changed: () => view.changed(),
    arrived: (m) => view.arrived(m),
  });
  view.changed();
  window.DragomanChat = { open: () => view.toggle(true), close: () => view.toggle(false), userData };
  void view.chat.resume().then((goesOn) => {
    if (data["open"] !== undefined) view.toggle(true);
    else if (!goesOn) view.invite();
  });
}

if (document.body) run();
else document.addEventListener("DOMContentLoaded", run);
