const named: Readonly<Record<string, string>> = { " ": "␣", "\n": "⏎", "\t": "⇥" };

/** A token as a figure names it: its sign, or its number where it has none that can be seen. @param text how it is written, where that is known */
export function shownToken(token: number, text: string | null | undefined): string {
  if (text === null || text === undefined) return String(token);
  const sign = named[text] ?? text;
  if (/^\d+$/.test(sign)) return `'${sign}'`;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(sign) ? sign : String(token);
}
