// audit.tsx - who changed what, the newest first.
import { get, query } from "./api";
import { t, time, word } from "./i18n";
import type { AuditRow, Page } from "./types";
import { Loading, Pager, Table, useLoad, usePages } from "./ui";

export function Audit() {
  const pages = usePages();
  const rows = useLoad(`audit ${pages.after}`, () => get<Page<AuditRow>>("/audit" + query({ limit: 50, after: pages.after })));
  return (
    <section>
      <h1>{t("audit.title")}</h1>
      <Loading of={rows}>
        {(page) =>
          page.items.length ? (
            <>
              <Table
                label={t("audit.title")}
                heads={[
                  t("audit.at"),
                  t("audit.by"),
                  t("audit.action"),
                  t("audit.target"),
                  t("audit.detail"),
                ]}
              >
                {page.items.map((r, i) => (
                  <tr key={i}>
                    <td>{time(r.at)}</td>
                    <td>
                      {r.by} <span class="help">{r.address}</span>
                    </td>
                    <td>{word("action", r.action)}</td>
                    <td>{r.target}</td>
                    <td>{r.detail !== undefined && r.detail !== null && <code>{JSON.stringify(r.detail)}</code>}</td>
                  </tr>
                ))}
              </Table>
              <Pager pages={pages} next={page.next} />
            </>
          ) : (
            <p data-testid="empty">{t("audit.none")}</p>
          )
        }
      </Loading>
    </section>
  );
}
