// form.tsx - a form out of a JSON Schema of settings, as GET /connectors gives them.
//
//   <SettingsForm schema={connector.schema} value={account} path="channels[0]" marks={marks} change={(next) => …} />
//
// Shape    "a.b" settings are nested objects. What is empty is left out of the document; a placeholder shows the default.
// Secrets  {"set":true}: there is one, not shown; a text: the new one; null: to be removed.
// Marks    what the API says of each path; a field shows it once it was touched, or after an attempt to save.
import { useState } from "preact/hooks";
import { label, t } from "./i18n";
import { problemText } from "./problems";
import type { Doc, Json, ProblemItem, Schema } from "./types";
import { Field, say } from "./ui";

export interface Marks {
  error: (path: string) => string | undefined;
  good: (path: string) => boolean;
  touch: (path: string) => void;
}
/** all: show also what was never touched. */
export function marksOf(problems: ProblemItem[], touched: Set<string>, all: boolean, touch: (path: string) => void, checked: boolean): Marks {
  const error = (path: string) => (all || touched.has(path) ? problems.find((p) => p.field === path)?.message : undefined);
  return { error, good: (path) => checked && touched.has(path) && !problems.some((p) => p.field === path), touch };
}

function isObject(v: Json | undefined): v is Doc {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}
export function isSet(v: Json | undefined): boolean {
  return isObject(v) && v["set"] === true;
}
export function without(doc: Doc, name: string): Doc {
  const { [name]: _, ...rest } = doc;
  return rest;
}
/** The document with this member; undefined takes it away. */
export function withMember(doc: Doc, name: string, v: Json | undefined): Doc {
  return v === undefined ? without(doc, name) : { ...doc, [name]: v };
}

const long_text = 1000; // characters from which on a text is more likely a file: keys, credentials
const file_bytes_max = 1 << 20;

/** The content of a file that the user chooses; null: none was chosen, or it is no text of a sensible size, which was said. */
function textOfFile(): Promise<string | null> {
  const refuse = () => {
    say(t("file.unreadable"));
    return null;
  };
  return new Promise((resolve) => {
    const choose = document.createElement("input");
    choose.type = "file";
    choose.accept = ".json,.pem,.key,.jwk,application/json";
    choose.oncancel = () => resolve(null);
    choose.onchange = () => {
      const file = choose.files?.[0];
      if (!file) resolve(null);
      else if (file.size > file_bytes_max) resolve(refuse());
      else file.text().then(resolve, () => resolve(refuse()));
    };
    choose.click();
  });
}

interface ControlProps {
  schema: Schema;
  value: Json | undefined;
  path: string;
  title: string;
  required: boolean;
  readOnly: boolean;
  marks: Marks;
  change: (v: Json | undefined) => void;
}

function shown(v: Json | undefined): string {
  return typeof v === "string" || typeof v === "number" ? String(v) : "";
}

function Secret({ schema, value, path, title, required, readOnly, marks, change }: ControlProps) {
  const [before, setBefore] = useState<Json | undefined>(isSet(value) ? value : undefined);
  const [visible, setVisible] = useState(false);
  const kept = isSet(value);
  const field = { path, title, required, help: schema.description && label(schema.description), error: marks.error(path), good: marks.good(path) };
  const put = (v: Json | undefined) => {
    if (kept) setBefore(value);
    change(v);
    marks.touch(path);
  };
  if (kept || readOnly)
    return (
      <Field
        {...field}
        control={(props) => (
          <div class="secret">
            <output id={props.id} aria-describedby={props["aria-describedby"]} data-testid="secret-state">
              {kept ? t("secret.set") : t("secret.not_set")}
            </output>
            {!readOnly && (
              <button type="button" class="secondary small" aria-label={`${t("secret.replace")}: ${title}`} onClick={() => put("")}>
                {t("secret.replace")}
              </button>
            )}
            {!readOnly && !required && (
              <button type="button" class="secondary small" aria-label={`${t("secret.remove")}: ${title}`} onClick={() => put(null)}>
                {t("secret.remove")}
              </button>
            )}
          </div>
        )}
      />
    );
  return (
    <Field
      {...field}
      control={(props) => (
        <div class="secret">
          {value === null ? (
            <output id={props.id} aria-describedby={props["aria-describedby"]}>{t("secret.will_go")}</output>
          ) : (schema.maxLength ?? 0) > long_text ? (
            <>
              <textarea {...props} autocomplete="off" spellcheck={false} rows={3} value={shown(value)} onInput={(e) => put(e.currentTarget.value || (before ? "" : undefined))} onBlur={() => marks.touch(path)} />
              <button
                type="button"
                class="secondary small"
                aria-label={`${t("secret.file")}: ${title}`}
                onClick={() => void textOfFile().then((text) => text !== null && put(text))}
              >
                {t("secret.file")}
              </button>
            </>
          ) : (
            <input
              {...props}
              type={(visible ? "text" : "password") as "text"}
              autocomplete="new-password"
              spellcheck={false}
              value={shown(value)}
              onInput={(e) => put(e.currentTarget.value || (before ? "" : undefined))}
              onBlur={() => marks.touch(path)}
            />
          )}
          {value !== null && (schema.maxLength ?? 0) <= long_text && (
            <button type="button" class="secondary small" aria-pressed={visible} aria-label={`${t("secret.show")}: ${title}`} onClick={() => setVisible(!visible)}>
              {t("secret.show")}
            </button>
          )}
          {before !== undefined && (
            <button type="button" class="secondary small" aria-label={`${t("secret.keep")}: ${title}`} onClick={() => change(before)}>
              {t("secret.keep")}
            </button>
          )}
        </div>
      )}
    />
  );
}

export function Pairs({ title, help, value, path, readOnly, marks, change }: Omit<ControlProps, "schema" | "required"> & { help?: string | undefined }) {
  const [rows, setRows] = useState<[string, string][]>(isObject(value) ? Object.entries(value).map(([k, v]) => [k, shown(v)]) : []);
  const put = (next: [string, string][]) => {
    setRows(next);
    const named = next.filter(([k]) => k);
    change(named.length ? Object.fromEntries(named) : undefined);
    marks.touch(path);
  };
  const edit = (at: number, part: 0 | 1, text: string) => put(rows.map((r, i) => (i === at ? (part ? [r[0], text] : [text, r[1]]) : r)));
  const error = marks.error(path);
  return (
    <fieldset class="field pairs" data-path={path}>
      <legend>{title}</legend>
      {help && <small class="help">{help}</small>}
      {rows.map(([k, v], i) => (
        <div class="pair" key={i}>
          <input aria-label={`${title}: ${t("pairs.name")} ${i + 1}`} placeholder={t("pairs.name")} value={k} readOnly={readOnly} onInput={(e) => edit(i, 0, e.currentTarget.value)} />
          <input aria-label={`${title}: ${t("pairs.value")} ${i + 1}`} placeholder={t("pairs.value")} value={v} readOnly={readOnly} onInput={(e) => edit(i, 1, e.currentTarget.value)} />
          {!readOnly && (
            <button type="button" class="secondary small" aria-label={`${t("remove")}: ${title} ${i + 1}`} onClick={() => put(rows.filter((_, at) => at !== i))}>
              {t("remove")}
            </button>
          )}
        </div>
      ))}
      {error && (
        <small class="error" role="alert" data-testid="field-error">
          {problemText(error)}
        </small>
      )}
      {!readOnly && (
        <button type="button" class="secondary small" aria-label={`${t("add")}: ${title}`} onClick={() => setRows([...rows, ["", ""]])}>
          {t("add")}
        </button>
      )}
    </fieldset>
  );
}

function Control(p: ControlProps) {
  const { schema, value, path, title, required, readOnly, marks, change } = p;
  if (schema["x-secret"]) return <Secret {...p} />;
  const help = schema.description && label(schema.description);
  const field = { path, title, help, required, error: marks.error(path), good: marks.good(path) };
  const put = (v: Json | undefined) => {
    change(v);
    marks.touch(path);
  };
  if (schema.type === "boolean")
    return (
      <Field
        {...field}
        control={(props) => (
          <input
            {...props}
            type="checkbox"
            role="switch"
            disabled={readOnly}
            checked={typeof value === "boolean" ? value : schema.default === true}
            onChange={(e) => put(e.currentTarget.checked)}
          />
        )}
      />
    );
  if (schema.enum)
    return (
      <Field
        {...field}
        control={(props) => (
          <select {...props} disabled={readOnly} value={shown(value ?? schema.default)} onChange={(e) => put(e.currentTarget.value || undefined)}>
            {schema.default === undefined && <option value="">{t("choose")}</option>}
            {schema.enum!.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        )}
      />
    );
  if (schema.type === "object") return <Pairs {...p} help={help} />;
  const whole = schema.type === "integer";
  return (
    <Field
      {...field}
      control={(props) => (
        <input
          {...props}
          type={(schema.format === "uri" ? "url" : "text") as "text"}
          inputMode={whole ? "numeric" : schema.format === "uri" ? "url" : "text"}
          autocomplete="off"
          spellcheck={false}
          readOnly={readOnly}
          placeholder={shown(schema.default)}
          value={shown(value)}
          onInput={(e) => {
            const text = e.currentTarget.value;
            put(text === "" ? undefined : whole && /^-?\d{1,15}$/.test(text) ? Number(text) : text);
          }}
          onBlur={() => marks.touch(path)}
        />
      )}
    />
  );
}

export interface FormProps {
  schema: Schema;
  value: Doc;
  path: string;
  readOnly?: boolean;
  marks: Marks;
  change: (next: Doc) => void;
}
export function SettingsForm({ schema, value, path, readOnly = false, marks, change }: FormProps) {
  const members = Object.entries(schema.properties ?? {}).sort(([, a], [, b]) => (a["x-order"] ?? 0) - (b["x-order"] ?? 0));
  return (
    <>
      {members.map(([name, s]) => {
        const at = path ? `${path}.${name}` : name;
        const title = label(s.title ?? name);
        const inner = value[name];
        if (s.properties)
          return (
            <fieldset key={name} class="group">
              <legend>{title}</legend>
              <SettingsForm
                schema={s}
                value={isObject(inner) ? inner : {}}
                path={at}
                readOnly={readOnly}
                marks={marks}
                change={(next) => change(withMember(value, name, Object.keys(next).length ? next : undefined))}
              />
            </fieldset>
          );
        return (
          <Control
            key={name}
            schema={s}
            value={inner}
            path={at}
            title={title}
            required={schema.required?.includes(name) ?? false}
            readOnly={readOnly}
            marks={marks}
            change={(v) => change(withMember(value, name, v))}
          />
        );
      })}
    </>
  );
}
