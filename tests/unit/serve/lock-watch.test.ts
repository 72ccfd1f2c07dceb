import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchLocks } from "../../../src/serve/lock-watch.js";

let run: string;
const asked: (readonly string[])[] = [];
/** Who has the lock, as the kernel would say. */
let holder: number | undefined;
const locks = () =>
  watchLocks(async (directories) => {
    asked.push(directories);
    return new Map(holder === undefined ? [] : directories.map((directory) => [directory, holder ?? 0]));
  });

beforeEach(() => {
  run = join(mkdtempSync(join(tmpdir(), "bh-bridge-locks-")), "run");
  mkdirSync(run);
  writeFileSync(join(run, "run.json"), "{}");
  writeFileSync(join(run, "events.jsonl"), "");
  asked.length = 0;
  holder = undefined;
});

afterEach(() => rmSync(join(run, ".."), { recursive: true }));

test("a run whose files stay as they are is asked for once", async () => {
  const watch = locks();
  for (let at = 0; at < 3; at++) expect(await watch([run])).toEqual(new Map());
  expect(asked).toEqual([[run]]);
});

test("a run whose log grows is asked for again, and one that is held is not while its process lives", async () => {
  const watch = locks();
  await watch([run]);
  holder = process.pid;
  appendFileSync(join(run, "events.jsonl"), "{}\n");
  expect(await watch([run])).toEqual(new Map([[run, process.pid]]));
  appendFileSync(join(run, "events.jsonl"), "{}\n");
  await watch([run]);
  expect(asked.length).toBe(2);
});

test("a run that notes another state is asked for again, though its process lives on", async () => {
  const watch = locks();
  holder = process.pid;
  await watch([run]);
  holder = undefined;
  writeFileSync(join(run, "run.json"), '{"status":"completed"}');
  expect(await watch([run])).toEqual(new Map());
});

test("a run whose process is gone is asked for again", async () => {
  const watch = locks();
  holder = 2 ** 22 + 1; // larger than any process number of Linux
  await watch([run]);
  holder = undefined;
  expect(await watch([run])).toEqual(new Map());
});
