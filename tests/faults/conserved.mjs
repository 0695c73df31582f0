// conserved.mjs - what must hold after every fault, and how it is told.
export function figures({moments, acknowledged, lost, doubled, unknown, agent, ...rest}) {
  const told = [moments === undefined ? '' : `moments tried ${moments}`, acknowledged === undefined ? '' : `texts acknowledged ${acknowledged}`,
    lost === undefined ? '' : `lost ${lost}`, doubled === undefined ? '' : `doubled ${doubled}`, unknown === undefined ? '' : `marked unknown ${unknown}`,
    agent === undefined ? '' : `agents' texts taken ${agent.taken}, missing ${agent.lost}, doubled ${agent.doubled}`].filter(x => x);
  return `${told.join(', ')} ${JSON.stringify(rest)}`;
}

export function conserved(found) {
  if (found.acknowledged < 50) return 'there was hardly any traffic';
  if (found.lost) return `${found.lost} acknowledged texts are lost`;
  if (found.doubled) return `${found.doubled} texts are doubled`;
  if (found.unordered) return `${found.unordered} texts are out of order`;
  if (found.agent.doubled) return `${found.agent.doubled} agents' texts are doubled`;
  if (found.agent.lost > found.unknown) return `${found.agent.lost} agents' texts did not arrive, only ${found.unknown} are marked unknown`;
  return undefined;
}
