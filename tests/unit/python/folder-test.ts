import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "vitest";

/** A test with an empty folder of its own, gone afterwards. */
export const folderTest = test.extend<{ folder: string }>({
  folder: async ({ task }, use) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), `bh-bridge-${task.id}-`)));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
});

/** Write an executable shell script; return its path. */
export function writeScript(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}
