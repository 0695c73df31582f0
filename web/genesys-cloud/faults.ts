// Fault switches: each is one rule of POST /sim/faults (sim/faults.h).
import { api, el, testid } from "../common/dom";

const inbound = ["/api/v2/conversations/messages/*"];
const rules: { id: string; label: string; rule: Record<string, unknown> }[] = [
  { id: "429", label: "429 with Retry-After 2 s", rule: { paths: inbound, status: 429, retry_after_s: 2 } },
  { id: "503", label: "503 to every second call", rule: { paths: inbound, status: 503, share: 0.5 } },
  { id: "login", label: "Log in fails with 503", rule: { paths: ["/oauth/token"], status: 503 } },
  { id: "timeout", label: "Taken, but the answer never comes", rule: { paths: inbound, timeout_share: 1, timeout_ms: 15000 } },
  { id: "reset", label: "Taken, then the connection resets", rule: { paths: inbound, reset_after_share: 1 } },
  { id: "slow", label: "Slow answers (800 ms)", rule: { slow_ms: 800 } },
  { id: "down", label: "Out of service", rule: { down: true } },
  { id: "duplicate", label: "Webhooks twice", rule: { duplicate_share: 1 } },
  { id: "reorder", label: "Webhooks out of order", rule: { reorder_share: 0.5 } },
  { id: "signature", label: "Wrong signatures", rule: { bad_signature_share: 1 } },
];

export function faultPanel(form: HTMLFormElement): void {
  const boxes = rules.map(({ id, label }) => {
    const box = testid(el("input", { type: "checkbox", name: id }), `fault-${id}`);
    form.append(el("label", {}, box, label));
    return box;
  });
  form.addEventListener("change", () => {
    const chosen = rules.filter((_, i) => boxes[i]?.checked).map((r) => r.rule);
    void api("POST", "/sim/faults", { rules: chosen });
  });
}
