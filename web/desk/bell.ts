// bell.ts - what calls an agent who looks elsewhere: two tones, and a mark before the page's title.
const quietKey = "dragoman-desk-quiet";
let quiet = false;
try {
  quiet = localStorage.getItem(quietKey) !== null;
} catch {
  quiet = false; // no storage: it holds until the page goes
}
export function isQuiet(): boolean {
  return quiet;
}
export function setQuiet(yes: boolean): void {
  quiet = yes;
  try {
    if (yes) localStorage.setItem(quietKey, "1");
    else localStorage.removeItem(quietKey);
  } catch {
    // as above
  }
}

/** Browsers allow it once something was pressed in the page. */
export function ring(tones: number[]): void {
  if (quiet) return;
  try {
    const audio = new AudioContext();
    tones.forEach((hz, i) => {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const at = audio.currentTime + i * 0.14;
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0.08, at);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.13);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.14);
    });
    setTimeout(() => void audio.close(), 200 + tones.length * 140);
  } catch {
    // a browser without sound
  }
}
export const said = [660, 880];
export const calls = [880, 660, 880, 660];
