// users.tsx - everyone who can log in, with what makes agents of them: queues, skills, capacity. Below them the queues (queues.tsx).
import { useState } from "preact/hooks";
import { api, get } from "./api";
import { t, time, word } from "./i18n";
import type { Wrong } from "./form_modal";
import { FormModal } from "./form_modal";
import { Queues } from "./queues";
import type { Me, Queue, User } from "./types";
import { ask, explain, Field, Loading, say, Table, useLoad } from "./ui";

const roles: Me["role"][] = ["administrator", "supervisor", "agent"];
const skill_level_max = 10;
const skill_level_first = 5; // of a skill that is added
const path = (name: string) => `/users/${encodeURIComponent(name)}`;

/** A number where it is one; else as it was typed, for the API to say what is wrong with it. Nothing: left out. */
export function numberOf(text: string): number | string | undefined {
  const said = text.trim();
  return said === "" ? undefined : /^\d{1,15}$/.test(said) ? Number(said) : said;
}
/** Names that are separated by commas or lines. */
export function namesOf(text: string): string[] {
  return [...new Set(text.split(/[\n,;]/).map((x) => x.trim()).filter(Boolean))];
}

function QueuesServed({ made, chosen, others, choose, type, error }: { made: Queue[]; chosen: string[]; others: string; choose: (names: string[]) => void; type: (text: string) => void; error: string | undefined }) {
  return (
    <>
      {made.length > 0 && (
        <fieldset class="group" data-testid="user-queues">
          <legend>{t("users.queues")}</legend>
          {made.map((q) => (
            <label key={q.name}>
              <input type="checkbox" checked={chosen.includes(q.name)} onChange={(e) => choose(e.currentTarget.checked ? [...chosen, q.name] : chosen.filter((x) => x !== q.name))} />
              {q.title}
            </label>
          ))}
        </fieldset>
      )}
      <Field
        path="queues"
        title={made.length ? t("users.queues.others") : t("users.queues")}
        help={t("users.queues.help")}
        error={error}
        control={(props) => <input {...props} autocomplete="off" value={others} onInput={(e) => type(e.currentTarget.value)} />}
      />
    </>
  );
}

type Skill = [string, string];
function Skills({ skills, change, error }: { skills: Skill[]; change: (next: Skill[]) => void; error: string | undefined }) {
  const set = (at: number, skill: Skill) => change(skills.map((s, i) => (i === at ? skill : s)));
  return (
    <fieldset class="group field" data-path="skills" data-testid="user-skills">
      <legend>{t("users.skills")}</legend>
      {skills.map(([name, level], i) => (
        <div class="pair" key={i}>
          <input aria-label={`${t("users.skill")} ${i + 1}`} value={name} onInput={(e) => set(i, [e.currentTarget.value, level])} />
          <input type="number" min={1} max={skill_level_max} aria-label={`${t("users.level")} ${i + 1}`} value={level} onInput={(e) => set(i, [name, e.currentTarget.value])} />
          <button type="button" class="secondary small" aria-label={`${t("remove")}: ${name || i + 1}`} onClick={() => change(skills.filter((_, k) => k !== i))}>
            {t("remove")}
          </button>
        </div>
      ))}
      {error && (
        <small class="error" role="alert" data-testid="field-error">
          {error}
        </small>
      )}
      <button type="button" class="secondary small" data-testid="skill-add" onClick={() => change([...skills, ["", String(skill_level_first)]])}>
        {t("users.skill.add")}
      </button>
      <small class="help">{t("users.skills.help")}</small>
    </fieldset>
  );
}

/* user null: a new one */
function Change({ user, etag, made, close }: { user: User | null; etag: string | null; made: Queue[]; close: (changed: boolean) => void }) {
  const isMade = (name: string) => made.some((q) => q.name === name);
  const [values, set] = useState({
    name: user?.name ?? "",
    display_name: user && user.display_name !== user.name ? user.display_name : "",
    email: user?.email ?? "",
    role: user?.role ?? ("agent" as Me["role"]),
    password: "",
    capacity: user ? String(user.capacity.chat) : "",
    queues: user?.queues.filter(isMade) ?? [],
    others: user?.queues.filter((q) => !isMade(q)).join(", ") ?? "",
    skills: Object.entries(user?.skills ?? {}).map(([k, v]): Skill => [k, String(v)]),
  });
  const text = (wrong: Wrong, field: "name" | "display_name" | "email" | "password" | "capacity", title: string, more: { help?: string; required?: boolean; type?: string; hint?: string } = {}) => (
    <Field
      path={field}
      title={title}
      help={more.help}
      required={more.required ?? false}
      error={wrong(field)}
      control={(props) => (
        <input
          {...props}
          type={(more.type ?? "text") as "text"}
          inputMode={field === "capacity" ? "numeric" : "text"}
          autocomplete={field === "password" ? "new-password" : "off"}
          placeholder={more.hint ?? ""}
          value={values[field]}
          onInput={(e) => set({ ...values, [field]: e.currentTarget.value })}
        />
      )}
    />
  );
  const save = async () => {
    const chat = numberOf(values.capacity);
    const body = {
      name: values.name.trim(),
      role: values.role,
      ...(values.display_name.trim() ? { display_name: values.display_name.trim() } : {}),
      ...(values.email.trim() ? { email: values.email.trim() } : {}),
      ...(chat === undefined ? {} : { capacity: { chat } }),
      ...(values.password ? { password: values.password } : {}),
      queues: [...values.queues, ...namesOf(values.others)],
      skills: Object.fromEntries(values.skills.filter(([k]) => k.trim()).map(([k, v]) => [k.trim(), numberOf(v) ?? 0])),
    };
    if (user) await api("PUT", path(user.name), body, etag ? { "If-Match": etag } : {});
    else await api("POST", "/users", body);
    say(t("saved", { name: body.name }));
    close(true);
  };
  return (
    <FormModal title={user ? user.name : t("users.add")} marks cancel={() => close(false)} submit={save}>
      {(wrong) => (
        <>
          {!user && text(wrong, "name", t("user"), { required: true })}
          {text(wrong, "display_name", t("users.display_name"), { help: t("users.display_name.help"), hint: values.name })}
          {text(wrong, "email", t("users.email"))}
          <Field
            path="role"
            title={t("users.role")}
            error={wrong("role")}
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
          {text(wrong, "password", t("password"), { type: "password", required: !user, ...(user ? { help: t("users.password.keep") } : {}) })}
          {text(wrong, "capacity", t("users.capacity"), { help: t("users.capacity.help") })}
          <QueuesServed made={made} chosen={values.queues} others={values.others} choose={(queues) => set({ ...values, queues })} type={(others) => set({ ...values, others })} error={wrong("queues")} />
          <Skills skills={values.skills} change={(skills) => set({ ...values, skills })} error={wrong("skills")} />
        </>
      )}
    </FormModal>
  );
}

export function Users({ me }: { me: Me }) {
  const all = useLoad("users", async () => {
    const [users, queues] = await Promise.all([get<{ items: User[] }>("/users"), get<{ items: Queue[] }>("/queues")]);
    return { users: users.items, queues: queues.items };
  });
  const [changing, setChanging] = useState<{ user: User | null; etag: string | null } | null>(null);
  const change = async (user: User) => {
    try {
      const { value, etag } = await api<User>("GET", path(user.name));
      setChanging({ user: value, etag });
    } catch (e) {
      say(explain(e));
      all.again();
    }
  };
  const remove = async (user: User) => {
    if (!(await ask({ title: t("users.delete"), text: t("users.delete.text", { name: user.name }), yes: t("delete"), danger: true }))) return;
    try {
      await api("DELETE", path(user.name));
    } catch (e) {
      say(explain(e));
    }
    all.again();
  };
  return (
    <section>
      <header class="bar">
        <h1>{t("users.title")}</h1>
        <div class="tools">
          <button type="button" data-testid="user-add" onClick={() => setChanging({ user: null, etag: null })}>
            {t("users.add")}
          </button>
        </div>
      </header>
      <Loading of={all}>
        {({ users, queues }) => (
          <>
            <Table label={t("users.title")} heads={[t("user"), t("users.role"), t("users.queues"), t("users.skills"), t("users.capacity"), t("changed"), t("actions")]}>
              {users.map((x) => (
                <tr key={x.name} data-testid="user-row">
                  <th scope="row">
                    {x.name}
                    {x.display_name !== x.name && <small class="help"> {x.display_name}</small>}
                  </th>
                  <td>{word("role", x.role)}</td>
                  <td>{x.queues.length ? x.queues.join(", ") : t("users.queues.all")}</td>
                  <td>
                    {Object.entries(x.skills)
                      .map(([name, level]) => `${name} ${level}`)
                      .join(", ")}
                  </td>
                  <td>{x.capacity.chat}</td>
                  <td>{time(x.changed)}</td>
                  <td>
                    <button type="button" class="secondary small" aria-label={`${t("change")}: ${x.name}`} onClick={() => void change(x)}>
                      {t("change")}
                    </button>{" "}
                    {x.name !== me.user && (
                      <button type="button" class="secondary small" aria-label={`${t("delete")}: ${x.name}`} onClick={() => void remove(x)}>
                        {t("delete")}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </Table>
            <Queues list={queues} changed={all.again} />
            {changing && (
              <Change
                user={changing.user}
                etag={changing.etag}
                made={queues}
                close={(changed) => {
                  setChanging(null);
                  if (changed) all.again();
                }}
              />
            )}
          </>
        )}
      </Loading>
    </section>
  );
}
