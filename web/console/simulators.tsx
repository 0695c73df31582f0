// simulators.tsx - accounts whose vendor is played by a simulator on this machine, and where its page is. Shown only when there are some.
import { get } from "./api";
import { t } from "./i18n";
import type { Doc, Page, Tenant } from "./types";

export interface Simulator {
  url: string;
  account: string;
  tenant: string;
}

/** Vendors have no addresses on this machine: who is reached there is a simulator. */
function local(account: Doc | undefined): string | null {
  const base = account?.["base_url"];
  if (typeof base !== "string") return null;
  try {
    const url = new URL(base);
    return ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname) ? `${url.origin}/` : null;
  } catch {
    return null;
  }
}

export async function findSimulators(): Promise<Simulator[]> {
  const { items } = await get<Page<Tenant>>("/tenants?limit=500");
  const found: Simulator[] = [];
  for (const tenant of items)
    for (const account of [tenant.desk, ...(tenant.channels ?? [])]) {
      const url = local(account);
      if (url && !found.some((s) => s.url === url)) found.push({ url, account: String(account?.["name"] ?? account?.["type"]), tenant: tenant.name });
    }
  return found;
}

export function Simulators({ list }: { list: Simulator[] }) {
  return (
    <section>
      <h1>{t("simulators.title")}</h1>
      <p class="help">{t("simulators.help")}</p>
      <ul>
        {list.map((s) => (
          <li key={s.url}>
            <a href={s.url} target="_blank" rel="noopener noreferrer">
              {s.account} · {s.tenant}
            </a>{" "}
            <code>{s.url}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
