// responses.tsx - canned responses: find one, fill its blanks, look at it, and take its text into the field or send it as it is.
import { useEffect, useState } from "preact/hooks";
import { api, get, Problem, query } from "../console/api";
import { Failed, Field, Loading, Modal, Search, useLoad } from "../console/ui";
import { t } from "./i18n";
import { ContentBox, mediaOf } from "./message";
import type { Content, Found, Rendered, Response } from "./types";

/** Nothing in it but text: it can be changed before it is sent. */
function onlyText(c: Content): boolean {
  return !mediaOf(c.media).length && !c.choices?.length && !c.cards?.length && !c.picker && !c.location && (!c.kind || c.kind === "text");
}

/** The one text that it is: {"text":…}; else it is sent as it is. */
function textOnly(messages: Content[]): string | null {
  const [first, ...others] = messages;
  return first && !others.length && onlyText(first) ? (first.text ?? "") : null;
}

interface Doings {
  insert: (text: string) => void;
  send: (messages: Content[]) => void;
}
function One({ response, tenant, back, insert, send }: { response: Response; tenant: string; back: () => void } & Doings) {
  const asked = response.substitutions ?? [];
  const [values, set] = useState<Record<string, string>>({});
  const [made, setMade] = useState<Content[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const render = async () => {
    setError(null);
    try {
      const { value } = await api<Rendered>("POST", `/responses/${encodeURIComponent(response.name)}/render`, { tenant, values });
      setMade(value.problem ? null : (value.messages ?? [{ kind: "text", text: value.text }]));
      if (value.problem) setError(value.problem);
    } catch (e) {
      setMade(null);
      setError(e instanceof Problem ? e : String(e));
    }
  };
  useEffect(() => {
    if (!asked.length) void render();
  }, [response.name]);
  const text = made && textOnly(made);
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        if (!made) void render();
        else if (text !== null) insert(text);
        else send(made);
      }}
    >
      <h3>
        <button type="button" class="link" onClick={back} aria-label={t("back")}>
          ←
        </button>{" "}
        <bdi>{response.name}</bdi>
      </h3>
      {asked.map((x) => (
        <Field
          key={x.id}
          path={`parameter-${x.id}`}
          title={x.description || x.id}
          control={(props) => (
            <input
              {...props}
              dir="auto"
              placeholder={x.default_value ?? ""}
              value={values[x.id] ?? ""}
              onInput={(e) => {
                set({ ...values, [x.id]: e.currentTarget.value });
                setMade(null);
              }}
            />
          )}
        />
      ))}
      <Failed error={error} />
      {made && (
        <section class="preview" aria-label={t("preview")} data-testid="response-preview">
          {made.map((m, i) => (
            <ContentBox key={i} content={m} />
          ))}
        </section>
      )}
      <footer>
        {made && text !== null && (
          <button type="button" class="secondary" onClick={() => send(made)}>
            {t("responses.send")}
          </button>
        )}
        <button type="submit" data-testid="response-take">
          {!made ? t("preview") : text !== null ? t("responses.insert") : t("send")}
        </button>
      </footer>
    </form>
  );
}

export function Responses({ tenant, insert, send, close }: { tenant: string; close: () => void } & Doings) {
  const [q, setQ] = useState("");
  const [one, setOne] = useState<Response | null>(null);
  const list = useLoad(`responses ${q} ${tenant}`, () => get<Found<Response>>("/responses" + query({ q, tenant })));
  return (
    <Modal title={t("responses.title")} close={close}>
      {one ? (
        <One response={one} tenant={tenant} back={() => setOne(null)} insert={insert} send={send} />
      ) : (
        <>
          <Search title={t("search")} value={q} change={setQ} />
          <Loading of={list}>
            {(found) =>
              found.items.length ? (
                <ul class="picks">
                  {found.items.map((r) => (
                    <li key={r.name}>
                      <button type="button" class="pick" onClick={() => setOne(r)} data-testid="response">
                        <strong dir="auto">{r.name}</strong> {r.library && <bdi class="help">{r.library}</bdi>}
                        <span dir="auto">{r.text}</span>
                      </button>
                    </li>
                  ))}
                </ul>
              ) : (
                <p>{t("nothing_found")}</p>
              )
            }
          </Loading>
        </>
      )}
    </Modal>
  );
}
