import { constants, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { durableCreateInSteps, syncPath } from "../formats/durable-write.js";
import type { Exported } from "../runner/exported.js";
import { readRunDocument } from "../runs/read-run-json.js";
import { checkpointsFolder, filesIn, finalFolder, isRunFile, runFiles } from "../runs/run-layout.js";
import { corpusName, type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { verifyRun } from "../runs/verify-run.js";
import { shellQuote } from "../text/escaping.js";
import { count, groupDigits } from "../text/format.js";
import { CrateGraph, type CrateLabels, metadataFile, pathId, type Reference, readmeFile } from "./crate-graph.js";
import { readLedger } from "./ledger.js";
import { planFileName, readPlan } from "./plan/plan-directory.js";
import { trialLabel } from "./plan/trial-label.js";

/** Options of `exportCrate`. */
export interface CrateOptions extends CrateLabels {
  /** Reports the runs that have been verified. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Addresses of the software that a run records the version of. */
const software = {
  python: ["Python", "https://www.python.org"],
  torch: ["PyTorch", "https://pytorch.org"],
  transformers: ["Transformers", "https://huggingface.co/docs/transformers"],
  accelerate: ["Accelerate", "https://huggingface.co/docs/accelerate"],
  safetensors: ["Safetensors", "https://huggingface.co/docs/safetensors"],
  numpy: ["NumPy", "https://numpy.org"],
} as const;
const home = "https://www.npmjs.com/package/bh-bridge";

/** Files of a run that belong to processes. */
const ownedByProcesses: readonly string[] = [runFiles.lock, runFiles.stop];
/** Files of a run that its training reads. */
const inputs: readonly string[] = [runFiles.config, runFiles.tokenizer, runFiles.callbacks, runFiles.patch];
const planFile = /^[^./][^/]*\.(?:json|jsonl|md|csv)$/;

const nodeEnvironmentSchema = z.looseObject({ node: z.string(), processor: z.string(), cores: z.number(), memoryBytes: z.number() }).partial();

/**
 * Write an ended run as a Process Run Crate, or a sweep or experiment as a Provenance Run Crate (RO-Crate 1.1): its files, and their description as JSON-LD.
 * @param directory of a run, sweep or experiment.
 * @throws {BhBridgeError} `RUN_NOT_FOUND`; `RUN_CORRUPT`; `USAGE` for a run that has not ended, and for an unreadable author or licence; `FILE_UNWRITABLE` if
 *   `out` exists; `DISK_FULL`; `ABORTED`, and then `out` does not exist.
 */
export async function exportCrate(directory: string, out: string, options: CrateOptions = {}): Promise<Exported> {
  const isPlan = existsSync(join(directory, planFileName));
  /** Let a signal arrive between two pieces of work. */
  const pause = async () => {
    await setImmediate();
    if (options.signal?.aborted) throw new BhBridgeError("ABORTED", `the export of ${directory} was stopped, and ${out} was not written`);
  };
  const runs = isPlan ? runsOf(directory) : [{ path: "", trial: "" }];
  const files = runs.flatMap(({ path }) => runFilesOf(join(directory, path)).map((file) => join(path, file)));
  for (const [done, { path }] of runs.entries()) {
    options.onProgress?.(done, runs.length);
    const { problems } = await verifyRun(join(directory, path));
    await pause();
    if (problems.length > 0) throw new BhBridgeError("RUN_CORRUPT", `${directory} is damaged and was not exported:\n${problems.join("\n")}`);
  }
  options.onProgress?.(runs.length, runs.length);
  if (isPlan) files.push(...filesIn(directory).filter((file) => planFile.test(file) && file !== readmeFile && file !== metadataFile));
  const graph = new CrateGraph(directory, options);
  const actions: Reference[] = [];
  for (const { path } of runs) {
    actions.push(addTraining(graph, directory, path, files));
    await pause();
  }
  if (isPlan) addPlan(graph, directory, runs, actions, files);
  else graph.describe(readRunManifest(directory).name, describedRun(readRunManifest(directory)));
  const texts = { [readmeFile]: graph.addReadme(), [metadataFile]: graph.text() };
  await durableCreateInSteps(out, async (folder) => {
    for (const file of files) {
      await pause();
      await copy(join(directory, file), join(folder, file));
    }
    for (const [file, text] of Object.entries(texts)) {
      writeFileSync(join(folder, file), text);
      syncPath(join(folder, file));
    }
  });
  const bytes = [...files, ...Object.keys(texts)].reduce((sum, file) => sum + statSync(join(out, file)).size, 0);
  return { source: directory, to: "ro-crate", out, bytes };
}

async function copy(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  syncPath(to);
}

/** The files of a run that belong into a crate, sorted. @throws {BhBridgeError} `USAGE` if it has not ended. */
function runFilesOf(run: string): string[] {
  const { status } = readRunManifest(run);
  if (status === "running") {
    throw new BhBridgeError("USAGE", `${run} has not ended, and a crate describes an ended run. Resume it: bh-bridge resume ${shellQuote(run)}`);
  }
  return filesIn(run).filter((file) => isRunFile(file) && !ownedByProcesses.includes(file));
}

/** The ended runs of a plan, by trial. */
function runsOf(directory: string): { path: string; trial: string }[] {
  const runs = [...readLedger(directory).values()].flatMap(({ run, trial }) => (run === null ? [] : { path: run, trial }));
  const ended = runs.filter(({ path }) => existsSync(join(directory, path, runFiles.manifest)) && readRunManifest(join(directory, path)).status !== "running");
  if (ended.length === 0) throw new BhBridgeError("USAGE", `${directory} has no run that has ended`);
  return ended;
}

function describedRun({ corpus, parameters, status, reason, config_hash }: RunManifest): string {
  const end = status === "completed" ? "The training completed." : `The training ${status}${reason === null ? "" : ` (${reason})`}.`;
  return `A language model with ${count(parameters, "parameter")}, trained on ${corpusName(corpus)}, with the recorded history of its embedding. ${end} Configuration hash ${config_hash}.`;
}

/** An instant as the profiles want it: with an offset instead of `Z`. */
const instant = (time: string) => time.replace(/Z$/, "+00:00");

/** Describe the training of a run. @param path of the run in the crate. */
function addTraining(graph: CrateGraph, directory: string, path: string, files: readonly string[]): Reference {
  const run = join(directory, path);
  const manifest = readRunManifest(run);
  const own = files
    .filter((file) => path === "" || file.startsWith(`${path}/`))
    .map((file) => ({ file, name: path === "" ? file : file.slice(path.length + 1) }));
  const refs = (wanted: (name: string) => boolean) => own.filter(({ name }) => !name.includes("/") && wanted(name)).map(({ file }) => graph.file(file));
  const isInput = (name: string) => inputs.includes(name) || name.endsWith(".py");
  const folders = [finalFolder, checkpointsFolder].flatMap((folder) => {
    const inside = own.filter(({ name }) => name.startsWith(`${folder}/`)).map(({ file }) => graph.file(file));
    return inside.length === 0
      ? []
      : graph.add({
          "@id": `${pathId(join(path, folder))}/`,
          "@type": "Dataset",
          name: folder === finalFolder ? "Final model" : "Checkpoints",
          hasPart: inside,
        });
  });
  const [objects, results] = [refs(isInput), [...refs((name) => !isInput(name)), ...folders]];
  graph.addParts(path, manifest.name, [...objects, ...results]);
  const { status, reason, created, ended, seconds, package_version, environment } = manifest;
  const used = Object.entries(software).map(([key, [name, url]]) => graph.software(name, url, environment[key as keyof typeof software]));
  return graph.action({
    "@id": `#training-${pathId(basename(run))}`,
    "@type": "CreateAction",
    name: `Training of ${manifest.name}`,
    description: `bh-bridge train -c ${runFiles.config}`,
    instrument: graph.software("bh-bridge train", home, package_version, { softwareRequirements: used }),
    agent: graph.author,
    startTime: instant(created),
    ...(ended !== null && { endTime: instant(ended) }),
    actionStatus: `http://schema.org/${status === "failed" ? "Failed" : "Completed"}ActionStatus`,
    ...(status === "failed" && { error: reason ?? "unknown" }),
    object: [...objects, corpusEntity(graph, manifest)],
    result: results,
    environment: environmentEntities(graph, run, manifest),
    resourceUsage: graph.value("training time", seconds, { propertyID: "http://qudt.org/vocab/quantitykind/Time", unitCode: "http://qudt.org/vocab/unit/SEC" }),
  });
}

/** The training text, which is not in the crate. */
function corpusEntity(graph: CrateGraph, { corpus }: RunManifest): Reference {
  return graph.add({
    "@id": `#corpus-${corpus.sha256}`,
    "@type": "CreativeWork",
    name: corpusName(corpus),
    description: `The training text, which is not part of this crate: ${groupDigits(corpus.tokens)} tokens of ${count(corpus.distinct, "kind")}`,
    sha256: corpus.sha256,
    contentSize: String(corpus.bytes),
  });
}

function environmentEntities(graph: CrateGraph, run: string, { environment, engine, processes }: RunManifest): Reference[] {
  const node = readRunDocument(run, runFiles.nodeEnvironment, nodeEnvironmentSchema) ?? {};
  const values: Readonly<Record<string, string | number | undefined>> = {
    device: environment.device,
    threads: environment.threads,
    processor: node.processor ?? environment.processor,
    "CPU capability": environment.cpu_capability,
    cores: node.cores,
    "memory in bytes": node.memoryBytes,
    platform: environment.platform,
    "Node.js": node.node,
    engine,
    processes,
  };
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : graph.value(name, value)));
}

/** Describe a sweep or experiment as a workflow: the plan, one step per trial, and the trainings that carried it out. */
function addPlan(
  graph: CrateGraph,
  directory: string,
  runs: readonly { path: string; trial: string }[],
  actions: readonly Reference[],
  files: readonly string[],
): void {
  const plan = readPlan(directory);
  const top = files.filter((file) => !file.includes("/")).map((file) => graph.file(file));
  graph.addParts("", plan.name, top);
  const trained = new Map(runs.map(({ trial }, at) => [trial, actions[at]] as const));
  const details = actions.map((action) => graph.get(action));
  const tools = distinct(details.map((action) => action["instrument"] as Reference));
  const version = String(details.map((action) => graph.get(action["instrument"] as Reference)["softwareVersion"]).at(-1));
  const steps = plan.trials.map(({ trial, set }, at) => {
    const name = trialLabel({ set: set as Parameters<typeof trialLabel>[0]["set"] });
    const step = graph.add({ "@id": `${planFileName}#${pathId(trial)}`, "@type": "HowToStep", name, position: String(at + 1), workExample: tools[0] });
    const action = trained.get(trial);
    const control =
      action && graph.add({ "@id": `#control-${pathId(trial)}`, "@type": "ControlAction", name: `Trial ${name}`, instrument: step, object: action });
    return { step, control };
  });
  const result = files.includes("result.json") ? "result.json" : planFileName;
  const output = graph.add({ "@id": "#result", "@type": "FormalParameter", name: "result", additionalType: "File", workExample: graph.file(result) });
  graph.extend(result, { exampleOfWork: output });
  const language = graph.add({ "@id": "#plan-language", "@type": "ComputerLanguage", name: "bh-bridge plan", identifier: home, url: home });
  const isExperiment = plan.question !== null;
  const workflow = graph.extend(planFileName, {
    "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
    name: plan.name,
    url: planFileName,
    version: plan.hash,
    conformsTo: { "@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE" },
    programmingLanguage: language,
    hasPart: tools,
    step: steps.map(({ step }) => step),
    output,
  });
  const times = {
    startTime: details.map((each) => String(each["startTime"])).sort()[0],
    endTime: details
      .map((each) => String(each["endTime"]))
      .sort()
      .at(-1),
  };
  const name = `${isExperiment ? "Experiment" : "Sweep"} ${plan.name}`;
  const description = `bh-bridge ${isExperiment ? "experiment" : "sweep"}: ${count(runs.length, "run")} of ${count(plan.trials.length, "trial")}`;
  const shared = { agent: graph.author, ...times, actionStatus: "http://schema.org/CompletedActionStatus" };
  const objects = distinct(details.flatMap((each) => (each["object"] as Reference[]).filter((object) => object["@id"].startsWith("#corpus-"))));
  const results = [graph.file(result), ...runs.map(({ path }) => ({ "@id": `${pathId(path)}/` }))];
  const whole = graph.action({ "@id": "#run", "@type": "CreateAction", name, description, instrument: workflow, ...shared, object: objects, result: results });
  const controls = steps.flatMap(({ control }) => control ?? []);
  graph.action({
    "@id": "#organization",
    "@type": "OrganizeAction",
    name: `Control of ${plan.name}`,
    description,
    instrument: graph.software("bh-bridge", home, version),
    ...shared,
    object: controls,
    result: whole,
  });
  graph.describe(plan.name, `${name} with bh-bridge: ${count(runs.length, "run")}, their results and the plan.`, workflow);
}

function distinct(references: readonly Reference[]): Reference[] {
  return [...new Map(references.map((each) => [each["@id"], each])).values()];
}
