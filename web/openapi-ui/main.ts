// The REST API, to be read and tried: swagger-ui over /api/v1/openapi, served by the hub itself.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-bundle.js";

interface Spec {
  servers?: { url: string; description?: string }[];
}

async function show(): Promise<void> {
  const answer = await fetch("/api/v1/openapi");
  const spec = (await answer.json()) as Spec;
  // api_root is how the world reaches the hub. A page that was opened under another name may talk to where it came from only.
  const servers = spec.servers ?? [];
  if (!servers.some((s) => new URL(s.url).origin === location.origin))
    spec.servers = [{ url: new URL("/api/v1", location.href).href, description: "where this page is from" }, ...servers];
  SwaggerUIBundle({ spec, domNode: document.getElementById("ui"), deepLinking: true, validatorUrl: null, persistAuthorization: false });
}

show().catch((error: unknown) => {
  const ui = document.getElementById("ui");
  if (ui) ui.textContent = `The API document cannot be read: ${String(error)}`;
});
