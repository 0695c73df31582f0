// conserved.mjs - what must hold after every fault.
export function conserved(found) {
  if (found.acknowledged < 50) return 'there was hardly any traffic';
  if (found.lost) return `${found.lost} acknowledged texts are lost`;
  if (found.doubled) return `${found.doubled} texts are doubled`;
  if (found.unordered) return `${found.unordered} texts are out of order`;
  if (found.agent.doubled) return `${found.agent.doubled} agents' texts are doubled`;
  if (found.agent.lost > found.unknown) return `${found.agent.lost} agents' texts did not arrive, only ${found.unknown} are marked unknown`;
  return undefined;
}
