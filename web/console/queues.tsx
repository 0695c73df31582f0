// queues.tsx - the queues of the built-in desk: who may answer, where guests go on to who wait too long, when it is open.
import { useState } from "preact/hooks";
import { api, get } from "./api";
import type { Wrong } from "./form_modal";
import { FormModal } from "./form_modal";
import { t } from "./i18n";
import type { Queue, Tenant } from "./types";
import { ask, explain, Field, say, Table, useLoad } from "./ui";
import { namesOf, numberOf } from "./users";

const path = (name: string) => `/queues/${encodeURIComponent(name)}`;
const unsaid = (q: Queue | null, field: "overflow_s" | "service_level_s") => (q?.[field] === undefined ? "" : String(q[field]));

/* queue null: a new one */
function Change({ queue, etag, list, close }: { queue: Queue | null; etag: string | null; list: Queue[]; close: (changed: boolean) => void }) {
  const tenants = useLoad("tenants", async () => (await get<{ items: Tenant[] }>("/tenants?limit=100")).items);
  const [values, set] = useState({
    name: queue?.name ?? "",
    title: queue && queue.title !== queue.name ? queue.title : "",
    tenant: queue?.tenant ?? "",
    skills: queue?.skills.join(", ") ?? "",
    overflow_s: unsaid(queue, "overflow_s"),
    overflow_queue: queue?.overflow_queue ?? "",
    business_hours: queue?.business_hours ?? "",
    timezone: queue?.timezone ?? "",
    service_level_s: unsaid(queue, "service_level_s"),
  });
  const text = (wrong: Wrong, field: keyof typeof values, title: string, more: { help?: string; required?: boolean; hint?: string; list?: string } = {}) => (
    <Field
      path={field}
      title={title}
      help={more.help}
      required={more.required ?? false}
      error={wrong(field)}
      control={(props) => (
        <input
          {...props}
          type={"text" as "text"}
          inputMode={field.endsWith("_s") ? "numeric" : "text"}
          autocomplete="off"
          spellcheck={false}
          placeholder={more.hint ?? ""}
          {...(more.list ? { list: more.list } : {})}
          value={values[field]}
          onInput={(e) => set({ ...values, [field]: e.currentTarget.value })}
        />
      )}
    />
  );
  const save = async () => {
    const { skills, overflow_s, service_level_s, ...texts } = values;
    const said = Object.fromEntries(Object.entries(texts).map(([k, v]) => [k, v.trim()]).filter(([, v]) => v));
    const body = { ...said, name: values.name.trim(), skills: namesOf(skills), overflow_s: numberOf(overflow_s), service_level_s: numberOf(service_level_s) };
    if (queue) await api("PUT", path(queue.name), body, etag ? { "If-Match": etag } : {});
    else await api("POST", "/queues", body);
    say(t("saved", { name: body.name }));
    close(true);
  };
  return (
    <FormModal title={queue ? queue.name : t("queues.add")} marks cancel={() => close(false)} submit={save}>
      {(wrong) => (
        <>
          {!queue && text(wrong, "name", t("name"), { required: true })}
          {text(wrong, "title", t("queues.shown"), { hint: values.name })}
          <Field
            path="tenant"
            title={t("queues.tenant")}
            error={wrong("tenant")}
            control={(props) => (
              <select {...props} value={values.tenant} onChange={(e) => set({ ...values, tenant: e.currentTarget.value })}>
                <option value="">{t("queues.tenant.all")}</option>
                {(tenants.value ?? []).map((x) => (
                  <option key={x.id} value={x.slug}>
                    {x.name}
                  </option>
                ))}
                {values.tenant && !(tenants.value ?? []).some((x) => x.slug === values.tenant) && <option value={values.tenant}>{values.tenant}</option>}
              </select>
            )}
          />
          {text(wrong, "skills", t("queues.skills"), { help: t("queues.skills.help") })}
          {text(wrong, "overflow_s", t("queues.overflow_s"), { help: t("queues.desk.help") })}
          {text(wrong, "overflow_queue", t("queues.overflow_queue"), { list: "queue-names" })}
          <datalist id="queue-names">
            {list
              .filter((q) => q.name !== values.name)
              .map((q) => (
                <option key={q.name} value={q.name} />
              ))}
          </datalist>
          {text(wrong, "business_hours", t("queues.hours"), { hint: "Mo-Fr 09:00-18:00;Sa 10:00-14:00", help: t("queues.desk.help") })}
          {text(wrong, "timezone", t("queues.timezone"), { hint: Intl.DateTimeFormat().resolvedOptions().timeZone })}
          {text(wrong, "service_level_s", t("queues.service_level_s"), { help: t("queues.desk.help") })}
        </>
      )}
    </FormModal>
  );
}

export function Queues({ list, changed }: { list: Queue[]; changed: () => void }) {
  const [changing, setChanging] = useState<{ queue: Queue | null; etag: string | null } | null>(null);
  const change = async (queue: Queue) => {
    try {
      const { value, etag } = await api<Queue>("GET", path(queue.name));
      setChanging({ queue: value, etag });
    } catch (e) {
      say(explain(e));
      changed();
    }
  };
  const remove = async (queue: Queue) => {
    if (!(await ask({ title: t("queues.delete"), text: t("queues.delete.text", { name: queue.title }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", path(queue.name));
    } catch (e) {
      say(explain(e));
    }
    changed();
  };
  return (
    <section aria-label={t("queues.title")}>
      <header class="bar">
        <h2>{t("queues.title")}</h2>
        <div class="tools">
          <button type="button" data-testid="queue-add" onClick={() => setChanging({ queue: null, etag: null })}>
            {t("queues.add")}
          </button>
        </div>
      </header>
      {list.length === 0 ? (
        <p class="help">{t("queues.none")}</p>
      ) : (
        <Table label={t("queues.title")} heads={[t("name"), t("queues.tenant"), t("queues.skills"), t("queues.hours"), t("queues.overflow_queue"), t("actions")]}>
          {list.map((q) => (
            <tr key={q.name} data-testid="queue-row">
              <th scope="row">
                {q.name}
                {q.title !== q.name && <small class="help"> {q.title}</small>}
              </th>
              <td>{q.tenant ?? t("queues.tenant.all")}</td>
              <td>{q.skills.join(", ")}</td>
              <td>{q.business_hours}</td>
              <td>{q.overflow_queue}</td>
              <td>
                <button type="button" class="secondary small" aria-label={`${t("change")}: ${q.name}`} onClick={() => void change(q)}>
                  {t("change")}
                </button>{" "}
                <button type="button" class="secondary small" aria-label={`${t("delete")}: ${q.name}`} onClick={() => void remove(q)}>
                  {t("delete")}
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {changing && (
        <Change
          queue={changing.queue}
          etag={changing.etag}
          list={list}
          close={(saved) => {
            setChanging(null);
            if (saved) changed();
          }}
        />
      )}
    </section>
  );
}
