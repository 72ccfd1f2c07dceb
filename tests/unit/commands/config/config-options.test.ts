import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Command } from "commander";
import { afterAll, expect, test } from "vitest";
import { addConfigOptions, type ConfigOptionValues, loadFromOptions } from "../../../../src/commands/config/config-options.js";
import { aliases, optionOf } from "../../../../src/config/layers.js";
import { packIndexRecord } from "../../../../src/formats/index-record.js";

function parse(...args: string[]): ConfigOptionValues {
  return addConfigOptions(new Command()).exitOverride().parse(args, { from: "user" }).opts<ConfigOptionValues>();
}

test("the options are these: presets, files, single values, and one for each alias; --from stands for several", () => {
  const names = addConfigOptions(new Command()).options.map(({ long }) => long);
  expect(names).toEqual([
    "--preset",
    "--config",
    "--set",
    "--corpus",
    "--steps",
    "--lr",
    "--batch-size",
    "--device",
    "--python",
    "--seed",
    "--threads",
    "--nproc",
    "--from",
    "--engine",
    "--name",
  ]);
  expect(
    names
      .slice(3)
      .filter((name) => name !== "--from")
      .sort(),
  ).toEqual(Object.keys(aliases).map(optionOf).sort());
});

test("--set may be repeated and is stronger than an alias", async () => {
  const { config } = await loadFromOptions(parse("-p", "quick", "--steps", "5", "--set", "training.max_steps=6", "--set", "seed=7"));
  expect([config.training.max_steps, config.seed]).toEqual([6, 7]);
});

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-options-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run of three recorded states of 4 tokens and 2 dims, of the steps 0, 10 and 20. */
function makeRun(name: string, rows: "all" | number[] = "all"): string {
  const run = join(folder, name);
  mkdirSync(run);
  const data = new Uint8Array(3 * 4 * 2 * 2);
  const stepsDone = new Uint8Array(BigInt64Array.of(2n).buffer); // the index of the last state
  const header = Buffer.from(
    JSON.stringify({
      steps_done: { dtype: "I64", shape: [], data_offsets: [0, 8] },
      embedding_history: { dtype: "BF16", shape: [3, 4, 2], data_offsets: [8, 8 + data.length] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(run, "history.safetensors"), Buffer.concat([length, header, stepsDone, data]));
  const crc = crc32(data.subarray(0, 4 * 2 * 2));
  writeFileSync(join(run, "history.idx"), Buffer.concat([0, 10, 20].map((step) => packIndexRecord({ step, crc, loss: 0 }))));
  writeFileSync(join(run, "config.json"), JSON.stringify({ model: { vocab_size: 128 }, record: { rows } }));
  writeFileSync(join(run, "run.json"), JSON.stringify({ name, corpus: { deadTokens: [] } }));
  return run;
}

test("--from RUN::STEP is the embedding of a recorded step, with its sizes", async () => {
  const run = makeRun("recorded");
  const { config, sources } = await loadFromOptions(parse("--from", `${run}::10`, "--set", "data.corpus=x"));
  expect(config.init).toEqual({ kind: "file", path: run, step: 10 });
  expect(config.model).toMatchObject({ vocab_size: 4, n_embd: 2, from: null, norm: "rmsnorm" });
  expect(sources.get("init.step")).toBe("--from");
  const named = await loadFromOptions(parse("--from", "record::20"), folder);
  expect(named.config.init).toEqual({ kind: "file", path: run, step: 20 });
});

test.each([
  ["a step that was not recorded", () => `${makeRun("unrecorded")}::5`, /step 5 is not recorded .*the nearest 0 and 10/],
  ["a step that is no number", () => `${makeRun("unnumbered")}::last`, /expected the number of a recorded step after ::/],
  ["chosen rows", () => `${makeRun("chosen", [1, 2, 3, 7])}::10`, /recorded 4 of 128 rows/],
  ["a run without its final model", () => makeRun("unfinished"), /has no final model.*bh-bridge resume/],
])("--from refuses %s", async (_, from, message) => {
  await expect(loadFromOptions(parse("--from", from()))).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
});

test("no option at all is the default configuration", async () => {
  const { preset, changes } = await loadFromOptions(parse());
  expect([preset, changes]).toEqual(["rmsnorm-11.2a", []]);
});
