// responses.tsx - canned responses: find one, fill its blanks, look at it, and take its text into the field or send it as it is.
import { useEffect, useState } from "preact/hooks";
import { api, get, query } from "../console/api";
import { explain, Failed, Field, Loading, Modal, Search, useLoad } from "../console/ui";
import { t } from "./i18n";
import { ContentBox, mediaOf } from "./message";
import type { Content, Found, Response } from "./types";

/** Nothing in it but text: it can be changed before it is sent. */
export function onlyText(c: Content): boolean {
  return !mediaOf(c.media).length && !c.choices?.length && !c.cards?.length && !c.picker && !c.location && (!c.kind || c.kind === "text");
}

function One({ response, interaction, back, insert, send }: { response: Response; interaction: string; back: () => void; insert: (text: string) => void; send: (content: Content) => void }) {
  const asked = response.parameters ?? [];
  const [values, set] = useState<Record<string, string>>({});
  const [made, setMade] = useState<Content | null>(null);
  const [error, setError] = useState("");
  const render = async () => {
    setError("");
    try {
      const { value } = await api<Content & { message?: Content }>("POST", `/desk/responses/${encodeURIComponent(response.name)}/render`, { interaction, parameters: values });
      setMade(value.message ?? value);
    } catch (e) {
      setMade(null);
      setError(explain(e));
    }
  };
  useEffect(() => {
    if (!asked.length) void render();
  }, [response.name]);
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (!made) void render();
        else if (onlyText(made)) insert(made.text ?? "");
        else send(made);
      }}
    >
      <h3>
        <button type="button" class="link" onClick={back} aria-label={t("back")}>
          ←
        </button>{" "}
        <bdi>{response.title || response.name}</bdi>
      </h3>
      {asked.map((name) => (
        <Field
          key={name}
          path={`parameter-${name}`}
          title={name}
          control={(props) => (
            <input
              {...props}
              dir="auto"
              value={values[name] ?? ""}
              onInput={(e) => {
                set({ ...values, [name]: e.currentTarget.value });
                setMade(null);
              }}
            />
          )}
        />
      ))}
      {error && <Failed error={error} />}
      {made && (
        <section class="preview" aria-label={t("preview")} data-testid="response-preview">
          <ContentBox content={made} />
        </section>
      )}
      <footer>
        {made && onlyText(made) && (
          <button type="button" class="secondary" onClick={() => send(made)}>
            {t("responses.send")}
          </button>
        )}
        <button type="submit" data-testid="response-take">
          {!made ? t("preview") : onlyText(made) ? t("responses.insert") : t("send")}
        </button>
      </footer>
    </form>
  );
}

export function Responses({ interaction, insert, send, close }: { interaction: string; insert: (text: string) => void; send: (content: Content) => void; close: () => void }) {
  const [q, setQ] = useState("");
  const [one, setOne] = useState<Response | null>(null);
  const list = useLoad(`responses ${q}`, () => get<Found<Response> | Response[]>("/desk/responses" + query({ q })));
  return (
    <Modal title={t("responses.title")} close={close}>
      {one ? (
        <One response={one} interaction={interaction} back={() => setOne(null)} insert={insert} send={send} />
      ) : (
        <>
          <Search title={t("search")} value={q} change={setQ} />
          <Loading of={list}>
            {(found) => {
              const items = Array.isArray(found) ? found : found.items;
              return items.length ? (
                <ul class="picks">
                  {items.map((r) => (
                    <li key={r.name}>
                      <button type="button" class="pick" onClick={() => setOne(r)} data-testid="response">
                        <strong dir="auto">{r.title || r.name}</strong>
                        {r.text && <span dir="auto">{r.text}</span>}
                      </button>
                    </li>
                  ))}
                </ul>
              ) : (
                <p>{t("nothing_found")}</p>
              );
            }}
          </Loading>
        </>
      )}
    </Modal>
  );
}
