/** A token that can be followed. */
export interface TokenOption {
  readonly row: number;
  readonly id: number | undefined;
  readonly name: string;
  readonly isDead: boolean;
}

/** The tokens of a history. */
export interface SearchedTokens {
  readonly tokens: number;
  /** The token of each row; null when row i is token i, undefined when unknown. */
  readonly ids?: readonly number[] | null;
  readonly texts: readonly (string | null)[];
  /** Rows of tokens that are not in the training text. */
  readonly dead: readonly number[];
}

/** Words for characters that nobody can type into a field. */
const words: Readonly<Record<string, string>> = { space: " ", newline: "\n", tab: "\t", return: "\r" };
/** Options in the list at a time. */
const mostOptions = 50;

/**
 * Tokens by text, name or id; `dead` lists the dead ones.
 *
 * @returns the best matches first, at most 50, and the number of all matches.
 */
export function findTokens(
  typed: string,
  { tokens, ids, texts, dead }: SearchedTokens,
  nameOf: (row: number) => string,
): { readonly options: TokenOption[]; readonly matches: number } {
  const wanted = typed.trim();
  const lower = wanted.toLowerCase();
  const number = /^#?\d+$/.test(wanted) ? Number(wanted.replace("#", "")) : undefined;
  const word = Object.hasOwn(words, lower) ? words[lower] : undefined;
  const deadRows = new Set(dead);
  const idOf = (row: number) => (ids === null ? row : ids?.[row]);
  const rank = (row: number): number | undefined => {
    const id = idOf(row);
    const name = nameOf(row).toLowerCase();
    if (typed !== "" && (texts[row] === typed || (wanted !== "" && texts[row] === wanted) || (word !== undefined && texts[row] === word))) return 0;
    if (number !== undefined && number === id) return 1;
    if (wanted === "" || name === lower) return 2;
    if (name.startsWith(lower)) return 3;
    if (name.includes(lower) || (number !== undefined && id !== undefined && String(id).startsWith(String(number)))) return 4;
    return lower === "dead" && deadRows.has(row) ? 5 : undefined;
  };
  const found: { row: number; rank: number }[] = [];
  for (let row = 0; row < tokens; row++) {
    const at = rank(row);
    if (at !== undefined) found.push({ row, rank: at });
  }
  found.sort((a, b) => a.rank - b.rank || a.row - b.row);
  const options = found.slice(0, mostOptions).map(({ row }) => ({ row, id: idOf(row), name: nameOf(row), isDead: deadRows.has(row) }));
  return { options, matches: found.length };
}
