// tenants.tsx - the list of tenants: find one, add one, import one.
import { useState } from "preact/hooks";
import { api, get, Problem, query } from "./api";
import { FormModal } from "./form_modal";
import { t, time } from "./i18n";
import { go, href } from "./router";
import type { Channel, Page, Tenant } from "./types";
import { Badge, Field, Loading, Pager, say, Search, Table, useEvery, useLoad, usePages } from "./ui";

const refresh_ms = 10000;
const file_bytes_max = 4 << 20;

export function standing(channels: Channel[]): { kind: "good" | "bad" | "busy"; text: string } {
  if (channels.some((c) => c.refused)) return { kind: "bad", text: t("standing.refused") };
  if (channels.some((c) => c.paused)) return { kind: "bad", text: t("standing.paused") };
  if (channels.some((c) => !c.set_up)) return { kind: "busy", text: t("standing.setting_up") };
  return { kind: "good", text: t("standing.ready") };
}

function Import({ close }: { close: () => void }) {
  const [document, setDocument] = useState<unknown>(null);
  const [name, setName] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [unreadable, setUnreadable] = useState("");
  const sealed = typeof document === "object" && document !== null && "secrets" in document;
  const read = async (file: File | undefined) => {
    setUnreadable("");
    setDocument(null);
    if (!file) return;
    try {
      if (file.size > file_bytes_max) throw new Error("too large");
      setDocument(JSON.parse(await file.text()));
    } catch {
      setUnreadable(t("import.unreadable"));
    }
  };
  const bring = async () => {
    if (!document) return setUnreadable(t("import.choose"));
    const { value } = await api<Tenant>("POST", "/tenants/import", { document, ...(name ? { name } : {}), ...(passphrase ? { passphrase } : {}) });
    say(t("import.done", { name: value.name }));
    close();
    go("tenants", value.id);
  };
  return (
    <FormModal title={t("import.title")} yes={t("import")} cancel={close} submit={bring}>
      {(wrong, error) => (
        <>
          <Field
            path="document"
            title={t("import.file")}
            error={unreadable || wrong("document")}
            control={(props) => <input {...props} type="file" accept="application/json,.json" onChange={(e) => void read(e.currentTarget.files?.[0])} />}
          />
          <Field path="name" title={t("import.name")} help={t("import.name.help")} error={wrong("name")} control={(props) => <input {...props} value={name} onInput={(e) => setName(e.currentTarget.value)} />} />
          {sealed && (
            <Field
              path="passphrase"
              title={t("passphrase")}
              help={t("import.passphrase.help")}
              error={wrong("passphrase")}
              control={(props) => <input {...props} type="password" autocomplete="off" value={passphrase} onInput={(e) => setPassphrase(e.currentTarget.value)} />}
            />
          )}
          {error instanceof Problem && error.problems.length > 0 && (
            <ul class="failed">
              {error.problems.map((p) => (
                <li key={p.field}>
                  <code>{p.field}</code> {p.message}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </FormModal>
  );
}

export function Tenants() {
  const [q, setQ] = useState("");
  const [importing, setImporting] = useState(false);
  const pages = usePages();
  const tenants = useLoad(`${q}|${pages.after}`, () => get<Page<Tenant>>("/tenants" + query({ limit: 50, q, after: pages.after })));
  const channels = useLoad("channels", () => get<{ items: Channel[] }>("/channels"));
  useEvery(refresh_ms, () => {
    tenants.again();
    channels.again();
  });
  const titles = (accounts: Channel[]) => accounts.map((c) => c.title).join(", ");
  return (
    <section>
      <header class="bar">
        <h1>{t("tenants.title")}</h1>
        <div class="tools">
          <Search
            title={t("search")}
            value={q}
            change={(text) => {
              pages.first();
              setQ(text);
            }}
          />
          <button type="button" class="secondary" onClick={() => setImporting(true)}>
            {t("import")}
          </button>
          <a role="button" href={href("tenants", "new")} data-testid="tenant-add">
            {t("tenants.add")}
          </a>
        </div>
      </header>
      <Loading of={tenants}>
        {(list) =>
          list.items.length ? (
            <>
              <Table label={t("tenants.title")} heads={[t("name"), t("tab.desk"), t("tab.messaging"), t("standing"), t("changed")]}>
                {list.items.map((x) => {
                  const mine = channels.value?.items.filter((c) => c.tenant_id === x.id) ?? [];
                  const now = standing(mine);
                  return (
                    <tr key={x.id} data-testid="tenant-row">
                      <th scope="row">
                        <a href={href("tenants", x.id)}>{x.name}</a>
                      </th>
                      <td>{titles(mine.filter((c) => c.side === "desk"))}</td>
                      <td>{titles(mine.filter((c) => c.side === "network"))}</td>
                      <td>{x.problem ? <Badge kind="bad">{x.problem}</Badge> : mine.length ? <Badge kind={now.kind}>{now.text}</Badge> : null}</td>
                      <td>
                        {time(x.changed)} {x.changed_by}
                      </td>
                    </tr>
                  );
                })}
              </Table>
              <Pager pages={pages} next={list.next} />
            </>
          ) : (
            <p data-testid="empty">{q ? t("nothing_found") : t("tenants.none")}</p>
          )
        }
      </Loading>
      {importing && <Import close={() => setImporting(false)} />}
    </section>
  );
}
