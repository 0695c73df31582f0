// vendors.ts - where an account is looked after at its vendor, and how guests find it.
import type { Doc } from "./types";

const text = (v: unknown): string => (typeof v === "string" ? v : "");
/* Only what is a plain name goes into an address. */
const plain = (v: unknown): string => (/^[A-Za-z0-9._-]+$/.test(text(v)) ? text(v) : "");

const consoles: Record<string, (account: Doc) => { name: string; href: string }[]> = {
  line: (a) => [
    { name: "LINE Developers", href: plain(a["channel_id"]) ? `https://developers.line.biz/console/channel/${plain(a["channel_id"])}/` : "https://developers.line.biz/console/" },
    { name: "LINE Official Account Manager", href: "https://manager.line.biz/" },
  ],
  telegram: () => [{ name: "BotFather", href: "https://t.me/BotFather" }],
  teams: () => [
    { name: "Microsoft Azure", href: "https://portal.azure.com/" },
    { name: "Teams Developer Portal", href: "https://dev.teams.microsoft.com/" },
  ],
  apple: () => [{ name: "Apple Business Register", href: "https://register.apple.com/" }],
  slack: () => [{ name: "Slack API", href: "https://api.slack.com/apps" }],
  "genesys-cloud": (a) => [{ name: "Genesys Cloud", href: `https://apps.${plain(a["region"]) || "mypurecloud.com"}/directory/#/admin/messaging/platforms` }],
};
export function vendorLinks(connector: string, account: Doc): { name: string; href: string }[] {
  return consoles[connector]?.(account) ?? [];
}

/** Where this hub gives the sample of an inbound message flow; null: its vendor knows no such thing. */
export function sampleFlow(connector: string): { href: string; file: string } | null {
  return connector === "genesys-cloud" ? { href: "/openmessaging/flow", file: "dragoman-inbound-messages.yaml" } : null;
}

/** The address that leads guests to an account; null: there is none, or not yet. */
export function guestLink(connector: string, account: Doc): string | null {
  const id = connector === "line" ? text(account["bot_id"]) : text(account["business_id"]);
  if (connector === "line" && /^@[A-Za-z0-9._-]+$/.test(id)) return `https://line.me/R/ti/p/${encodeURIComponent(id)}`;
  if (connector === "apple" && plain(id)) return `https://bcrw.apple.com/urn:biz:${id}`;
  return null;
}

/** What a site puts before </body> to hold the chat. base: the hub's public address. */
export function chatTag(account: Doc, base: string): string | null {
  const key = plain(account["api_key"]);
  return key ? `<script src="${base}/webchat/widget.js" data-key="${key}" async></script>` : null;
}
