// logins.tsx - everyone who can log in.
import { useState } from "preact/hooks";
import { api, get, Problem } from "./api";
import { t, time, word } from "./i18n";
import type { Login, Me } from "./types";
import { ask, explain, Failed, Field, Loading, Modal, say, useLoad } from "./ui";

const roles: Me["role"][] = ["administrator", "supervisor", "agent"];

/* login null: a new one */
function Change({ login, close }: { login: Login | null; close: (changed: boolean) => void }) {
  const [values, set] = useState({ user: login?.user ?? "", role: login?.role ?? "supervisor", password: "" });
  const [error, setError] = useState<unknown>(null);
  const of = (field: string) => (error instanceof Problem ? error.problems.find((p) => p.field === field)?.message : undefined);
  const save = async () => {
    try {
      if (login) await api("PATCH", `/logins/${encodeURIComponent(login.user)}`, { role: values.role, ...(values.password ? { password: values.password } : {}) });
      else await api("POST", "/logins", values);
      say(t("saved", { name: values.user }));
      close(true);
    } catch (e) {
      setError(e);
    }
  };
  return (
    <Modal title={login ? login.user : t("logins.add")} close={() => close(false)}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void save();
        }}
      >
        {!login && <Field path="user" title={t("user")} required error={of("user")} control={(props) => <input {...props} autocomplete="off" value={values.user} onInput={(e) => set({ ...values, user: e.currentTarget.value })} />} />}
        <Field
          path="role"
          title={t("logins.role")}
          error={of("role")}
          control={(props) => (
            <select {...props} value={values.role} onChange={(e) => set({ ...values, role: e.currentTarget.value as Me["role"] })}>
              {roles.map((r) => (
                <option key={r} value={r}>
                  {word("role", r)}
                </option>
              ))}
            </select>
          )}
        />
        <Field
          path="password"
          title={t("password")}
          required={!login}
          help={login ? t("logins.password.keep") : undefined}
          error={of("password")}
          control={(props) => <input {...props} type="password" autocomplete="new-password" value={values.password} onInput={(e) => set({ ...values, password: e.currentTarget.value })} />}
        />
        {error instanceof Problem && error.problems.length > 0 ? null : <Failed error={error} />}
        <footer>
          <button type="button" class="secondary" onClick={() => close(false)}>
            {t("cancel")}
          </button>
          <button type="submit">{t("save")}</button>
        </footer>
      </form>
    </Modal>
  );
}

export function Logins({ me }: { me: Me }) {
  const logins = useLoad("logins", async () => (await get<{ items: Login[] }>("/logins")).items);
  const [changing, setChanging] = useState<{ login: Login | null } | null>(null);
  const remove = async (login: Login) => {
    if (!(await ask({ title: t("logins.delete"), text: t("logins.delete.text", { name: login.user }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", `/logins/${encodeURIComponent(login.user)}`);
    } catch (e) {
      say(explain(e));
    }
    logins.again();
  };
  return (
    <section>
      <header class="bar">
        <h1>{t("logins.title")}</h1>
        <div class="tools">
          <button type="button" onClick={() => setChanging({ login: null })}>
            {t("logins.add")}
          </button>
        </div>
      </header>
      <Loading of={logins}>
        {(list) => (
          <div class="overflow-auto" tabIndex={0} role="region" aria-label={t("logins.title")}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("user")}</th>
                  <th scope="col">{t("logins.role")}</th>
                  <th scope="col">{t("changed")}</th>
                  <th scope="col">{t("actions")}</th>
                </tr>
              </thead>
              <tbody>
                {list.map((x) => (
                  <tr key={x.user} data-testid="login-row">
                    <th scope="row">{x.user}</th>
                    <td>{word("role", x.role)}</td>
                    <td>{time(x.changed)}</td>
                    <td>
                      <button type="button" class="secondary small" aria-label={`${t("change")}: ${x.user}`} onClick={() => setChanging({ login: x })}>
                        {t("change")}
                      </button>{" "}
                      {x.user !== me.user && (
                        <button type="button" class="secondary small" aria-label={`${t("delete")}: ${x.user}`} onClick={() => void remove(x)}>
                          {t("delete")}
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loading>
      {changing && (
        <Change
          login={changing.login}
          close={(changed) => {
            setChanging(null);
            if (changed) logins.again();
          }}
        />
      )}
    </section>
  );
}
