import type { Command } from "commander";

/** The words of a command line; quoted text is one word. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? "");
}

/** Options of a command line that its command does not have. */
export function unknownOptions(words: readonly string[], command: Command): string[] {
  const inner = command.commands.find((each) => each.name() === words[0]);
  if (inner) return unknownOptions(words.slice(1), inner);
  return words.filter((word) => /^--[a-z]|^-[a-z]$/.test(word) && !command.options.some(({ long, short }) => word === long || word === short));
}
