// doctor.tsx - the signature doctor: the last webhooks of an account that were refused, which part of them differs, and whether they would be taken with
// the settings of now.
import { get } from "./api";
import { t, time, word } from "./i18n";
import { go, href } from "./router";
import type { Channel, Refused } from "./types";
import { Badge, Loading, useLoad } from "./ui";

function List({ id }: { id: string }) {
  const refused = useLoad(`refused ${id}`, async () => (await get<{ items: Refused[] }>(`/channels/${encodeURIComponent(id)}/refused`)).items);
  return (
    <>
      <button type="button" class="secondary" onClick={refused.again} data-testid="look-again">
        {t("doctor.again")}
      </button>
      <Loading of={refused}>
        {(list) =>
          list.length ? (
            <ul class="letters">
              {list.map((r) => (
                <li key={r.id} data-testid="refused">
                  <div>
                    <Badge kind={r.now.good ? "good" : "bad"}>{r.now.good ? t("doctor.good_now") : word("part", r.now.part)}</Badge> <time dateTime={r.at}>{time(r.at)}</time> {r.remote}{" "}
                    <code>
                      {r.method} {r.path}
                    </code>
                  </div>
                  <p>{r.now.text}</p>
                  {r.now.other && (
                    <p>
                      {t("doctor.other")} <code>{r.now.other}</code>
                    </p>
                  )}
                  <details>
                    <summary>{t("doctor.more")}</summary>
                    <p>
                      {t("doctor.said")}: {r.said}
                    </p>
                    <p>{t("doctor.body", { n: r.body_bytes })}</p>
                    <p>
                      {t("doctor.headers")}: <code>{r.headers.join(", ")}</code>
                    </p>
                  </details>
                </li>
              ))}
            </ul>
          ) : (
            <p data-testid="none-refused">{t("doctor.none")}</p>
          )
        }
      </Loading>
    </>
  );
}

export function Doctor({ route }: { route: string[] }) {
  const channels = useLoad("hooked", async () => (await get<{ items: Channel[] }>("/channels")).items.filter((c) => c.webhook));
  const id = route[1] ?? channels.value?.[0]?.id;
  const one = channels.value?.find((c) => c.id === id);
  return (
    <section>
      <h1>{t("doctor.title")}</h1>
      <p class="help">{t("doctor.help")}</p>
      <Loading of={channels}>
        {(list) =>
          list.length ? (
            <div class="adder">
              <select aria-label={t("account")} value={id ?? ""} onChange={(e) => go("doctor", e.currentTarget.value)}>
                {list.map((c) => (
                  <option key={c.id} value={c.id}>
                    {c.title} · {c.tenant} ({c.id})
                  </option>
                ))}
              </select>
              {one && <a href={href("tenants", one.tenant_id, one.side === "desk" ? "desk" : "messaging")}>{t("doctor.settings")}</a>}
            </div>
          ) : (
            <p data-testid="empty">{t("doctor.no_accounts")}</p>
          )
        }
      </Loading>
      {id && <List key={id} id={id} />}
    </section>
  );
}
