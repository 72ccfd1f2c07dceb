import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { errorDocumentSchema } from "../../src/commands/terminal/terminal-documents.js";
import { run, temporaryFolder } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const out = join(folder.path, "runs");

async function failing(...args: string[]) {
  const { exitCode, stdout, stderr } = await run(["train", ...args, "--steps", "5", "--out", out, "--json"]);
  return { exitCode, stderr, document: errorDocumentSchema.parse(JSON.parse(stdout)) };
}

const file = (name: string, content: string | Buffer) => {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
};

describe("a mistake is told in words, with its code and exit code, and leaves nothing behind", () => {
  test.each([
    { what: "an unknown field", args: ["--set", "training.learning_rat=1"], exitCode: 2, code: "CONFIG_INVALID", says: /learning_rate/ },
    { what: "an unknown preset", args: ["--preset", "rmsnorm"], exitCode: 2, code: "CONFIG_INVALID", says: /rmsnorm-11\.2a/ },
    { what: "an unknown option", args: ["--step", "3"], exitCode: 2, code: "USAGE", says: /--steps/ },
    { what: "a missing corpus", args: ["--corpus", "/nowhere/at/all.txt"], exitCode: 2, code: "CORPUS_INVALID", says: /no such file.*--corpus/ },
    { what: "an empty corpus", args: ["--corpus", file("empty.txt", "")], exitCode: 2, code: "CORPUS_INVALID", says: /is empty, but a window requires 129/ },
    { what: "a short corpus", args: ["--corpus", file("short.txt", "a".repeat(128))], exitCode: 2, code: "CORPUS_INVALID", says: /has 128 tokens/ },
    {
      what: "a corpus that is not ASCII",
      args: ["--corpus", file("latin.txt", Buffer.from("one\r\ntwo\r\ncaf\xe9", "latin1"))],
      exitCode: 2,
      code: "CORPUS_INVALID",
      says: /byte 0xe9 at offset 13, line 3 \(1 such bytes in all\).*iconv/,
    },
    {
      what: "a held-out part without a window",
      args: ["--set", "data.held_out=0.0001"],
      exitCode: 2,
      code: "CONFIG_INVALID",
      says: /data\.held_out: .*Set it from/,
    },
    { what: "a missing interpreter", args: ["--python", "/nowhere/python"], exitCode: 3, code: "PYTHON_NOT_FOUND", says: /\/nowhere\/python/ },
    { what: "an absent device", args: ["--device", "cuda:7"], exitCode: 3, code: "DEVICE_UNAVAILABLE", says: /cuda:7 is not available: PyTorch sees cpu/ },
  ])("$what", async ({ args, exitCode, code, says }) => {
    const failed = await failing(...args);
    expect(failed.document.message).toMatch(says);
    expect(failed).toMatchObject({ exitCode, document: { code } });
    expect(failed.stderr).not.toMatch(/ {4}at |Traceback/);
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  });

  test("all problems of a configuration at once", async () => {
    const { document } = await failing("--set", "training.learning_rate=fast", "--set", "training.max_stops=-1", "--set", "model.norm=batch");
    expect(document.issues.map((issue) => issue.path).sort()).toEqual(["model.norm", "training.learning_rate", "training.max_stops"]);
  });
});
