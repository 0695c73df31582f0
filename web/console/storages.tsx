// storages.tsx - where attachments live.
import { get } from "./api";
import { t, word } from "./i18n";
import type { Storage } from "./types";
import { Badge, Loading, useLoad } from "./ui";

export function Storages() {
  const storages = useLoad("storages", async () => (await get<{ items: Storage[] }>("/storages")).items);
  return (
    <section>
      <h1>{t("storages.title")}</h1>
      <p class="help">{t("storages.help")}</p>
      <Loading of={storages}>
        {(list) => (
          <table>
            <thead>
              <tr>
                <th scope="col">{t("name")}</th>
                <th scope="col">{t("storages.type")}</th>
                <th scope="col">{t("storages.use")}</th>
              </tr>
            </thead>
            <tbody>
              {list.map((s) => (
                <tr key={s.name}>
                  <th scope="row">{s.name}</th>
                  <td>{word("storage", s.type)}</td>
                  <td>{s.default && <Badge kind="good">{t("storages.default")}</Badge>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loading>
    </section>
  );
}
