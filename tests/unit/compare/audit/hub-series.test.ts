import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { audit } from "../../../../src/compare/audit/audit.js";
import { printedBy, temporaryDirectory } from "../../formats/reference-python.js";
import { serveHub, stored } from "./hub-server.js";

const directory = temporaryDirectory();
type Files = Record<string, ReturnType<typeof stored>>;
let seeds: Record<"seed1" | "seed2", Record<string, Files>>;

const filesIn = (checkpoint: string): Files => Object.fromEntries(readdirSync(checkpoint).map((name) => [name, stored(readFileSync(join(checkpoint, name)))]));
const revisionsOf = (seed: string) => Object.fromEntries(readdirSync(join(directory, seed)).map((step) => [step, filesIn(join(directory, seed, step))]));

beforeAll(async () => {
  await printedBy(readFileSync("tests/unit/compare/audit/make_series.py", "utf8"), ["seeds", directory]);
  seeds = { seed1: revisionsOf("seed1"), seed2: revisionsOf("seed2") };
});

/** Findings without the address. */
const summary = async (...args: Parameters<typeof audit>) =>
  (await audit(...args)).findings.map(({ kind, checkpoints }) => `${kind}: ${checkpoints.map((name) => name.replace(/^.*@/, "")).join(" ")}`);

test("a clean series has no finding, and branches without a step are not part of it", async () => {
  await using server = await serveHub({ main: seeds.seed1["step150"] ?? {}, ...seeds.seed1 });
  const { findings, series, notes } = await audit(server.address);
  expect([findings, notes]).toEqual([[], []]);
  expect(series[0]?.checkpoints.map(({ step }) => step)).toEqual([0, 1, 2, 4, 8, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150]);
  expect(server.requests.every(({ method }) => method === "GET")).toBe(true);
});

test.each([{}, { isSilent: true }])("the four faults of a public series are found, on a server with %o", async (habits) => {
  const { seed1, seed2 } = seeds;
  const first = "model-00001-of-00002.safetensors";
  const final = Object.fromEntries(["step8", "step20", "step30"].map((step) => [step, seed1["step150"] ?? {}]));
  await using repeated = await serveHub({ ...seed1, ...final }, habits);
  expect(await summary(repeated.address, { revisions: "step*" })).toEqual(["duplicate: step8 step20 step30 step150"]);
  const shard = (step: string, by: Files | undefined) => ({ [step]: { ...seed1[step], [first]: by?.[first] ?? stored(new Uint8Array()) } });
  await using shards = await serveHub({ ...seed1, ...shard("step60", seed1["step130"]), ...shard("step100", seed2["step100"]) }, habits);
  expect(await summary(shards.address)).toEqual(["wrong-shard: step60 step130", "wrong-shard: step100"]);
  await using start = await serveHub({ ...seed1, step0: seed2["step0"] ?? {} }, habits);
  expect(await summary(start.address)).toEqual(["not-descended: step0 step1"]);
  await using one = await serveHub(seed1, habits);
  await using other = await serveHub({ ...seed2, step0: seed1["step0"] ?? {}, step1: seed1["step1"] ?? {} }, habits);
  expect(await summary([one.address, other.address])).toEqual(["not-descended: step0 step1 step2", "shared: step0 step1 step0 step1"]);
});

test("missing and truncated files are findings", async () => {
  const { "model-00002-of-00002.safetensors": second = stored(new Uint8Array()), ...rest } = seeds.seed1["step20"] ?? {};
  const cut = { ...rest, "model-00002-of-00002.safetensors": { ...second, size: second.size - 100 } };
  await using server = await serveHub({
    ...seeds.seed1,
    step10: rest,
    step20: cut,
    step30: {},
    step40: { ...rest, "model-00002-of-00002.safetensors": stored(new Uint8Array()) },
  });
  expect((await summary(server.address)).sort()).toEqual(["damaged: step20", "damaged: step40", "missing: step10", "missing: step30"]);
});

/** Float16 weights like those of a model with 160 million parameters; their values follow from position and step. */
function largeFile(step: number): ReturnType<typeof stored> {
  const header: Record<string, unknown> = {};
  let end = 0;
  const add = (name: string, ...shape: number[]) => {
    const bytes = 2 * shape.reduce((product, length) => product * length, 1);
    header[name] = { dtype: "F16", shape, data_offsets: [end, end + bytes] };
    end += bytes;
  };
  add("gpt_neox.embed_in.weight", 50_304, 768);
  add("embed_out.weight", 50_304, 768);
  for (let layer = 0; layer < 12; layer++) {
    for (const [name, ...shape] of [
      ["attention.query_key_value", 2304, 768],
      ["attention.dense", 768, 768],
      ["mlp.dense_h_to_4h", 3072, 768],
      ["mlp.dense_4h_to_h", 768, 3072],
    ] as const) {
      add(`gpt_neox.layers.${layer}.${name}.weight`, ...shape);
      add(`gpt_neox.layers.${layer}.${name}.bias`, shape[0]);
    }
    for (const name of ["input_layernorm", "post_attention_layernorm"])
      for (const part of ["weight", "bias"]) add(`gpt_neox.layers.${layer}.${name}.${part}`, 768);
  }
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8 + text.length);
  head.writeBigUInt64LE(BigInt(text.length));
  text.copy(head, 8);
  const noise = (index: number, salt: number) => ((Math.imul((index ^ (salt * 0x9e3779b9)) >>> 0, 0x85ebca6b) >>> 13) ^ Math.imul(index, 0xc2b2ae35)) & 0x3ff;
  return {
    size: head.length + end,
    hash: step.toString(16).padStart(64, "0"),
    bytes(first, last) {
      if (last <= head.length) return head.subarray(first, last);
      const words = Uint16Array.from({ length: (last - first) / 2 }, (_, word) => {
        const index = (first - head.length) / 2 + word;
        return 0x2000 | ((noise(index, 1) + step * (noise(index, 2) & 15)) & 0x3ff) | (noise(index, 3) & 1 ? 0x8000 : 0); // drifts by up to 15 ULP per step
      });
      return new Uint8Array(words.buffer);
    },
  };
}

test("less than 1 % of the bytes of a model with 160 million parameters is read", async () => {
  const revisions = Object.fromEntries(Array.from({ length: 20 }, (_, step) => [`step${step}`, { "model.safetensors": largeFile(step) }]));
  await using server = await serveHub(revisions);
  const { findings, bytes, bytesRead, series } = await audit(server.address);
  expect(findings).toEqual([]);
  expect(bytes).toBeGreaterThan(20 * 300e6);
  expect(bytesRead).toBe(server.sent());
  expect(bytesRead / bytes).toBeLessThan(0.001);
  expect(series[0]?.sampled).toEqual([
    { tensor: "gpt_neox.embed_in.weight", rows: 24, of: 50_304 },
    { tensor: "embed_out.weight", rows: 24, of: 50_304 },
  ]);
});

test("a server without ranges is an error, and its files are not downloaded", async () => {
  await using server = await serveHub({ step0: { "model.safetensors": largeFile(0) } }, { ignoresRange: true });
  await expect(audit(server.address)).rejects.toThrow(/ignores range requests: 8 bytes of .* would download 3\d\d MB/);
});

test("errors that may pass are tried again, others are reported", async () => {
  await using server = await serveHub(seeds.seed1, { faults: [503, "cut off", 429] });
  expect(await summary(server.address)).toEqual([]);
  await using broken = await serveHub(seeds.seed1, { faults: Array(4).fill(500) });
  await expect(audit(broken.address)).rejects.toMatchObject({ code: "IO_FAILED", message: expect.stringContaining("after 4 attempts: HTTP 500") });
  await using locked = await serveHub(seeds.seed1, { faults: [401] });
  await expect(audit(locked.address)).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("Set HF_TOKEN") });
});

test("the token is sent to the named host alone, and hashes of a redirect count", async () => {
  process.env["HF_TOKEN"] = "secret";
  onTestFinished(() => void delete process.env["HF_TOKEN"]);
  await using storage = await serveHub(seeds.seed1, { isSilent: true });
  await using server = await serveHub(seeds.seed1, { storage: storage.origin });
  const { series } = await audit(server.address);
  expect(series[0]?.checkpoints[0]?.hash).toMatch(/^[0-9a-f]{64},[0-9a-f]{64}$/);
  expect(server.requests.every(({ headers }) => headers.authorization === "Bearer secret")).toBe(true);
  expect(storage.requests.length).toBeGreaterThan(0);
  expect(storage.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
});

test("files of pickles are compared by their hashes, and a note says so", async () => {
  const file = (content: string) => ({ "pytorch_model.bin": stored(Buffer.from(content)) });
  await using server = await serveHub({ step0: file("a"), step10: file("b"), step20: file("c"), step30: file("b") });
  const { findings, notes } = await audit(server.address);
  expect(findings).toMatchObject([{ kind: "duplicate", checkpoints: [`${server.address}@step10`, `${server.address}@step30`] }]);
  expect(notes).toEqual(["pytorch_model.bin is compared only by the hash that its server reports, and its content is not checked"]);
});

test("wrong addresses and revisions are wrong usage", async () => {
  await expect(audit("https://huggingface.co/a/b/c")).rejects.toMatchObject({ code: "USAGE" });
  await using server = await serveHub(seeds.seed1);
  await expect(audit(server.address, { revisions: "checkpoint*" })).rejects.toThrow(/no revision of .* matches checkpoint\*; it has step0, /);
  await expect(audit(`${server.origin}/org/other`)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});
