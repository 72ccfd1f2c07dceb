import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allFacts, differences, tellingFacts } from "../../../src/compare/run-facts.js";
import { openRun } from "../../../src/runner/open-run.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { pin } from "../runs/environment-pin.js";
import { writeRun } from "../serve/written-run.js";

const folder = temporaryDirectory();
const [one, other] = await Promise.all(["one", "other"].map((id) => openRun(writeRun({ folder, id, name: id }))));
if (!one || !other) throw new Error("there are two");

test("names, paths, times and the kernel are not telling: two runs of one configuration have equal facts", () => {
  const moved = {
    directory: other.directory,
    config: { ...other.config, python: "/venv/bin/python", data: { ...other.config.data, corpus: "/moved.txt" } },
    manifest: {
      ...other.manifest,
      corpus: { ...other.manifest.corpus, path: "/moved.txt" },
      environment: { ...pin, platform: pin.platform.replace("6.1.0-18-amd64", "6.9.9") },
    },
  };
  expect(tellingFacts(moved)).toEqual(tellingFacts(one));
});

test("what computes something is telling", () => {
  const facts = (manifest: object, config: object = {}) =>
    tellingFacts({ ...one, config: { ...one.config, ...config }, manifest: { ...one.manifest, ...manifest } });
  const own = tellingFacts(one);
  expect(facts({}, { seed: 9 }).config).not.toEqual(own.config);
  expect(facts({ corpus: { ...one.manifest.corpus, sha256: "1".repeat(64) } }).data).not.toEqual(own.data);
  expect(facts({ environment: { ...pin, threads: 2 } }).environment).not.toEqual(own.environment);
  expect(facts({ package_version: "9.9.9" }).code).not.toEqual(own.code);
});

test("code is told by checksums of what lies beside the run, and by the name of the checkpoint that it began with", () => {
  const run = writeRun({ folder, id: "coded" });
  writeFileSync(join(run, "repository.patch"), "+ a line");
  const git = { commit: "c".repeat(40), dirty: true, branch: "main", untracked: ["a"], patch: "repository.patch", patch_truncated: false };
  const { code } = tellingFacts({ directory: run, config: one.config, manifest: { ...one.manifest, git, start_from: "/somewhere/checkpoint-30" } });
  expect(code).toMatchObject({
    commit: "c".repeat(40),
    dirty: true,
    patch_sha256: createHash("sha256").update("+ a line").digest("hex"),
    callbacks_sha256: null,
    start_from: "checkpoint-30",
  });
});

test("all facts have names, paths, times and the packages of both sides as well", () => {
  writeFileSync(join(one.directory, "environment.node.json"), '{"packages": {"zod": "4.6.0"}}');
  expect(allFacts(one)).toMatchObject({
    config: { name: "one" },
    data: { path: "/text.txt" },
    environment: { platform: pin.platform, node_side: { packages: { zod: "4.6.0" } }, python_side: null },
    code: { name: "one", preset: "quick", created: one.manifest.created, ended: one.manifest.ended, branch: null, untracked: null },
  });
});

test("every value in which objects differ has its path, and null where it is absent", () => {
  const [a, b, c] = [
    { seed: 42, record: { every: 1, rows: [1, 2] } },
    { seed: 7, record: { every: 1, rows: [1, 3] } },
    { seed: 42, record: { every: 1 }, name: "c" },
  ];
  expect(differences([a, b, c])).toEqual([
    { path: "seed", values: [42, 7, 42] },
    { path: "record.rows", values: [[1, 2], [1, 3], null] },
    { path: "name", values: [null, null, "c"] },
  ]);
});

test("equal objects do not differ", () => {
  expect(differences([{ a: { b: [1] } }, { a: { b: [1] } }])).toEqual([]);
});
