// What a page shows, read anew as it changes.

/** Reads and shows it all: one reading at a time, so that an older answer never takes the place of a newer one, and once more for all who asked meanwhile. */
export function reader(read: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined; // has not begun yet: it will show all that happened before
  return () => next ??= last = last.catch(() => undefined).then(() => {
    next = undefined;
    return read();
  });
}

/** What happens at a simulator; all is read anew at each of these events, and whenever the page is connected, because nobody tells it what it missed. */
export function follow(refresh: () => Promise<void>, names: string[]): EventSource {
  const events = new EventSource("/sim/events");
  for (const name of ["hello", ...names]) events.addEventListener(name, () => void refresh());
  return events;
}
