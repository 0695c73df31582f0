// The line to write in below a chat (composer.html): a text, the sample picture, a file of this computer.
export interface Chosen { base64: string; contentType: string; name: string; picture: boolean }

const of = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

export function composer(longest: number, text: (text: string) => void, sample: () => void, file: (file: Chosen) => void): void {
  const input = of<HTMLInputElement>("message-input"), chooser = of<HTMLInputElement>("file");
  input.maxLength = longest;
  of("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    if (input.value) text(input.value);
    input.value = "";
  });
  of("sample").addEventListener("click", sample);
  of("file-button").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    const chosen = chooser.files?.[0];
    if (!chosen) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const base64 = String(reader.result).split(",")[1] ?? "";
      file({ base64, contentType: chosen.type || "application/octet-stream", name: chosen.name, picture: chosen.type.startsWith("image/") });
    });
    reader.readAsDataURL(chosen);
  });
}
