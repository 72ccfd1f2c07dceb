import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PageBeside } from "../../../../src/commands/serve/page-beside.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { trainingKeys } from "../../../../src/commands/train/training-keys.js";
import { BhBridgeError } from "../../../../src/errors.js";

let said = "";
beforeEach(() => {
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

function keys(open: () => Promise<void> = async () => undefined) {
  const requestCheckpoint = vi.fn();
  return { requestCheckpoint, actions: trainingKeys(new Terminal({ color: false }), { requestCheckpoint }, { open } as PageBeside) };
}

test("the help names every key that there is", () => {
  const { actions } = keys();
  actions["h"]?.();
  for (const key of Object.keys(actions)) expect(said).toMatch(new RegExp(`[ ,]${key} `));
});

test("s asks for a checkpoint, and says so", () => {
  const { actions, requestCheckpoint } = keys();
  actions["s"]?.();
  expect(requestCheckpoint).toHaveBeenCalledOnce();
  expect(said).toBe("Saving a checkpoint after this step\n");
});

test("q stops as Ctrl-C does", () => {
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  keys().actions["q"]?.();
  expect(kill).toHaveBeenCalledWith(process.pid, "SIGINT");
});

test("a page that cannot be served does not end the training", async () => {
  keys(() => Promise.reject(new BhBridgeError("IO_FAILED", "no port is free"))).actions["o"]?.();
  await expect.poll(() => said).toBe("The page cannot be served: no port is free\n");
});
