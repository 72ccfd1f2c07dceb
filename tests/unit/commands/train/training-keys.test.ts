import { expect, test, vi } from "vitest";
import type { PageBeside } from "../../../../src/commands/serve/page-beside.js";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { trainingKeys } from "../../../../src/commands/train/training-keys.js";
import { BhBridgeError } from "../../../../src/errors.js";
import { hearStderr } from "../hear-stderr.js";

const said = hearStderr();

function keys(open: () => Promise<void> = async () => undefined) {
  const requestCheckpoint = vi.fn();
  return { requestCheckpoint, actions: trainingKeys(new Terminal({ color: false }), { requestCheckpoint }, { open } as PageBeside) };
}

test("the help names every key that there is", () => {
  const { actions } = keys();
  actions["h"]?.();
  for (const key of Object.keys(actions)) expect(said.text).toMatch(new RegExp(`[ ,]${key} `));
});

test("s asks for a checkpoint, and says so", () => {
  const { actions, requestCheckpoint } = keys();
  actions["s"]?.();
  expect(requestCheckpoint).toHaveBeenCalledOnce();
  expect(said.text).toBe("Saving a checkpoint after this step\n");
});

test("q stops as Ctrl-C does", () => {
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  keys().actions["q"]?.();
  expect(kill).toHaveBeenCalledWith(process.pid, "SIGINT");
});

test("a page that cannot be served does not end the training", async () => {
  keys(() => Promise.reject(new BhBridgeError("IO_FAILED", "no port is free"))).actions["o"]?.();
  await expect.poll(() => said.text).toBe("The page cannot be served: no port is free\n");
});
