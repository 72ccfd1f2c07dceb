/** A progress bar as tqdm and pip draw it: it is no last word. */
const bar = /\d+%\||[━█]{4}/;

/** The last lines of a program's output as a terminal would show them, without the characters that would steer one, and without progress bars. */
export function lastLines(text: string, count: number): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .replace(/\r$/, "")
        .replace(/^.*\r/, "")
        .replace(/\p{Cc}/gu, ""),
    )
    .filter((line) => !bar.test(line))
    .slice(-count);
}
