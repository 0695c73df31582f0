// keys.tsx - API keys of the interfaces below /nexus/v3: made and shown once, put out of use, revoked, deleted.
import { useState } from "preact/hooks";
import { api, get } from "./api";
import { FormModal } from "./form_modal";
import type { Key } from "./i18n";
import { t, time } from "./i18n";
import type { ApiKey, Tenant } from "./types";
import { ask, Badge, Copy, explain, Failed, Field, Loading, Modal, say, Table, useLoad } from "./ui";
import { allTenants } from "./provisioning";

const path = "/nexus/v3/apikeys";
const everyone = "*";
const permissions: { name: string; title: Key; all?: boolean }[] = [
  { name: "nexus:consumer:chat", title: "keys.may.chat" },
  { name: "nexus:designer:chat", title: "keys.may.designer" },
  { name: "nexus:provisioning:services", title: "keys.may.services" },
  { name: "nexus:cluster:*", title: "keys.may.cluster", all: true },
];

/** The key itself, this once. */
export function Once({ of, close }: { of: string; close: () => void }) {
  return (
    <Modal title={t("keys.made")} close={close}>
      <p>{t("keys.once")}</p>
      <div data-testid="key-once">
        <Copy text={of} title={t("keys.made")} />
      </div>
      <footer>
        <button type="button" onClick={close}>
          {t("close")}
        </button>
      </footer>
    </Modal>
  );
}

function Make({ tenants, close }: { tenants: Tenant[]; close: (key: string | null) => void }) {
  const [values, set] = useState({ name: "", tenant: tenants[0]?.id ?? everyone, permission: permissions[0]!.name, expires: "" });
  const make = async () => {
    const ends = values.expires ? new Date(values.expires).toISOString() : false;
    const { value } = await api<{ id: string }>("POST", path, { enabled: true, tenant: values.tenant, name: values.name, permissions: [values.permission], expires: ends });
    close(value.id);
  };
  return (
    <FormModal title={t("keys.add")} yes={t("keys.add")} cancel={() => close(null)} submit={make}>
      {() => (
        <>
          <Field path="name" title={t("name")} required control={(props) => <input {...props} autocomplete="off" required value={values.name} onInput={(e) => set({ ...values, name: e.currentTarget.value })} />} />
          <Field
            path="permission"
            title={t("keys.may")}
            control={(props) => (
              <select {...props} value={values.permission} onChange={(e) => set({ ...values, permission: e.currentTarget.value, tenant: permissions.find((p) => p.name === e.currentTarget.value)?.all ? everyone : values.tenant })}>
                {permissions.map((p) => (
                  <option key={p.name} value={p.name}>
                    {t(p.title)}
                  </option>
                ))}
              </select>
            )}
          />
          <Field
            path="tenant"
            title={t("keys.tenant")}
            control={(props) => (
              <select {...props} value={values.tenant} onChange={(e) => set({ ...values, tenant: e.currentTarget.value })}>
                {tenants.map((x) => (
                  <option key={x.id} value={x.id}>
                    {x.name}
                  </option>
                ))}
                <option value={everyone}>{t("keys.everyone")}</option>
              </select>
            )}
          />
          <Field path="expires" title={t("keys.ends")} help={t("keys.ends.help")} control={(props) => <input {...props} type="datetime-local" value={values.expires} onInput={(e) => set({ ...values, expires: e.currentTarget.value })} />} />
        </>
      )}
    </FormModal>
  );
}

function Standing({ of: k }: { of: ApiKey }) {
  if (k.revoked) return <Badge kind="bad">{t("keys.revoked")}</Badge>;
  if (typeof k.expires === "string" && Date.parse(k.expires) <= Date.now()) return <Badge kind="bad">{t("keys.ended")}</Badge>;
  return k.enabled ? <Badge kind="good">{t("keys.good")}</Badge> : <Badge kind="busy">{t("keys.disabled")}</Badge>;
}

export function Keys() {
  const keys = useLoad("keys", () => get<ApiKey[]>(path));
  const tenants = useLoad("tenants", allTenants);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState("");
  const nameOf = (id: string) => (id === everyone ? t("keys.everyone") : (tenants.value?.find((x) => x.id === id)?.name ?? id));
  const titleOf = (name: string) => permissions.find((p) => p.name === name)?.title;
  const change = async (k: ApiKey, method: "PUT" | "DELETE", body?: unknown) => {
    try {
      await api(method, `${path}/${k.ref}`, body);
    } catch (e) {
      say(explain(e));
    }
    keys.again();
  };
  const revoke = async (k: ApiKey) => {
    if (await ask({ title: t("keys.revoke"), text: t("keys.revoke.text", { name: k.name }), yes: t("keys.revoke"), danger: true })) await change(k, "PUT", { revoked: true });
  };
  const remove = async (k: ApiKey) => {
    if (await ask({ title: t("delete"), text: t("keys.delete.text", { name: k.name }), yes: t("delete"), danger: true })) await change(k, "DELETE");
  };
  const deed = (k: ApiKey, title: string, run: () => void) => (
    <button type="button" class="secondary small" aria-label={`${title}: ${k.name}`} onClick={run}>
      {title}
    </button>
  );
  return (
    <section>
      <header class="bar">
        <h1>{t("keys.title")}</h1>
        <div class="tools">
          <button type="button" disabled={!tenants.value} onClick={() => setMaking(true)} data-testid="key-add">
            {t("keys.add")}
          </button>
        </div>
      </header>
      <Failed error={tenants.error} />
      <Loading of={keys}>
        {(list) =>
          list.length ? (
            <Table
              label={t("keys.title")}
              heads={[
                t("name"),
                t("keys.tenant"),
                t("keys.may"),
                t("standing"),
                t("keys.ends"),
                t("keys.pace"),
                t("changed"),
                t("actions"),
              ]}
            >
              {list.map((k) => (
                <tr key={k.ref} data-testid="key-row">
                  <th scope="row">{k.name}</th>
                  <td>{nameOf(k.tenant)}</td>
                  <td>
                    {k.permissions.map((p) => {
                      const title = titleOf(p);
                      return <div key={p}>{title ? t(title) : <code>{p}</code>}</div>;
                    })}
                  </td>
                  <td>
                    <Standing of={k} />
                  </td>
                  <td>{typeof k.expires === "string" ? time(k.expires) : t("keys.never")}</td>
                  <td>{t("keys.pace.of", { capacity: k.capacity, frequency: k.frequency })}</td>
                  <td>
                    {time(k.created)} {k.createdby}
                  </td>
                  <td>
                    {!k.revoked && deed(k, k.enabled ? t("keys.disable") : t("keys.enable"), () => void change(k, "PUT", { enabled: !k.enabled }))} {!k.revoked && deed(k, t("keys.revoke"), () => void revoke(k))}{" "}
                    {k.revoked && deed(k, t("delete"), () => void remove(k))}
                  </td>
                </tr>
              ))}
            </Table>
          ) : (
            <p data-testid="empty">{t("keys.none")}</p>
          )
        }
      </Loading>
      {making && tenants.value && (
        <Make
          tenants={tenants.value}
          close={(key) => {
            setMaking(false);
            setMade(key ?? "");
            keys.again();
          }}
        />
      )}
      {made && <Once of={made} close={() => setMade("")} />}
    </section>
  );
}
