// language_menu.tsx - the languages of the pages, in their own words; what is chosen is remembered.
import { language, languages, setLanguage, t } from "./i18n";
import type { Language } from "./i18n";

export function LanguageMenu({ changed }: { changed: () => void }) {
  return (
    <select
      class="language"
      aria-label={t("language")}
      value={language()}
      data-testid="language"
      onChange={(e) => {
        setLanguage(e.currentTarget.value as Language);
        changed();
      }}
    >
      {languages.map((l) => (
        <option key={l.code} value={l.code} lang={l.code}>
          {l.name}
        </option>
      ))}
    </select>
  );
}
