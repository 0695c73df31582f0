// form_modal.tsx - a form in a window: its fields, what was wrong with them, cancel and submit.
import { useState } from "preact/hooks";
import { Problem } from "./api";
import { t } from "./i18n";
import type { Children } from "./ui";
import { Failed, Modal, useFirstWrong } from "./ui";

/** What is wrong with a field, or with something in it. */
export type Wrong = (field: string) => string | undefined;
const wrongOf =
  (error: unknown): Wrong =>
  (field) => {
    if (!(error instanceof Problem)) return undefined;
    const within = error.problems.find((p) => p.field === field || p.field.startsWith(`${field}.`) || p.field.startsWith(`${field}[`));
    return within?.message ?? (error.field === field ? error.message : undefined);
  };

interface Props {
  title: string;
  yes?: string; // else "save"
  cancel: () => void;
  submit: () => Promise<void>; // throws what is wrong; it is not asked again before it is over
  off?: boolean; // there is nothing to submit yet
  testid?: string; // of the button
  marks?: boolean; // the fields show what is wrong with them
  noValidate?: boolean; // the hub says what is wrong, not the browser
  children: (wrong: Wrong, error: unknown) => Children; // the fields, after the last try
}
export function FormModal({ title, yes, cancel, submit, off, testid, marks, noValidate, children }: Props) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useFirstWrong(error);
  const begin = async () => {
    if (busy || off) return;
    setBusy(true);
    setError(null);
    try {
      await submit();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  const changed = error instanceof Problem && error.status === 412;
  const shown = marks && error instanceof Problem && error.problems.length > 0;
  return (
    <Modal title={title} close={cancel}>
      <form
        noValidate={noValidate ?? false}
        onSubmit={(e) => {
          e.preventDefault();
          void begin();
        }}
      >
        {children(wrongOf(error), error)}
        {changed ? (
          <p class="failed" role="alert">
            {t("save.changed")}
          </p>
        ) : shown ? null : (
          <Failed error={error} />
        )}
        <footer>
          <button type="button" class="secondary" onClick={cancel}>
            {t("cancel")}
          </button>
          <button type="submit" disabled={off ?? false} aria-busy={busy} data-testid={testid}>
            {yes ?? t("save")}
          </button>
        </footer>
      </form>
    </Modal>
  );
}
