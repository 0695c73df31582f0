// rich.tsx - composing what has more than text: quick replies, cards, a list. What the network cannot carry is adapted by the hub, and said beside the message.
import { useState } from "preact/hooks";
import { Field, Modal, Tabs } from "../console/ui";
import { t } from "./i18n";
import { ContentBox } from "./message";
import type { Caps, Card, Choice, Content } from "./types";

const choices_usual = 13; // where the network does not say
const cards_usual = 10;

type Form = "choices" | "cards" | "picker";
interface CardDraft {
  title: string;
  text: string;
  image: string;
  choices: string;
}
const noCard: CardDraft = { title: "", text: "", image: "", choices: "" };

/** One a line: a label; "label | https://…" opens an address, "label | word" answers with the word. */
export function choicesOf(lines: string): Choice[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [label = "", ...rest] = line.split("|");
      const what = rest.join("|").trim();
      if (!what) return { label: label.trim() };
      return /^https?:\/\//.test(what) ? { label: label.trim(), url: what } : { label: label.trim(), payload: what };
    });
}
function cardOf(d: CardDraft): Card {
  const card: Card = { title: d.title.trim() };
  if (d.text.trim()) card.text = d.text.trim();
  if (d.image.trim()) card.image = d.image.trim();
  const choices = choicesOf(d.choices);
  if (choices.length) card.choices = choices;
  return card;
}

function Lines({ value, change, title, help, most }: { value: string; change: (text: string) => void; title: string; help: string; most: number }) {
  const n = choicesOf(value).length;
  return (
    <Field
      path={title}
      title={title}
      help={help}
      error={n > most ? t("rich.too_many", { most }) : undefined}
      control={(props) => <textarea {...props} rows={3} dir="auto" value={value} onInput={(e) => change(e.currentTarget.value)} />}
    />
  );
}

export function Rich({ caps, send, close }: { caps: Caps | undefined; send: (content: Content) => void; close: () => void }) {
  const [form, setForm] = useState<Form>("choices");
  const [text, setText] = useState("");
  const [choices, setChoices] = useState("");
  const [title, setTitle] = useState("");
  const [cards, setCards] = useState<CardDraft[]>([noCard]);
  const [tried, setTried] = useState(false);
  const mostChoices = caps?.choices_max || choices_usual;
  const mostCards = caps?.cards_max || cards_usual;
  const listed = choicesOf(choices);
  const content: Content =
    form === "choices"
      ? { kind: "choices", text: text.trim(), choices: listed }
      : form === "picker"
        ? { kind: "picker", picker: { title: title.trim(), ...(text.trim() ? { text: text.trim() } : {}), choices: listed } }
        : { kind: "cards", cards: cards.map(cardOf) };
  const good =
    form === "cards" ? cards.every((c) => c.title.trim()) : listed.length > 0 && listed.every((c) => c.label) && (form === "choices" ? text.trim() !== "" && listed.length <= mostChoices : title.trim() !== "");
  const input = (path: string, label: string, value: string, change: (v: string) => void, required = false) => (
    <Field
      path={path}
      title={label}
      required={required}
      error={tried && required && !value.trim() ? t("rich.needed") : undefined}
      control={(props) => <input {...props} dir="auto" value={value} onInput={(e) => change(e.currentTarget.value)} data-testid={`rich-${path}`} />}
    />
  );
  const card = (k: number, change: Partial<CardDraft>) => setCards(cards.map((c, at) => (at === k ? { ...c, ...change } : c)));
  const tabs = [
    { name: "choices", title: t("rich.choices") },
    { name: "cards", title: t("rich.cards") },
    { name: "picker", title: t("rich.list") },
  ];
  return (
    <Modal title={t("rich.title")} close={close}>
      <Tabs tabs={tabs} now={form} choose={(name) => setForm(name as Form)} title={t("rich.title")} />
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${form}`}>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            setTried(true);
            if (good) send(content);
          }}
        >
          {form === "picker" && input("title", t("rich.heading"), title, setTitle, true)}
          {form !== "cards" && input("text", t("rich.text"), text, setText, form === "choices")}
          {form !== "cards" && <Lines value={choices} change={setChoices} title={t(form === "choices" ? "rich.answers" : "rich.items")} help={t("rich.lines")} most={form === "choices" ? mostChoices : Infinity} />}
          {form === "cards" &&
            cards.map((c, k) => (
              <fieldset key={k} class="group">
                <legend>{t("rich.card", { n: k + 1 })}</legend>
                {input(`card-${k}-title`, t("rich.heading"), c.title, (v) => card(k, { title: v }), true)}
                {input(`card-${k}-text`, t("rich.text"), c.text, (v) => card(k, { text: v }))}
                {input(`card-${k}-image`, t("rich.image"), c.image, (v) => card(k, { image: v }))}
                <Lines value={c.choices} change={(v) => card(k, { choices: v })} title={t("rich.buttons", { n: k + 1 })} help={t("rich.lines")} most={mostChoices} />
                {cards.length > 1 && (
                  <button type="button" class="secondary small" onClick={() => setCards(cards.filter((_, at) => at !== k))}>
                    {t("rich.card_remove", { n: k + 1 })}
                  </button>
                )}
              </fieldset>
            ))}
          {form === "cards" && cards.length < mostCards && (
            <button type="button" class="secondary small" onClick={() => setCards([...cards, noCard])}>
              {t("rich.card_add")}
            </button>
          )}
          {good && (
            <section class="preview" aria-label={t("preview")}>
              <ContentBox content={content} />
            </section>
          )}
          <footer>
            <button type="button" class="secondary" onClick={close}>
              {t("cancel")}
            </button>
            <button type="submit" data-testid="rich-send">
              {t("send")}
            </button>
          </footer>
        </form>
      </div>
    </Modal>
  );
}
