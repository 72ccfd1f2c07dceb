import type { Command } from "commander";
import { vi } from "vitest";

/** Run a command in this process and give back what it wrote to stdout. */
export async function captureStdout(command: Command, ...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
  try {
    await command.parseAsync(args, { from: "user" });
  } finally {
    spy.mockRestore();
  }
  return written.join("");
}
