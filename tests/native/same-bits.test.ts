import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

interface Result {
  name: string;
  state: "ok" | "FAILED" | "skipped";
  detail: string;
}

const script = fileURLToPath(new URL("../../scripts/portable-bits.mjs", import.meta.url));
let results: Result[];

beforeAll(async () => {
  const stdout = await new Promise<string>((resolve, reject) => {
    const options = { maxBuffer: 2 ** 24 };
    // A failed comparison ends with exit code 1 and is judged below; anything else is an error of the script.
    execFile(process.execPath, [script, "--quick", "--json"], options, (error, output) =>
      error && !output ? reject(new Error("the script failed", { cause: error })) : resolve(output),
    );
  });
  results = JSON.parse(stdout);
}, 900_000);

/** Builds whose name begins like this. Where a compiler or browser is missing the test is skipped, but never in CI. */
const kinds = [
  { kind: "gcc", means: "gcc with 1, 2 and 3 threads, and started with flush to zero" },
  { kind: "clang", means: "clang" },
  { kind: "aarch64", means: "aarch64" },
  { kind: "WebAssembly in Node", means: "WebAssembly in Node" },
  { kind: "WebAssembly in Chromium", means: "WebAssembly in Chromium" },
];
test.for(kinds)("steps of every model and hard starts have the same bits: $means", ({ kind }, context) => {
  const found = results.filter(({ name }) => name.startsWith(kind));
  expect(found.filter(({ state }) => state === "FAILED")).toEqual([]);
  if (!process.env["CI"])
    context.skip(
      found.every(({ state }) => state === "skipped"),
      found[0]?.detail,
    );
  expect(found.map(({ state }) => state)).toContain("ok");
});

test("the prebuilt libraries have the same bits", (context) => {
  const found = results.filter(({ name }) => name.startsWith("prebuilt"));
  expect(found.filter(({ state }) => state === "FAILED")).toEqual([]);
  context.skip(
    found.every(({ state }) => state === "skipped"),
    "no prebuilt libraries: they are built with zig",
  );
});

test("a build that contracts multiplications and additions is found to differ", (context) => {
  const [control] = results.filter(({ name }) => name.startsWith("negative control"));
  if (!process.env["CI"]) context.skip(control?.state === "skipped", control?.detail);
  expect(control).toMatchObject({ state: "ok", detail: expect.stringContaining("first difference") });
});
