// backup.tsx - all that was configured, as one file: taken, looked into, and put back.
import { useState } from "preact/hooks";
import { api, get, Problem } from "./api";
import { t, time, word } from "./i18n";
import type { Restored } from "./types";
import { ask, Badge, download, explain, Failed, Field, say } from "./ui";

const file_bytes_max = 32 << 20; // of the API
const passphrase_least = 8;

function Take() {
  const [passphrase, setPassphrase] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const short = passphrase.length > 0 && passphrase.length < passphrase_least;
  const take = async () => {
    setBusy(true);
    setError(null);
    try {
      const made = passphrase ? (await api<unknown>("POST", "/backup", { passphrase })).value : await get<unknown>("/backup");
      download(`dragoman-${new Date().toISOString().slice(0, 10)}.backup.json`, made);
      setPassphrase("");
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  return (
    <form
      aria-label={t("backup.take")}
      onSubmit={(e) => {
        e.preventDefault();
        if (!short) void take();
      }}
    >
      <h2>{t("backup.take")}</h2>
      <p>{t("backup.take.help")}</p>
      <Field
        path="backup.passphrase"
        title={t("passphrase")}
        help={t("export.passphrase.help")}
        error={short ? t("backup.short", { n: passphrase_least }) : undefined}
        control={(props) => <input {...props} type="password" autocomplete="new-password" value={passphrase} onInput={(e) => setPassphrase(e.currentTarget.value)} />}
      />
      <Failed error={error} />
      <button type="submit" disabled={busy || short} aria-busy={busy} data-testid="backup-take">
        {t("backup.download")}
      </button>
    </form>
  );
}

interface Chosen {
  document: unknown;
  made: string;
  sealed: boolean;
}

function Fate({ fate, why }: { fate: string; why?: string | undefined }) {
  return (
    <>
      <Badge kind={fate === "skipped" ? "bad" : fate === "same" ? "plain" : fate === "removed" ? "busy" : "good"}>{word("fate", fate)}</Badge> {why}
    </>
  );
}

function PutBack() {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [unreadable, setUnreadable] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [replace, setReplace] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [seen, setSeen] = useState<Restored | null>(null);
  const [busy, setBusy] = useState(false);
  const read = async (file: File | undefined) => {
    setUnreadable("");
    setChosen(null);
    setSeen(null);
    if (!file) return;
    try {
      if (file.size > file_bytes_max) throw new Error("too large");
      const document: unknown = JSON.parse(await file.text());
      if (typeof document !== "object" || document === null || !("tenants" in document)) throw new Error("no backup");
      setChosen({ document, made: "made" in document ? String(document.made) : "", sealed: "secrets" in document });
    } catch {
      setUnreadable(t("backup.unreadable"));
    }
  };
  const restore = async (dry_run: boolean) => {
    if (!chosen) return;
    setBusy(true);
    setError(null);
    try {
      const { value } = await api<Restored>("POST", "/restore", { backup: chosen.document, dry_run, replace, ...(passphrase ? { passphrase } : {}) });
      setSeen(value);
      if (!dry_run) say(t("backup.restored"));
    } catch (e) {
      setSeen(null);
      setError(e);
    }
    setBusy(false);
  };
  const really = async () => {
    if (await ask({ title: t("backup.restore"), text: t(replace ? "backup.restore.replace" : "backup.restore.text"), yes: t("backup.restore"), danger: replace })) await restore(false);
  };
  const wrong = error instanceof Problem ? error.problems.find((p) => p.field === "passphrase")?.message : undefined;
  return (
    <form
      aria-label={t("backup.restore")}
      onSubmit={(e) => {
        e.preventDefault();
        void restore(true);
      }}
    >
      <h2>{t("backup.restore")}</h2>
      <Field
        path="restore.file"
        title={t("import.file")}
        error={unreadable || undefined}
        control={(props) => <input {...props} type="file" accept="application/json,.json" onChange={(e) => void read(e.currentTarget.files?.[0])} />}
      />
      {chosen && (
        <>
          <p class="help" data-testid="backup-made">
            {t("backup.made", { when: time(chosen.made) })}
          </p>
          {chosen.sealed && (
            <Field
              path="restore.passphrase"
              title={t("passphrase")}
              help={t("backup.passphrase.help")}
              error={wrong}
              control={(props) => <input {...props} type="password" autocomplete="off" value={passphrase} onInput={(e) => setPassphrase(e.currentTarget.value)} />}
            />
          )}
          <label>
            <input
              type="checkbox"
              checked={replace}
              onChange={(e) => {
                setReplace(e.currentTarget.checked);
                setSeen(null);
              }}
            />
            {t("backup.replace")}
          </label>
          {error !== null && !wrong && (
            <p class="failed" role="alert">
              {explain(error)}
            </p>
          )}
          <div class="tools">
            <button type="submit" class="secondary" disabled={busy} data-testid="restore-look">
              {t("backup.look")}
            </button>
            <button type="button" disabled={busy || !seen?.dry_run} onClick={() => void really()} data-testid="restore">
              {t("backup.restore")}
            </button>
          </div>
        </>
      )}
      {seen && (
        <section aria-label={t("backup.fates")} data-testid="fates">
          <h3>{t(seen.dry_run ? "backup.would" : "backup.was")}</h3>
          <ul>
            {seen.tenants.map((x) => (
              <li key={x.name}>
                {x.name} <Fate fate={x.fate} why={x.why} />
              </li>
            ))}
            <li>
              {t("settings.title")} <Fate fate={seen.settings} why={seen.settings_why} />
            </li>
            {seen.responses.map((x) => (
              <li key={`response ${x.name}`}>
                {t("responses.title")}: {x.name} <Fate fate={x.fate} why={x.why} />
              </li>
            ))}
            <li>{t("backup.logins", { n: seen.logins })}</li>
          </ul>
        </section>
      )}
    </form>
  );
}

export function Backup() {
  return (
    <section class="narrow">
      <h1>{t("backup.title")}</h1>
      <Take />
      <PutBack />
    </section>
  );
}
