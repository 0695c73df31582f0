// Structured content: how the desk shows what a bot sent, and ready samples of each kind.
import { el, testid } from "../common/dom";
import type { Card, Message } from "./types";

function cardlet(card: Card): HTMLElement {
  const box = testid(el("div", { class: "cardlet" }, el("strong", {}, card.title)), "card");
  if (card.description) box.append(el("span", {}, card.description));
  const choices = el("div", { class: "choices" });
  for (const a of card.actions ?? []) choices.append(el("span", {}, a.text));
  box.append(choices);
  return box;
}

export function blocks(m: Message): HTMLElement[] {
  const out: HTMLElement[] = [];
  const replies = testid(el("div", { class: "choices" }), "quick-replies");
  for (const e of m.content ?? []) {
    if (e.quickReply) replies.append(testid(el("span", {}, e.quickReply.text), "quick-reply"));
    for (const card of e.carousel?.cards ?? (e.card ? [e.card] : [])) out.push(cardlet(card));
    if (e.datePicker) {
      const times = (e.datePicker.availableTimes ?? []).map((t) => ({ type: "time", text: new Date(t.dateTime).toLocaleString() }));
      out.push(cardlet({ title: e.datePicker.title ?? "Date", description: e.datePicker.subtitle ?? "", actions: times }));
    }
    for (const s of e.listPicker?.sections ?? [])
      out.push(cardlet({ title: s.title ?? "List", actions: (s.items ?? []).map((i) => ({ type: "item", text: i.title ?? "" })) }));
  }
  if (replies.childElementCount) out.push(replies);
  return out;
}

const tea = (kind: string, payload: string) => ({
  title: `${kind} tea`,
  description: "From Shizuoka, 100 g",
  actions: [
    { type: "Postback", text: `Buy ${kind.toLowerCase()}`, payload },
    { type: "Link", text: "More", url: "https://shop.example.com/tea" },
  ],
});

// A day from now, on the hour, so that a sample is never in the past.
function slots(): { duration: number; dateTime: string }[] {
  const first = Math.ceil(Date.now() / 3600000 + 24) * 3600000;
  return [0, 1, 2].map((n) => ({ duration: 1800, dateTime: new Date(first + n * 3600000).toISOString() }));
}

export const samples = {
  quickReplies: () => ({
    text: "Did that answer your question?",
    quick_replies: [
      { text: "Yes", payload: "yes-1" },
      { text: "No", payload: "no-1" },
    ],
  }),
  card: () => ({ cards: [tea("Green", "buy-green")] }),
  carousel: () => ({ cards: [tea("Green", "buy-green"), tea("Black", "buy-black"), tea("White", "buy-white")] }),
  datePicker: () => ({ text: "When may we call you?", date_picker: { title: "When may we call you?", subtitle: "Pick a time", availableTimes: slots() } }),
  listPicker: () => ({
    text: "What is it about?",
    list_picker: {
      sections: [{ title: "Subject", multipleSelection: false, items: [{ id: "parcel", title: "My parcel" }, { id: "bill", title: "My bill" }] }],
      receivedMessage: { title: "What is it about?", subtitle: "Choose one", buttonLabel: "Choose" },
      replyMessage: { title: "Chosen" },
    },
  }),
};

// The sample picture is drawn here, so that the page needs no file.
export function picture(): Promise<Blob> {
  const canvas = el("canvas", { width: "640", height: "400" });
  const g = canvas.getContext("2d")!;
  const sky = g.createLinearGradient(0, 0, 0, 400);
  sky.addColorStop(0, "#7ec8f2");
  sky.addColorStop(1, "#fdf1d8");
  g.fillStyle = sky;
  g.fillRect(0, 0, 640, 400);
  g.fillStyle = "#b5793f";
  g.fillRect(210, 150, 220, 170);
  g.fillStyle = "#d39a5c";
  g.fillRect(210, 150, 220, 40);
  g.fillStyle = "#f2dfb6";
  g.fillRect(305, 150, 30, 170);
  g.fillStyle = "#1c2230";
  g.font = "bold 28px sans-serif";
  g.textAlign = "center";
  g.fillText("Your parcel is here", 320, 370);
  return new Promise((resolve, reject) => canvas.toBlob((b) => (b ? resolve(b) : reject(new Error("no picture"))), "image/png"));
}
