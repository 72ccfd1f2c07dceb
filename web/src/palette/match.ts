/**
 * How well a text meets what was typed; undefined if it does not. Lower is better: equal, then a beginning, a beginning of a word, a part, and last the
 * letters in order with others between them.
 */
export function distanceOf(text: string, typed: string): number | undefined {
  const [own, wanted] = [text.toLowerCase(), typed.toLowerCase()];
  if (own === wanted) return text === typed ? 0 : 0.5;
  const at = own.indexOf(wanted);
  if (at === 0) return 1;
  if (at > 0) return /[\p{L}\p{N}]/u.test(own[at - 1] ?? "") ? 3 : 2;
  let from = -1;
  let gaps = 0;
  for (const letter of wanted) {
    const next = own.indexOf(letter, from + 1);
    if (next < 0) return undefined;
    if (from >= 0) gaps += next - from - 1;
    from = next;
  }
  return 4 + gaps / (gaps + own.length);
}

/** The items that best meet what was typed, at most `most`; in their own order where they meet it equally. */
export function bestOf<Item>(items: readonly Item[], typed: string, textsOf: (item: Item) => readonly string[], most: number): Item[] {
  if (typed === "") return items.slice(0, most);
  const met = items.flatMap((item) => {
    const distances = textsOf(item).flatMap((text) => distanceOf(text, typed) ?? []);
    return distances.length > 0 ? [{ item, distance: Math.min(...distances) }] : [];
  });
  return met
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ item }) => item);
}
