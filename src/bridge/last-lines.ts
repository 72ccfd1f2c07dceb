/** The last lines of a program's output, without the characters that would steer a terminal. */
export function lastLines(text: string, count: number): string[] {
  const printable = text.replace(/[^\P{Cc}\n]/gu, "");
  return printable.trim().split("\n").slice(-count);
}
