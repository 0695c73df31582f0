// Fault switches: each is one rule of POST /sim/faults (sim/faults.h).
import { api, el } from "../common/dom";

const sending = ["/v2/bot/message/push", "/v2/bot/message/reply"];
const rules: { id: string; label: string; rule: Record<string, unknown> }[] = [
  { id: "429", label: "429 to every message, Retry-After 2 s", rule: { paths: sending, status: 429, retry_after_s: 2 } },
  { id: "500", label: "500 to every second message", rule: { paths: sending, status: 500, share: 0.5 } },
  { id: "token", label: "Tokens are refused with 503", rule: { paths: ["/oauth2/*", "/v2/oauth/*"], status: 503 } },
  { id: "timeout", label: "Taken, but the answer never comes", rule: { paths: sending, timeout_share: 1, timeout_ms: 15000 } },
  { id: "reset", label: "Taken, then the connection resets", rule: { paths: sending, reset_after_share: 1 } },
  { id: "slow", label: "Slow answers (800 ms)", rule: { slow_ms: 800 } },
  { id: "down", label: "Out of service", rule: { down: true } },
  { id: "duplicate", label: "Webhooks twice", rule: { duplicate_share: 1 } },
  { id: "reorder", label: "Webhooks out of order", rule: { reorder_share: 0.5 } },
  { id: "signature", label: "Wrong signatures", rule: { bad_signature_share: 1 } },
];

export function faultPanel(form: HTMLFormElement): void {
  const boxes = rules.map(({ id, label }) => {
    const box = el("input", { type: "checkbox", name: id, "data-testid": `faults-${id}` });
    form.append(el("label", {}, box, label));
    return box;
  });
  form.addEventListener("change", () => {
    const chosen = rules.filter((_, i) => boxes[i]?.checked).map((r) => r.rule);
    void api("POST", "/sim/faults", { rules: chosen });
  });
}
