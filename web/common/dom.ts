// The little that the page needs of the document and of the network.
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function put(into: Element, what: Node | string): void {
  into.replaceChildren(what);
}

export function testid<T extends HTMLElement>(node: T, id: string): T {
  node.dataset["testid"] = id;
  return node;
}

export function when(iso: string): string {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  return today ? at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : at.toLocaleDateString();
}

export async function api(method: string, path: string, body?: unknown): Promise<unknown> {
  const init: RequestInit = { method };
  if (body instanceof Blob) {
    init.body = body;
    init.headers = { "Content-Type": body.type || "application/octet-stream" };
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const answer = await fetch(path, init);
  const json: unknown = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error((json as { message?: string }).message ?? `The simulator answered ${answer.status}.`);
  return json;
}
