import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { joinTraining } from "../../../src/python/launcher.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const nodes = { count: 2, rank: 1, host: "node1", port: 29500, id: "a" };

/** In the place of a Python: writes down what it was started with, and ends so. */
function interpreter(end: string): { path: string; said: () => string } {
  const folder = temporaryDirectory();
  const path = join(folder, "python");
  writeFileSync(path, `#!/bin/sh\necho "$*|$BH_BRIDGE_NODES|$PYTHONPATH" > '${folder}/said'\n${end}\n`);
  chmodSync(path, 0o755);
  return { path, said: () => readFileSync(join(folder, "said"), "utf8") };
}

test("another machine's Python is told where the first one waits, and finds the sources", async () => {
  const { path, said } = interpreter("exit 0");
  await joinTraining(path, nodes);
  expect(said()).toMatch(/^-m bh_bridge\.ranks\.node 1\|\{"count":2,"host":"node1","port":29500,"id":"a"\}\|.*\/python(:|\n)/);
});

test("one that ends early is told with where it was, and one that is stopped as well", async () => {
  await expect(joinTraining(interpreter("exit 1").path, nodes)).rejects.toMatchObject({
    code: "PEER_EXITED",
    message: expect.stringContaining("machine 1 of 2 has left the training of node1:29500 (exit code 1)"),
  });
  const stop = new AbortController();
  const joined = joinTraining(interpreter("exec sleep 60").path, nodes, stop.signal);
  setTimeout(() => stop.abort(), 300);
  await expect(joined).rejects.toMatchObject({ code: "ABORTED" });
});
