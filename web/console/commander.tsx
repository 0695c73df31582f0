// commander.tsx - the form of a commander: of one tenant, and the default of all. What it can be comes from GET /commander and GET /languages.
import { useState } from "preact/hooks";
import { get } from "./api";
import { SettingsForm, withMember } from "./form";
import type { Marks } from "./form";
import { t } from "./i18n";
import type { CommanderKinds, Doc, Schema } from "./types";
import { Field, Loading, useLoad } from "./ui";

// What a file of a service account's key says, and where it goes.
const key_file: [string, string][] = [
  ["project_id", "project_id"],
  ["client_id", "client_id"],
  ["client_email", "client_email"],
  ["private_key_id", "private_key_id"],
  ["private_key", "private_key"],
];

const key_file_bytes_max = 64 << 10;

async function kindsOf(): Promise<CommanderKinds> {
  const [{ schema }, { items }] = await Promise.all([get<{ schema: Schema }>("/commander"), get<{ items: CommanderKinds["languages"] }>("/languages")]);
  return { schema, languages: items };
}

/** ofAll: the default of all tenants: without what only a tenant has. */
export function CommanderForm({ value, path, ofAll, readOnly, marks, change }: { value: Doc; path: string; ofAll: boolean; readOnly: boolean; marks: Marks; change: (next: Doc) => void }) {
  const kinds = useLoad("commander", () => kindsOf());
  const [unreadable, setUnreadable] = useState(false);
  const language = (value["language"] as Doc | undefined) ?? {};
  const put = (next: Doc | undefined) => change(withMember(value, "language", next));
  const take = async (file: File | undefined, schema: Schema) => {
    setUnreadable(false);
    if (!file) return;
    let read: Doc = {};
    try {
      if (file.size <= key_file_bytes_max) read = JSON.parse(await file.text()) as Doc;
    } catch {
      read = {};
    }
    const found = key_file.filter(([from, to]) => typeof read?.[from] === "string" && schema.properties?.[to]);
    if (!found.some(([from]) => from === "private_key")) return setUnreadable(true); // some other file
    put({ ...language, ...Object.fromEntries(found.map(([from, to]) => [to, read[from]!])) });
    for (const [, to] of key_file) marks.touch(`${path}.language.${to}`);
  };
  return (
    <Loading of={kinds}>
      {(k) => {
        const schema: Schema = { ...k.schema, properties: Object.fromEntries(Object.entries(k.schema.properties ?? {}).filter(([name]) => !ofAll || (name !== "use" && name !== "default"))) };
        const own = ofAll || value["default"] === false;
        const type = k.languages.find((l) => l.name === language["type"]);
        return (
          <div data-testid="commander">
            <p class="help">{t("commander.help")}</p>
            <SettingsForm schema={schema} value={value} path={path} readOnly={readOnly} marks={marks} change={change} />
            {own && k.languages.length > 0 && (
              <Field
                path={`${path}.language`}
                title={t("commander.language")}
                help={t("commander.language.help")}
                error={marks.error(`${path}.language.type`)}
                control={(props) => (
                  <select {...props} disabled={readOnly} value={type?.name ?? ""} onChange={(e) => put(e.currentTarget.value ? { type: e.currentTarget.value } : undefined)}>
                    <option value="">{t("commander.none")}</option>
                    {k.languages.map((l) => (
                      <option key={l.name} value={l.name}>
                        {l.title}
                      </option>
                    ))}
                  </select>
                )}
              />
            )}
            {own && type && (
              <>
                {type.archive && (
                  <p>
                    <a href={`/api/v1/languages/${type.name}/archive`} download={type.archive}>
                      {type.archive}
                    </a>
                  </p>
                )}
                {!readOnly && (
                  <Field
                    path={`${path}.key_file`}
                    title={t("commander.key_file")}
                    error={unreadable ? t("file.unreadable") : undefined}
                    control={(props) => <input {...props} type="file" accept=".json,application/json" onChange={(e) => void take(e.currentTarget.files?.[0], type.schema)} />}
                  />
                )}
                <SettingsForm schema={type.schema} value={language} path={`${path}.language`} readOnly={readOnly} marks={marks} change={(next) => put({ ...next, type: type.name })} />
              </>
            )}
          </div>
        );
      }}
    </Loading>
  );
}
