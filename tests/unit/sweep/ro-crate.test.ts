import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { exportCommand } from "../../../src/commands/export.js";
import { configHash } from "../../../src/config/config-hash.js";
import { sealRun } from "../../../src/runs/checksums.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest, writeRunManifest } from "../../../src/runs/run-manifest.js";
import { verifyRun } from "../../../src/runs/verify-run.js";
import { exportCrate } from "../../../src/sweep/ro-crate.js";
import { isFull } from "../../repetitions.js";
import { captureStdout } from "../commands/capture-stdout.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeExperiment, writeSweep } from "../serve/written-experiment.js";
import { writeRun } from "../serve/written-run.js";

type Entity = Record<string, unknown> & { "@id": string };
const out = temporaryDirectory();

/** Give a written run the hash of its configuration, and the end of a run that was stopped, which has no final model. */
function ended(run: string, status: "stopped" | "failed" = "stopped"): string {
  writeRunManifest(run, { ...readRunManifest(run), status, reason: "signal", config_hash: configHash(readRunConfig(run)) });
  sealRun(run);
  return run;
}

function endedPlan(directory: string): string {
  for (const name of readdirSync(join(directory, "runs"))) ended(join(directory, "runs", name));
  writeFileSync(join(directory, "result.json"), "{}\n");
  return directory;
}

const run = ended(writeRun({ folder: out, id: "a run", name: "first run", steps: 4 }));
const experiment = endedPlan(writeExperiment(out));
const sweep = endedPlan(writeSweep(out));
const author = { author: "Ada Lovelace <https://orcid.org/0000-0002-1825-0097>, Example University <https://example.org>", license: "CC-BY-4.0" };

function graphOf(crate: string): Map<string, Entity> {
  const { "@graph": entities } = JSON.parse(readFileSync(join(crate, "ro-crate-metadata.json"), "utf8")) as { "@graph": Entity[] };
  return new Map(entities.map((entity) => [entity["@id"], entity]));
}

async function crateOf(directory: string, name: string, options = {}): Promise<string> {
  const path = join(out, name);
  const exported = await exportCrate(directory, path, options);
  expect(exported).toMatchObject({ source: directory, to: "ro-crate", out: path });
  return path;
}

test("an export that is stopped while it copies leaves nothing, and removes nothing of others", async () => {
  const theirs = join(out, "stopped.mine.partial");
  writeFileSync(theirs, "theirs");
  const partials = () => readdirSync(out).filter((name) => name.startsWith("stopped."));
  const stop = new AbortController();
  const copying = setInterval(() => partials().length > 1 && stop.abort(), 1);
  await expect(exportCrate(experiment, join(out, "stopped"), { signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  clearInterval(copying);
  expect(partials()).toEqual(["stopped.mine.partial"]);
  rmSync(theirs);
  expect(existsSync(join(out, "stopped"))).toBe(false);
});

test("a crate describes each of its files with its size and SHA-256, and keeps the run", async () => {
  const crate = await crateOf(run, "of-run");
  const files = execFileSync("find", [".", "-type", "f", "-printf", "%P\n"], { cwd: crate, encoding: "utf8" }).trim().split("\n");
  const described = [...graphOf(crate).values()].filter((entity) => entity["@type"] === "File");
  expect(described.map((entity) => entity["@id"]).sort()).toEqual(files.filter((file) => file !== "ro-crate-metadata.json").sort());
  const sums = described.map((entity) => `${String(entity["sha256"])}  ${entity["@id"]}\n`).join("");
  execFileSync("sha256sum", ["--check", "--strict"], { cwd: crate, input: sums });
  for (const entity of described) expect(entity["contentSize"], entity["@id"]).toBe(String(statSync(join(crate, entity["@id"])).size));
  expect((await verifyRun(crate)).problems).toEqual([]);
});

test("a training has software, machine, input, outputs, times and agent", async () => {
  const graph = graphOf(await crateOf(run, "named", author));
  const action = [...graph.values()].find((entity) => entity["@type"] === "CreateAction");
  expect(action).toMatchObject({
    agent: { "@id": "https://orcid.org/0000-0002-1825-0097" },
    startTime: "2026-01-01T00:00:00.000+00:00",
    endTime: "2026-01-02T00:00:00.000+00:00",
    actionStatus: "http://schema.org/CompletedActionStatus",
  });
  const { corpus, environment } = readRunManifest(run);
  expect(graph.get(`#corpus-${corpus.sha256}`)).toMatchObject({ sha256: corpus.sha256, contentSize: String(corpus.bytes) });
  expect(action?.["object"]).toEqual([{ "@id": "config.json" }, { "@id": `#corpus-${corpus.sha256}` }]);
  const versions = [...graph.values()]
    .filter((entity) => entity["@type"] === "SoftwareApplication")
    .map((entity) => `${entity["name"]} ${entity["softwareVersion"]}`);
  expect(versions).toEqual(expect.arrayContaining(["bh-bridge train 0.2.0", `PyTorch ${environment.torch}`, `Python ${environment.python}`]));
  const values = [...graph.values()].filter((entity) => entity["@type"] === "PropertyValue").map((entity) => `${entity["name"]}=${entity["value"]}`);
  expect(values).toEqual(expect.arrayContaining([`device=${environment.device}`, `threads=${environment.threads}`, `platform=${environment.platform}`]));
  expect(graph.get("./")).toMatchObject({ license: { "@id": "https://spdx.org/licenses/CC-BY-4.0" }, publisher: { "@id": "https://example.org" } });
});

test("every reference in a crate of an experiment leads to an entity or an address", async () => {
  const graph = graphOf(await crateOf(experiment, "of-experiment"));
  const references = [...JSON.stringify([...graph.values()]).matchAll(/\{"@id":"([^"]+)"\}/g)].map(([, id]) => id ?? "");
  expect(references.filter((id) => !graph.has(id) && !id.startsWith("https://"))).toEqual([]);
  const steps = [...graph.values()].filter((entity) => entity["@type"] === "HowToStep");
  expect(steps.map((step) => step["position"])).toEqual(["1", "2"]);
  const controls = [...graph.values()].filter((entity) => entity["@type"] === "ControlAction");
  expect(controls.map((control) => control["object"])).toEqual([{ "@id": "#training-plain" }, { "@id": "#training-scaled" }]);
});

test("a failed training names its reason", async () => {
  const failed = ended(writeRun({ folder: out, id: "failed", steps: 4 }), "failed");
  const graph = graphOf(await crateOf(failed, "of-failed"));
  expect(graph.get("#training-failed")).toMatchObject({ actionStatus: "http://schema.org/FailedActionStatus", error: "signal" });
});

test.each<[string, () => string, object, string, RegExp]>([
  ["a run that has not ended", () => writeRun({ folder: out, id: "running", status: "running" }), {}, "USAGE", /has not ended/],
  ["a damaged run", () => damaged(), {}, "RUN_CORRUPT", /config\.json/],
  ["no run", () => temporaryDirectory(), {}, "RUN_NOT_FOUND", /run\.json/],
  ["an author without a name", () => run, { author: "<https://example.org>" }, "USAGE", /expected "NAME <URL>, ORGANISATION <URL>"/],
  ["a licence that is none", () => run, { license: "my own" }, "USAGE", /SPDX identifier/],
])("a crate of %s is refused, and nothing is left", async (name, directory, options, code, message) => {
  const path = join(out, `refused ${name}`);
  await expect(exportCrate(directory(), path, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(out).filter((entry) => entry.endsWith(".partial"))).toEqual([]);
});

function damaged(): string {
  const path = join(out, "damaged");
  cpSync(run, path, { recursive: true });
  appendFileSync(join(path, "config.json"), " ");
  return path;
}

test("the command exports a crate, overwrites nothing, and refuses options of other formats", async () => {
  const path = join(out, "by-command");
  expect(JSON.parse(await captureStdout(exportCommand(), run, "--to", "ro-crate", "--out", path, "--json"))).toMatchObject({ to: "ro-crate", out: path });
  await expect(captureStdout(exportCommand(), run, "--to", "ro-crate", "--out", path)).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  await expect(captureStdout(exportCommand(), run, "--to", "ro-crate", "--out", `${path}2`, "--step", "1")).rejects.toMatchObject({ code: "USAGE" });
  await expect(captureStdout(exportCommand(), run, "--to", "npy", "--out", `${path}2`, "--license", "MIT")).rejects.toMatchObject({ code: "USAGE" });
});

/**
 * The validator wants the id of every workflow to be an address on the web, and a workflow crate to hold its main workflow as a file. No crate meets both.
 */
const contradiction = "RECOMMENDED process-run-crate-0.5_5.1: The SoftwareApplication id SHOULD be an absolute URI";

test.runIf(isFull)("roc-validator finds nothing, at required and recommended level", { timeout: 600_000 }, async () => {
  const environment = join(temporaryDirectory(), "validator");
  execFileSync("python3", ["-m", "venv", environment]);
  const python = join(environment, "bin", "python");
  execFileSync(python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", "roc-validator==0.13.0"]);
  // This release has the JSON-LD context of RO-Crate 1.1.
  const crates = join(environment, "rocrate");
  execFileSync(python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", crates, "rocrate==0.9.0"]);
  const context = join(crates, "rocrate", "data", "ro-crate.jsonld");
  const issues = (profile: string, ...paths: string[]) =>
    JSON.parse(
      execFileSync(python, [join(import.meta.dirname, "check_crate.py"), context, profile, ...paths], { encoding: "utf8", cwd: environment }),
    ) as string[][];
  const plain = await crateOf(run, "validated");
  const named = await crateOf(run, "validated-named", author);
  const broken = join(dirname(plain), "broken");
  cpSync(plain, broken, { recursive: true });
  writeFileSync(join(broken, "ro-crate-metadata.json"), readFileSync(join(plain, "ro-crate-metadata.json"), "utf8").replace('"datePublished"', '"date"'));
  expect(issues("process-run-crate-0.5", plain, named)).toEqual([[], []]);
  expect(issues("process-run-crate-0.5", broken)[0]).toContainEqual(expect.stringContaining("datePublished"));
  const plans = [await crateOf(experiment, "validated-experiment", author), await crateOf(sweep, "validated-sweep")];
  for (const found of issues("provenance-run-crate-0.5", ...plans)) expect(found.filter((issue) => issue !== contradiction)).toEqual([]);
});
