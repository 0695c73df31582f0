// responses.tsx - the hub's own canned responses: the list, one in a form, and what it would become.
import { useState } from "preact/hooks";
import { api, get, query } from "./api";
import { FormModal } from "./form_modal";
import { t, time } from "./i18n";
import type { CannedResponse, Connector, Doc, Me, Rendered, Substitution } from "./types";
import { ask, explain, Field, Loading, say, Table, useLoad } from "./ui";

interface Values {
  name: string;
  library: string;
  text: string;
  tenants: string;
  substitutions: Substitution[];
}
const valuesOf = (r: CannedResponse | null): Values => ({ name: r?.name ?? "", library: r?.library ?? "", text: r?.text ?? "", tenants: r?.tenants.join(", ") ?? "", substitutions: r?.substitutions ?? [] });
const split = (text: string) => text.split(",").map((x) => x.trim()).filter(Boolean);
const bodyOf = (v: Values): Doc => ({
  name: v.name,
  text: v.text,
  ...(v.library ? { library: v.library } : {}),
  ...(split(v.tenants).length ? { tenants: split(v.tenants) } : {}),
  substitutions: v.substitutions.filter((s) => s.id).map((s) => ({ id: s.id, ...(s.description ? { description: s.description } : {}), ...(s.default_value ? { default_value: s.default_value } : {}) })),
});

/* response null: a new one */
function Change({ response, close }: { response: CannedResponse | null; close: (changed: boolean) => void }) {
  const [values, set] = useState(valuesOf(response));
  const save = async () => {
    const { value: saved } = response
      ? await api<CannedResponse>("PUT", `/responses/${encodeURIComponent(response.name)}`, bodyOf(values), { "If-Match": `"${response.rev}"` })
      : await api<CannedResponse>("POST", "/responses", bodyOf(values));
    say([t("saved", { name: values.name }), saved.problem].filter(Boolean).join(" "));
    close(true);
  };
  const edit = (at: number, more: Partial<Substitution>) => set({ ...values, substitutions: values.substitutions.map((s, i) => (i === at ? { ...s, ...more } : s)) });
  return (
    <FormModal title={response ? response.name : t("responses.add")} cancel={() => close(false)} submit={save}>
      {(wrong) => (
        <>
          <Field path="name" title={t("name")} required error={wrong("name")} control={(props) => <input {...props} autocomplete="off" value={values.name} onInput={(e) => set({ ...values, name: e.currentTarget.value })} />} />
          <Field path="library" title={t("responses.library")} error={wrong("library")} control={(props) => <input {...props} autocomplete="off" value={values.library} onInput={(e) => set({ ...values, library: e.currentTarget.value })} />} />
          <Field path="text" title={t("responses.text")} help={t("responses.text.help")} required error={wrong("text")} control={(props) => <textarea {...props} rows={8} spellcheck={false} value={values.text} onInput={(e) => set({ ...values, text: e.currentTarget.value })} />} />
          <fieldset class="field pairs">
            <legend>{t("responses.substitutions")}</legend>
            {values.substitutions.map((s, i) => (
              <div class="pair" key={i}>
                <input aria-label={`${t("name")} ${i + 1}`} placeholder={t("name")} value={s.id} onInput={(e) => edit(i, { id: e.currentTarget.value })} />
                <input aria-label={`${t("responses.otherwise")} ${i + 1}`} placeholder={t("responses.otherwise")} value={s.default_value ?? ""} onInput={(e) => edit(i, { default_value: e.currentTarget.value })} />
                <button type="button" class="secondary small" aria-label={`${t("remove")} ${i + 1}`} onClick={() => set({ ...values, substitutions: values.substitutions.filter((_, at) => at !== i) })}>
                  {t("remove")}
                </button>
              </div>
            ))}
            <button type="button" class="secondary small" onClick={() => set({ ...values, substitutions: [...values.substitutions, { id: "" }] })}>
              {t("add")}
            </button>
          </fieldset>
          <Field path="tenants" title={t("tenants.title")} help={t("responses.tenants.help")} error={wrong("tenants")} control={(props) => <input {...props} value={values.tenants} onInput={(e) => set({ ...values, tenants: e.currentTarget.value })} />} />
        </>
      )}
    </FormModal>
  );
}

function Try({ response, close }: { response: CannedResponse; close: () => void }) {
  const [values, set] = useState<{ [id: string]: string }>({});
  const [network, setNetwork] = useState("");
  const networks = useLoad("networks", async () => (await get<{ items: Connector[] }>("/connectors")).items.filter((c) => c.side === "network"));
  const [result, setResult] = useState<Rendered | null>(null);
  const render = async () => {
    const { value } = await api<Rendered>("POST", `/responses/${encodeURIComponent(response.name)}/render`, { values, ...(network ? { network } : {}) });
    setResult(value);
  };
  return (
    <FormModal title={`${t("responses.try")}: ${response.name}`} yes={t("responses.try")} cancel={close} submit={render}>
      {() => (
        <>
          {(response.substitutions ?? []).map((s) => (
            <Field key={s.id} path={s.id} title={s.id} help={s.description} control={(props) => <input {...props} placeholder={s.default_value ?? ""} value={values[s.id] ?? ""} onInput={(e) => set({ ...values, [s.id]: e.currentTarget.value })} />} />
          ))}
          <Field
            path="network"
            title={t("responses.network")}
            control={(props) => (
              <select {...props} value={network} onChange={(e) => setNetwork(e.currentTarget.value)}>
                <option value="">–</option>
                {(networks.value ?? []).map((n) => (
                  <option key={n.name} value={n.name}>
                    {n.title}
                  </option>
                ))}
              </select>
            )}
          />
          {result && (
            <div data-testid="rendered">
              {result.problem && (
                <p class="failed" role="alert">
                  {result.problem}
                </p>
              )}
              {result.command && <pre>{result.command}</pre>}
              {result.messages && <pre>{JSON.stringify(result.messages, null, 2)}</pre>}
            </div>
          )}
        </>
      )}
    </FormModal>
  );
}

export function Responses({ me }: { me: Me }) {
  const [q, setQ] = useState("");
  const [changing, setChanging] = useState<CannedResponse | null | undefined>(undefined); // null: a new one
  const [trying, setTrying] = useState<CannedResponse | null>(null);
  const list = useLoad(`responses ${q}`, async () => (await get<{ items: CannedResponse[] }>("/responses" + query({ q }))).items);
  const may = me.role === "administrator";
  const remove = async (r: CannedResponse) => {
    if (!(await ask({ title: t("delete"), text: t("responses.delete.text", { name: r.name }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", `/responses/${encodeURIComponent(r.name)}`);
    } catch (e) {
      say(explain(e));
    }
    list.again();
  };
  return (
    <section>
      <header class="bar">
        <h1>{t("responses.title")}</h1>
        <div class="tools">
          <input type="search" aria-label={t("search")} placeholder={t("search")} value={q} onInput={(e) => setQ(e.currentTarget.value)} />
          {may && (
            <button type="button" onClick={() => setChanging(null)} data-testid="response-add">
              {t("responses.add")}
            </button>
          )}
        </div>
      </header>
      <p class="help">{t("responses.help")}</p>
      <Loading of={list}>
        {(items) =>
          items.length ? (
            <Table label={t("responses.title")} heads={[t("name"), t("responses.library"), t("changed"), t("actions")]}>
              {items.map((r) => (
                <tr key={r.name} data-testid="response">
                  <th scope="row">{r.name}</th>
                  <td>{r.library}</td>
                  <td>{time(r.changed)}</td>
                  <td>
                    <button type="button" class="secondary small" aria-label={`${t("responses.try")}: ${r.name}`} onClick={() => setTrying(r)}>
                      {t("responses.try")}
                    </button>{" "}
                    {may && (
                      <>
                        <button type="button" class="secondary small" aria-label={`${t("change")}: ${r.name}`} onClick={() => setChanging(r)}>
                          {t("change")}
                        </button>{" "}
                        <button type="button" class="secondary small" aria-label={`${t("delete")}: ${r.name}`} onClick={() => void remove(r)}>
                          {t("delete")}
                        </button>
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </Table>
          ) : (
            <p data-testid="empty">{q ? t("nothing_found") : t("responses.none")}</p>
          )
        }
      </Loading>
      {changing !== undefined && (
        <Change
          response={changing}
          close={(changed) => {
            setChanging(undefined);
            if (changed) list.again();
          }}
        />
      )}
      {trying && <Try response={trying} close={() => setTrying(null)} />}
    </section>
  );
}
