// account.tsx - who is at this page: logging in, and the own password.
import { useEffect, useState } from "preact/hooks";
import { api, get, logIn, Problem, providerLogIn } from "./api";
import { t } from "./i18n";
import type { Me } from "./types";
import { explain, Field, say } from "./ui";

function refusal(e: unknown): string {
  if (e instanceof Problem && e.status === 401) return t("login.wrong");
  if (e instanceof Problem && e.status === 429) return t("login.wait", { n: e.retryAfter });
  return explain(e);
}

export function LogIn({ done, again }: { done: (me: Me) => void; again: boolean }) {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const [provider, setProvider] = useState("");
  useEffect(() => void providerLogIn().then(setProvider), []);
  const enter = async () => {
    setBusy(true);
    setError("");
    try {
      await logIn(user, password);
      done(await get<Me>("/auth/me"));
    } catch (e) {
      setError(refusal(e));
      setPassword("");
      setBusy(false);
    }
  };
  return (
    <article class="login">
      <h1>{t("login.title")}</h1>
      {again && <p class="note">{t("login.again")}</p>}
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void enter();
        }}
      >
        <Field path="user" title={t("user")} control={(props) => <input {...props} name="username" autocomplete="username" required autofocus value={user} onInput={(e) => setUser(e.currentTarget.value)} />} />
        <Field
          path="password"
          title={t("password")}
          control={(props) => <input {...props} type="password" name="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />}
        />
        {error && (
          <p class="failed" role="alert" data-testid="login-failed">
            {error}
          </p>
        )}
        <button type="submit" aria-busy={busy} disabled={busy}>
          {t("login")}
        </button>
      </form>
      {provider && (
        <p>
          <a href={provider} data-testid="login-provider">
            {t("login.provider")}
          </a>
        </p>
      )}
    </article>
  );
}

export function Password({ me }: { me: Me }) {
  const [values, set] = useState({ old: "", new: "", repeat: "" });
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState("");
  const change = async () => {
    setFailure("");
    if (values.new !== values.repeat) return setErrors({ repeat: t("password.differs") });
    setErrors({});
    try {
      await api("POST", "/auth/password", { old: values.old, new: values.new });
      set({ old: "", new: "", repeat: "" });
      say(t("password.changed"));
    } catch (e) {
      if (e instanceof Problem && e.problems.length) setErrors(Object.fromEntries(e.problems.map((p) => [p.field, p.message])));
      else setFailure(refusal(e));
    }
  };
  const field = (name: "old" | "new" | "repeat", title: string, autocomplete: string) => (
    <Field
      path={name}
      title={title}
      error={errors[name]}
      control={(props) => <input {...props} type="password" autocomplete={autocomplete} required value={values[name]} onInput={(e) => set({ ...values, [name]: e.currentTarget.value })} />}
    />
  );
  return (
    <section class="narrow">
      <h1>{t("password.title")}</h1>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void change();
        }}
      >
        <input type="text" autocomplete="username" value={me.user} hidden readOnly />
        {field("old", t("password.old"), "current-password")}
        {field("new", t("password.new"), "new-password")}
        {field("repeat", t("password.repeat"), "new-password")}
        {failure && (
          <p class="failed" role="alert">
            {failure}
          </p>
        )}
        <button type="submit">{t("password.change")}</button>
      </form>
    </section>
  );
}
