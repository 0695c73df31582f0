// Fault switches of a simulator's page: each is one rule of POST /sim/faults (sim/faults.h).
import { api, el } from "./dom";

export type Rule = [id: string, label: string, rule: Record<string, unknown>];

/** What every vendor's simulator can be asked for. `sent`: what it sends, in the plural; `signed`: what proves it; `paths`: of the calls that carry messages. */
export function usualFaults(sent: string, signed: string, paths?: string[]): Rule[] {
  const calls = paths ? { paths } : {};
  return [
    ["429", "429 to every call, Retry-After 1 s", { ...calls, status: 429, retry_after_s: 1 }],
    ["500", "500 to every second call", { ...calls, status: 500, share: 0.5 }],
    ["timeout", "Taken, but the answer never comes", { ...calls, timeout_share: 1, timeout_ms: 15000 }],
    ["reset", "Taken, then the connection resets", { ...calls, reset_after_share: 1 }],
    ["slow", "Slow answers (800 ms)", { slow_ms: 800 }],
    ["down", "Out of service", { down: true }],
    ["duplicate", `${sent} twice`, { duplicate_share: 1 }],
    ["reorder", `${sent} out of order`, { reorder_share: 0.5 }],
    ["signature", `Wrong ${signed}`, { bad_signature_share: 1 }],
  ];
}

export function faultPanel(form: HTMLFormElement, rules: Rule[]): void {
  for (const [id, label] of rules) form.append(el("label", {}, el("input", { type: "checkbox", name: id, "data-testid": `faults-${id}` }), label));
  form.addEventListener("change", () => {
    const on = new FormData(form);
    void api("POST", "/sim/faults", { rules: rules.filter(([id]) => on.has(id)).map(([, , rule]) => rule) });
  });
}
