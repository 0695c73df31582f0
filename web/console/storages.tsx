// storages.tsx - where attachments live: how each storage stands, and those that are made here.
import { useState } from "preact/hooks";
import { api, get } from "./api";
import { withMember } from "./form";
import { duration, t } from "./i18n";
import { dropGuard } from "./router";
import { TypedList, useDraft } from "./shared";
import type { Doc, Me, Settings, Storage, StorageKind } from "./types";
import { Badge, Field, Loading, Table, useEvery, useLoad } from "./ui";

const refresh_ms = 5000;
interface Places {
  items: Storage[];
  types: StorageKind[];
}

function Standing({ list }: { list: Storage[] }) {
  return (
    <Table label={t("storages.title")} heads={[t("name"), t("storages.type"), t("standing")]}>
      {list.map((s) => (
        <tr key={s.name} data-testid="storage">
          <th scope="row">{s.name}</th>
          <td>{s.title}</td>
          <td>
            <Badge kind={!s.checked ? "busy" : s.works ? "good" : "bad"}>{!s.checked ? t("storages.unchecked") : s.works ? t("standing.ready") : t("storages.trouble")}</Badge> {s.default && <Badge kind="plain">{t("storages.default")}</Badge>}{" "}
            {s.why ?? s.remark}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Editor({ settings, etag, kinds, places, loaded, again }: { settings: Settings; etag: string | null; kinds: StorageKind[]; places: Storage[]; loaded: (s: Settings, etag: string | null) => void; again: () => void }) {
  const d = useDraft({ settings, etag, members: ["storages", "default_storage"], page: "storages", loaded, again });
  const made = (d.draft["storages"] as Doc[]).map((s) => s["name"]).filter((name): name is string => typeof name === "string");
  const names = new Set([...places.filter((s) => s.read_only).map((s) => s.name), ...made]);
  const standard = typeof d.draft["default_storage"] === "string" ? d.draft["default_storage"] : "";
  return (
    <>
      {d.header(t("storages.title"))}
      <p class="help">{t("storages.help")}</p>
      <form noValidate onSubmit={(e) => e.preventDefault()}>
        <Field
          path="default_storage"
          title={t("storages.default")}
          help={t("storages.default.help")}
          error={d.marks.error("default_storage")}
          control={(props) => (
            <select
              {...props}
              value={standard}
              onChange={(e) => {
                d.setDraft({ ...d.draft, default_storage: e.currentTarget.value || null });
                d.marks.touch("default_storage");
              }}
            >
              <option value="">{t("storages.default.file")}</option>
              {[...names].map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
              {standard && !names.has(standard) && <option value={standard}>{standard}</option>}
            </select>
          )}
        />
        <TypedList
          d={d}
          member="storages"
          kinds={kinds}
          fresh={{}}
          addTitle={t("storages.add")}
          typeTitle={t("storages.type")}
          extra={(s, path, change) => (
            <Field
              path={`${path}.purge_delay_seconds`}
              title={t("storages.purge")}
              help={typeof s["purge_delay_seconds"] === "number" ? `${t("storages.purge.help")} (${duration(s["purge_delay_seconds"])})` : t("storages.purge.help")}
              error={d.marks.error(`${path}.purge_delay_seconds`)}
              control={(props) => (
                <input
                  {...props}
                  inputMode="numeric"
                  value={s["purge_delay_seconds"] === undefined ? "" : String(s["purge_delay_seconds"])}
                  onInput={(e) => {
                    const text = e.currentTarget.value;
                    change(withMember(s, "purge_delay_seconds", text === "" ? undefined : /^\d{1,9}$/.test(text) ? Number(text) : text));
                    d.marks.touch(`${path}.purge_delay_seconds`);
                  }}
                />
              )}
            />
          )}
        />
      </form>
    </>
  );
}

export function Storages({ me }: { me: Me }) {
  const [fresh, setFresh] = useState<{ settings: Settings; etag: string | null } | null>(null);
  const [turn, setTurn] = useState(0);
  const places = useLoad("storages", () => get<Places>("/storages"));
  useEvery(refresh_ms, places.again);
  const may = me.role === "administrator";
  const settings = useLoad(`storages ${turn}`, async () => (may ? await api<Settings>("GET", "/settings") : null));
  const now = fresh ?? (settings.value && { settings: settings.value.value, etag: settings.value.etag });
  return (
    <section>
      {!may && <h1>{t("storages.title")}</h1>}
      <Loading of={places}>
        {(p) => (
          <>
            {now && (
              <Editor
                key={`${now.settings.rev} ${turn}`}
                settings={now.settings}
                etag={now.etag}
                kinds={p.types}
                places={p.items}
                loaded={(s, etag) => {
                  setFresh({ settings: s, etag });
                  places.again();
                }}
                again={() => {
                  setFresh(null);
                  dropGuard();
                  setTurn((n) => n + 1);
                }}
              />
            )}
            <Standing list={p.items} />
          </>
        )}
      </Loading>
    </section>
  );
}
