import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { diffRunConfigs } from "../../../src/config/config-hash.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-code-"));
afterAll(() => rmSync(folder, { recursive: true }));
const source = "class Net: ...\n";
writeFileSync(join(folder, "net.py"), source);
const sha256 = createHash("sha256").update(source).digest("hex");

/** A configuration file in a folder below, with code beside it. */
function configFile(name: string, code: string): string {
  mkdirSync(join(folder, name), { recursive: true });
  const file = join(folder, name, "own.json");
  const own = { code, function: "f" };
  writeFileSync(
    file,
    JSON.stringify({
      model: { type: "python", code, class: "Net", fields: { vocab_size: 64 } },
      init: { kind: "python", ...own },
      training: { compute_loss_func: own },
      data: { window_length: 8 },
    }),
  );
  return file;
}

test("code is read with the configuration, from a path that starts at its file", async () => {
  const { config, hash } = await resolveRunConfig({ file: configFile("a", "../net.py"), cwd: "/" });
  const code = { path: join(folder, "net.py"), sha256, source };
  expect(config.model).toMatchObject({ code, class: "Net", vocab_size: 64, embedding: null });
  expect([config.init, config.training.compute_loss_func]).toEqual([
    { kind: "python", code, function: "f" },
    { code, function: "f" },
  ]);
  expect(parseRunConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  copyFileSync(join(folder, "net.py"), join(folder, "a", "other.py"));
  expect((await resolveRunConfig({ file: configFile("a", "other.py"), cwd: "/" })).hash, "the path does not count").toBe(hash);
  writeFileSync(join(folder, "a", "other.py"), `${source}# changed\n`);
  const changed = await resolveRunConfig({ file: configFile("a", "other.py"), cwd: "/" });
  expect(changed.hash, "the content does").not.toBe(hash);
  expect(diffRunConfigs(config, changed.config).map(({ path }) => path)).not.toContain("model.code.source");
});

test("code that was read stays as it was read, and a checksum is compared", () => {
  const model = (code: unknown) => ({ model: { type: "python", code, class: "Net", vocab_size: 64 }, data: { window_length: 8 } });
  const gone = { path: "/gone/net.py", sha256, source };
  expect(parseRunConfig(model(gone)).model).toMatchObject({ code: gone });
  const path = join(folder, "net.py");
  expect(parseRunConfig(model({ path, sha256 })).model).toMatchObject({ code: { path, sha256, source } });
  expect(() => parseRunConfig(model({ path, sha256: "0".repeat(64) }))).toThrow(`model.code: ${path} has changed: its SHA-256 is ${sha256}`);
});

test.each([
  ["none.py", "there is no such file"],
  [".", "it is a folder"],
  ["weights.py", "is not UTF-8, as Python source is"],
])("%s is no code, which is reported with all other problems", async (name, reason) => {
  writeFileSync(join(folder, "weights.py"), Buffer.from([0x80, 0x02, 0xff]));
  const set = ["model.type=python", `model.code=${name}`, "model.class=Net", "model.vocab_size=64", "data.window_length=8", "training.learning_rate=-1"];
  await expect(resolveRunConfig({ set, cwd: folder })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [expect.objectContaining({ path: "training.learning_rate" }), { path: "model.code", message: expect.stringContaining(reason), source: "--set" }],
  });
});

test("the source of code is that of its path, and a length that nothing names is missing", async () => {
  const set = ["model.type=python", "model.code=net.py", "model.class=Net", "model.vocab_size=64"];
  const { sources } = await resolveRunConfig({ set: [...set, "data.window_length=8"], cwd: folder });
  expect([sources.get("model.code.sha256"), sources.get("model.norm"), sources.has("model.code.source")]).toEqual(["--set", "default", false]);
  const message = "is missing: the model's configuration has no number of positions. Set it, for example to 128";
  const issues = [{ path: "data.window_length", message, source: "default" }];
  await expect(resolveRunConfig({ input: { model: { type: "python", code: "net.py", class: "Net", vocab_size: 64 } }, cwd: folder })).rejects.toMatchObject({
    issues,
  });
});
