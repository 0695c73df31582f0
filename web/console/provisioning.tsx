// provisioning.tsx - what the Digital Channels guide provisions: contact centres, their platform, services, channels and endpoints.
import { useState } from "preact/hooks";
import { api, get, query } from "./api";
import { FormModal } from "./form_modal";
import type { Key } from "./i18n";
import { t, time } from "./i18n";
import { Once } from "./keys";
import { href } from "./router";
import { standing } from "./tenants";
import type { Channel, Page, Provisioned, Service, Tenant } from "./types";
import { ask, Badge, explain, Field, Loading, say, Table, useLoad } from "./ui";

const root = "/nexus/v3/provisioning";
const page_of_tenants = 500;

/** The services of the guide, and what each is told. */
interface Need {
  name: string;
  url?: boolean;
  client?: boolean;
  choice?: { member: string; value: string }[];
  channels?: boolean;
}
const services: Need[] = [
  { name: "PlatformUCS", url: true },
  { name: "PurecloudIDP", url: true, client: true },
  { name: "SMS", choice: [{ member: "tokenProvider", value: "Purecloud" }, { member: "provider", value: "Async" }] },
  { name: "Email", choice: [{ member: "provider", value: "Async" }] },
  { name: "PorticoSMS", url: true },
  { name: "PorticoEmail", url: true },
  { name: "Async", channels: true },
];

export async function allTenants(): Promise<Tenant[]> {
  const all: Tenant[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page<Tenant> = await get<Page<Tenant>>("/tenants" + query({ limit: page_of_tenants, after }));
    all.push(...page.items);
    if (!page.next) return all;
    after = page.next;
  }
}
const provisioned = async () => (await get<{ data: { tenants: Provisioned[] } }>(`${root}/tenants`)).data.tenants;

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

interface Centre {
  id: string;
  tenant: Tenant | undefined;
  record: Provisioned | undefined;
}
async function centres(): Promise<Centre[]> {
  const [tenants, records] = await Promise.all([allTenants(), provisioned()]);
  const known = new Set(tenants.map((x) => x.id.toLowerCase()));
  return [
    ...tenants.map((x) => ({ id: x.id, tenant: x, record: records.find((r) => r.id.toLowerCase() === x.id.toLowerCase()) })),
    ...records.filter((r) => !known.has(r.id.toLowerCase())).map((r) => ({ id: r.id, tenant: undefined, record: r })),
  ];
}

function Centres() {
  const list = useLoad("centres", centres);
  const [adding, setAdding] = useState(false);
  const [key, setKey] = useState("");
  return (
    <section>
      <header class="bar">
        <h1>{t("provisioning.title")}</h1>
        <div class="tools">
          <button type="button" onClick={() => setAdding(true)} data-testid="centre-add">
            {t("provisioning.add")}
          </button>
        </div>
      </header>
      <p class="help">{t("provisioning.help")}</p>
      <Loading of={list}>
        {(all) =>
          all.length ? (
            <Table
              label={t("provisioning.title")}
              heads={[
                t("name"),
                t("provisioning.id"),
                t("provisioning.backend"),
                t("provisioning.services"),
              ]}
            >
              {all.map((x) => (
                <tr key={x.id} data-testid="centre-row">
                  <th scope="row">
                    <a href={href("provisioning", x.id)}>{x.tenant?.name ?? x.record?.name ?? x.id}</a>
                  </th>
                  <td>
                    <code>{x.id}</code>
                  </td>
                  <td>{x.record?.backendurl}</td>
                  <td>{x.record?.services.join(", ")}</td>
                </tr>
              ))}
            </Table>
          ) : (
            <p data-testid="empty">{t("tenants.none")}</p>
          )
        }
      </Loading>
      {adding && (
        <Record
          record={null}
          close={(made) => {
            setAdding(false);
            setKey(made ?? "");
            list.again();
          }}
        />
      )}
      {key && <Once of={key} close={() => setKey("")} />}
    </section>
  );
}

/* ---- a contact centre's record -------------------------------------------------------------------------------------------- */

const members: { name: "id" | "name" | "backendurl" | "username" | "token"; title: Key }[] = [
  { name: "id", title: "provisioning.id" },
  { name: "name", title: "name" },
  { name: "backendurl", title: "provisioning.backend" },
  { name: "username", title: "provisioning.username" },
  { name: "token", title: "provisioning.token" },
];
/** record null: a new one, which brings a key. ret: close(key), close("") when it was changed, close(null) when nothing was. */
function Record({ record, start, close }: { record: Provisioned | null; start?: Tenant | undefined; close: (key: string | null) => void }) {
  const [values, set] = useState<{ [name: string]: string }>({ id: record?.id ?? start?.id ?? crypto.randomUUID(), name: record?.name ?? start?.name ?? "", backendurl: record?.backendurl ?? "", username: record?.username ?? "", token: "" });
  const save = async () => {
    const { token, ...rest } = values;
    const body = { ...Object.fromEntries(Object.entries(rest).filter(([, v]) => v)), type: record?.type ?? "PureEngage", genesystenantid: record?.genesystenantid ?? 1, ...(token ? { token } : record ? { token: { set: true } } : {}) };
    const { value } = await api<{ data: { xapikey?: string } }>(record ? "PUT" : "POST", `${root}/tenants${record ? `/${record.id}` : ""}`, body);
    say(t("saved", { name: values["name"] ?? "" }));
    close(value.data.xapikey ?? "");
  };
  return (
    <FormModal title={record ? (record.name ?? record.id) : t("provisioning.add")} cancel={() => close(null)} submit={save}>
      {() => (
        <>
          {members.map((m) => (
            <Field
              key={m.name}
              path={m.name}
              title={t(m.title)}
              required={m.name === "id" || m.name === "name"}
              help={m.name === "token" && record?.token?.set ? t("secret.set") : undefined}
              control={(props) => (
                <input
                  {...props}
                  type={(m.name === "token" ? "password" : "text") as "text"}
                  autocomplete={m.name === "token" ? "new-password" : "off"}
                  readOnly={m.name === "id" && (record !== null || start !== undefined)}
                  value={values[m.name] ?? ""}
                  onInput={(e) => set({ ...values, [m.name]: e.currentTarget.value })}
                />
              )}
            />
          ))}
        </>
      )}
    </FormModal>
  );
}

/* ---- a service -------------------------------------------------------------------------------------------------------------- */

interface Row {
  id: string;
  url: string;
  webhook: string;
  api: string;
  kept: boolean; // its secrets are there
}
const set = { set: true };

function rowsOf(s: Service | undefined): Row[] {
  const data = (s?.data["channels"] ?? []) as unknown as { channelId: string; webhook: { url: string } }[];
  return data.map((c) => ({ id: c.channelId, url: c.webhook.url, webhook: "", api: "", kept: true }));
}

function ServiceForm({ ccid, need, service, close }: { ccid: string; need: Need; service: Service | undefined; close: (changed: boolean) => void }) {
  const [url, setUrl] = useState(service?.url ?? "");
  const [client, setClient] = useState({ clientId: "", clientSecret: "" });
  const [choice, setChoice] = useState(Math.max(0, need.choice?.findIndex((c) => service?.data[c.member] === c.value) ?? 0));
  const [rows, setRows] = useState<Row[]>(() => (service ? rowsOf(service) : [{ id: "", url: "", webhook: "", api: "", kept: false }]));
  const secretOf = (text: string, kept: boolean) => (text || !kept ? text : set);
  const bodyOf = () => {
    if (need.channels)
      return {
        secret: { channels: rows.map((r) => ({ channelId: r.id, webhook: { secret: secretOf(r.webhook, r.kept) }, api: { secret: secretOf(r.api, r.kept) } })) },
        data: { channels: rows.map((r) => ({ channelId: r.id, webhook: { url: r.url } })) },
      };
    const chosen = need.choice?.[choice];
    return {
      url: need.url ? url : "N/A",
      secret: need.client ? { clientId: secretOf(client.clientId, service !== undefined), clientSecret: secretOf(client.clientSecret, service !== undefined) } : {},
      data: chosen ? { [chosen.member]: chosen.value } : {},
    };
  };
  const save = async () => {
    await api("POST", `${root}/services/${ccid}/${need.name}`, bodyOf());
    say(t("saved", { name: need.name }));
    close(true);
  };
  const secret = (path: string, title: Key, value: string, kept: boolean, change: (text: string) => void) => (
    <Field path={path} title={t(title)} required={!kept} help={kept ? t("secret.set") : undefined} control={(props) => <input {...props} type="password" autocomplete="new-password" value={value} onInput={(e) => change(e.currentTarget.value)} />} />
  );
  const edit = (i: number, next: Partial<Row>) => setRows(rows.map((r, k) => (k === i ? { ...r, ...next } : r)));
  return (
    <FormModal title={need.name} noValidate cancel={() => close(false)} submit={save}>
      {() => (
        <>
          {need.url && <Field path="url" title={t("service.url")} required control={(props) => <input {...props} type="url" value={url} onInput={(e) => setUrl(e.currentTarget.value)} />} />}
          {need.client && secret("secret.clientId", "service.client_id", client.clientId, service !== undefined, (text) => setClient({ ...client, clientId: text }))}
          {need.client && secret("secret.clientSecret", "service.client_secret", client.clientSecret, service !== undefined, (text) => setClient({ ...client, clientSecret: text }))}
          {need.choice && (
            <Field
              path="data"
              title={t("service.provider")}
              control={(props) => (
                <select {...props} value={choice} onChange={(e) => setChoice(Number(e.currentTarget.value))}>
                  {need.choice?.map((c, i) => (
                    <option key={c.value} value={i}>
                      {c.value}
                    </option>
                  ))}
                </select>
              )}
            />
          )}
          {need.channels &&
            rows.map((r, i) => (
              <fieldset key={i} data-testid="service-channel">
                <Field path={`channels[${i}].id`} title={t("service.channel")} required control={(props) => <input {...props} value={r.id} readOnly={r.kept} onInput={(e) => edit(i, { id: e.currentTarget.value })} />} />
                <Field path={`channels[${i}].url`} title={t("service.webhook")} required control={(props) => <input {...props} type="url" value={r.url} onInput={(e) => edit(i, { url: e.currentTarget.value })} />} />
                {secret(`channels[${i}].webhook`, "service.webhook_secret", r.webhook, r.kept, (text) => edit(i, { webhook: text }))}
                {secret(`channels[${i}].api`, "service.api_secret", r.api, r.kept, (text) => edit(i, { api: text }))}
                <button type="button" class="secondary small" aria-label={`${t("remove")}: ${r.id || String(i + 1)}`} onClick={() => setRows(rows.filter((_, k) => k !== i))}>
                  {t("remove")}
                </button>
              </fieldset>
            ))}
          {need.channels && (
            <button type="button" class="secondary" onClick={() => setRows([...rows, { id: "", url: "", webhook: "", api: "", kept: false }])}>
              {t("service.channel_add")}
            </button>
          )}
        </>
      )}
    </FormModal>
  );
}

function Services({ ccid }: { ccid: string }) {
  const list = useLoad(`services ${ccid}`, async () => (await get<{ data: { services: Service[] } }>(`${root}/services/${ccid}`)).data.services);
  const [editing, setEditing] = useState<Need | null>(null);
  const remove = async (name: string) => {
    if (!(await ask({ title: t("delete"), text: t("service.delete.text", { name }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", `${root}/services/${ccid}/${name}`);
    } catch (e) {
      say(explain(e));
    }
    list.again();
  };
  return (
    <Loading of={list}>
      {(all) => (
        <>
          <Table label={t("provisioning.services")} heads={[t("name"), t("standing"), t("changed"), t("actions")]}>
            {services.map((need) => {
              const s = all.find((x) => x.name === need.name);
              return (
                <tr key={need.name} data-testid={`service-${need.name}`}>
                  <th scope="row">{need.name}</th>
                  <td>
                    {s ? <Badge kind="good">{t("service.there")}</Badge> : <Badge kind="plain">{t("service.missing")}</Badge>} {s?.url}
                    {s && rowsOf(s).map((r) => r.id).join(", ")}
                  </td>
                  <td>
                    {time(s?.changed)} {s?.changedby}
                  </td>
                  <td>
                    <button type="button" class="secondary small" aria-label={`${t("change")}: ${need.name}`} onClick={() => setEditing(need)}>
                      {t("change")}
                    </button>{" "}
                    {s && (
                      <button type="button" class="secondary small" aria-label={`${t("delete")}: ${need.name}`} onClick={() => void remove(need.name)}>
                        {t("delete")}
                      </button>
                    )}
                  </td>
                </tr>
              );
            })}
          </Table>
          {editing && (
            <ServiceForm
              ccid={ccid}
              need={editing}
              service={all.find((x) => x.name === editing.name)}
              close={(changed) => {
                setEditing(null);
                if (changed) list.again();
              }}
            />
          )}
        </>
      )}
    </Loading>
  );
}

/* ---- one contact centre -------------------------------------------------------------------------------------------------------- */

function Channels({ tenant }: { tenant: Tenant }) {
  const list = useLoad(`channels ${tenant.id}`, async () => (await get<{ items: Channel[] }>(`/channels?tenant=${tenant.id}`)).items.filter((c) => c.side === "network"));
  const textOf = (c: Channel, member: string) => {
    const own = tenant.channels?.find((x) => x["name"] === c.name)?.[member];
    return typeof own === "string" ? own : "";
  };
  return (
    <Loading of={list}>
      {(all) => (
        <Table
          label={t("provisioning.channels")}
          heads={[
            t("name"),
            t("channel.type"),
            t("provisioning.endpoints"),
            t("provisioning.streams"),
            t("standing"),
          ]}
        >
          {all.map((c) => {
            const now = standing([c]);
            return (
              <tr key={c.id} data-testid="centre-channel">
                <th scope="row">{c.name}</th>
                <td>{c.title}</td>
                <td>{c.type === "webchat" ? textOf(c, "endpoints") || c.name : ""}</td>
                <td>{textOf(c, "streams")}</td>
                <td>
                  <Badge kind={now.kind}>{now.text}</Badge>
                </td>
              </tr>
            );
          })}
        </Table>
      )}
    </Loading>
  );
}

function CentrePage({ id }: { id: string }) {
  const found = useLoad(`centre ${id}`, async () => (await centres()).find((x) => x.id.toLowerCase() === id.toLowerCase()) ?? { id, tenant: undefined, record: undefined });
  const [changing, setChanging] = useState(false);
  const [key, setKey] = useState("");
  const remove = async (name: string) => {
    if (!(await ask({ title: t("delete"), text: t("provisioning.delete.text", { name }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", `${root}/tenants/${id}`);
    } catch (e) {
      say(explain(e));
    }
    found.again();
  };
  return (
    <section>
      <Loading of={found}>
        {(x) => {
          const record = x.record?.name ? x.record : null;
          const name = x.tenant?.name ?? record?.name ?? id;
          return (
            <>
              <header class="bar">
                <h1>{name}</h1>
                <div class="tools">
                  {x.record && (
                    <button type="button" class="secondary" onClick={() => void remove(name)}>
                      {t("delete")}
                    </button>
                  )}
                  <button type="button" onClick={() => setChanging(true)} data-testid="centre-change">
                    {record ? t("change") : t("provisioning.add")}
                  </button>
                </div>
              </header>
              <p>
                {t("provisioning.id")}: <code>{id}</code> {record?.backendurl && ` · ${record.backendurl}`} {record?.username && ` · ${record.username}`} {x.tenant && <a href={href("tenants", x.tenant.id)}>{t("tenants.title")}</a>}{" "}
                <a href={href("keys")}>{t("keys.title")}</a> <a href={href("health")}>{t("health.title")}</a>
              </p>
              <h2>{t("provisioning.services")}</h2>
              <Services key={x.record?.services.join() ?? ""} ccid={id} />
              {x.tenant && (
                <>
                  <h2>{t("provisioning.channels")}</h2>
                  <Channels tenant={x.tenant} />
                </>
              )}
              {changing && (
                <Record
                  record={record}
                  start={x.tenant}
                  close={(made) => {
                    setChanging(false);
                    setKey(made ?? "");
                    found.again();
                  }}
                />
              )}
              {key && <Once of={key} close={() => setKey("")} />}
            </>
          );
        }}
      </Loading>
    </section>
  );
}

export function Provisioning({ route }: { route: string[] }) {
  return route[1] ? <CentrePage key={route[1]} id={route[1]} /> : <Centres />;
}
