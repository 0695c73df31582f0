// qr.tsx - a QR code as one path of a drawing.
import { encode } from "uqr";

const quiet = 4; // modules of margin that readers need

export function QrCode({ text, title }: { text: string; title: string }) {
  const { data, size } = encode(text, { border: quiet, ecc: "M" });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={title} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
