// Build dist/completion.json from the objects that parse the command line, so that a completion loads no command.
import { writeFileSync } from "node:fs";

const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
const [{ createProgram }, { presets }, { experimentPresets }, { ownAnalyses }, { rootField }] = await Promise.all([
  dist("commands/run-program.js"),
  dist("config/presets.js"),
  dist("sweep/experiment/load-experiment.js"),
  dist("analysis/analyses.js"),
  dist("config/json-schema.js"),
]);
const [{ recordableTensors }, { comparableParts }, { runStatuses }, { runFiles, runsFolder, experimentsFolder, sweepsFolder }] = await Promise.all([
  dist("config/record-schema.js"),
  dist("compare/compare.js"),
  dist("runs/scan-runs.js"),
  dist("runs/run-layout.js"),
]);

/** Fields that name a file. */
const pathFields = /^(?:data\.corpus|model\.from|python|.*\.code)$/;

/** Every field of the configuration with its choices; a union has the fields of all its branches. */
function fieldsOf(node, prefix = "", found = new Map()) {
  for (const [name, field] of Object.entries(node.properties ?? {})) {
    if (name === "$schema") continue;
    const path = `${prefix}${name}`;
    fieldsOf(field, `${path}.`, found);
    if (field.properties || field.oneOf) continue; // a section
    const earlier = found.get(path);
    const choices = [...new Set([...(earlier?.choices ?? []), ...choicesOf(field)])];
    found.set(path, { path, description: summary(earlier?.description ?? field.description ?? ""), choices, ...(pathFields.test(path) && { isPath: true }) });
  }
  for (const branch of [...(node.oneOf ?? []), ...(node.anyOf ?? [])]) fieldsOf(branch, prefix, found);
  return found;
}

function choicesOf({ enum: several, const: only, type, anyOf = [] }) {
  if (type === "boolean") return ["true", "false"];
  const own = several ?? (only === undefined ? [] : [only]);
  return [...own.map(String), ...anyOf.flatMap(choicesOf)];
}

/** The first sentence, for a column beside the values. */
const summary = (text) =>
  text
    .replace(/\s+/g, " ")
    .split(/(?<=\w)[.;:] /)[0]
    .replace(/\.$/, "");

const fields = [...fieldsOf(rootField()).values()];
const choicesAt = (path) => fields.find((field) => field.path === path)?.choices.map((value) => ({ value })) ?? [];
const plain = (values) => values.map((value) => ({ value }));
const values = {
  preset: Object.entries(presets).map(([value, { title }]) => ({ value, description: title })),
  experiment: Object.entries(experimentPresets).map(([value, { title }]) => ({ value, description: title })),
  engine: choicesAt("engine.name"),
  device: plain(["auto", "cpu", "cuda", "mps"]),
  analysis: plain(ownAnalyses.map(({ name }) => name)),
  recordable: plain(recordableTensors),
  part: plain(comparableParts),
  status: plain(runStatuses),
  condition: runStatuses.map((status) => ({ value: `status:${status}` })),
  initial: choicesAt("init.kind"),
  dtype: choicesAt("model.dtype"),
  noiseDtype: choicesAt("init.noise_dtype"),
};

/** Sources of the values of options, where commander has no choices; those of one command first. Others complete files if their placeholder names one. */
const optionKinds = {
  "judge --arm": "none",
  "--preset": "preset",
  "--set": "field",
  "--grid": "axis",
  "--zip": "axis",
  "--arm": "arm",
  "--engine": "engine",
  "--device": "device",
  "--from": "step",
  "--baseline": "run",
  "--against": "tensor",
  "--only": "analysis,",
  "--tensors": "recordable,",
  "--assert-equal": "part,",
  "--status": "status",
  "--where": "condition",
  "--dtype": "dtype",
  "--noise-dtype": "noiseDtype",
};
/** Those of arguments. */
const argumentKinds = {
  "experiment experiment": "experiment|file",
  "presets show name": "preset",
  "config diff a": "preset|run|file",
  "config diff b": "preset|run|file",
  "report run": "run|plan|file",
  "serve path": "run|plan|file",
  "judge table": "plan|file",
  "inspect path": "run|file",
  "simulate kind": "initial",
  run: "run|file",
  runs: "run|file",
  checkpoints: "run|file",
  "run|file[::tensor]": "tensor",
  "file[::tensor]": "tensor",
  dir: "plan|file",
};
const isPath = /\b(?:file|dirs?|path|folder|checkpoint)\b/;

/** The name of a list of choices. */
function listOf(choices) {
  const name = choices.join(" ");
  values[name] ??= plain(choices);
  return name;
}

function optionOf(command, { long, short, flags, description, argChoices, required, optional, defaultValue }) {
  const names = [short, long].filter(Boolean);
  if (!required && !optional) return { names, description };
  const known = optionKinds[`${command} ${long}`] ?? optionKinds[long];
  const kind = argChoices ? listOf(argChoices) : (known ?? (isPath.test(flags.replace(long, "")) ? "file" : "none"));
  return { names, description, kind, ...(defaultValue === runsFolder && { holdsRuns: true }) };
}

function argumentOf(command, argument) {
  const name = argument.name();
  const known = argumentKinds[`${command} ${name}`] ?? argumentKinds[name];
  return { kind: argument.argChoices ? listOf(argument.argChoices) : (known ?? (isPath.test(name) ? "file" : "none")), variadic: argument.variadic };
}

function commandOf(command, path = "") {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command).map((option) => optionOf(path, option)),
    arguments: command.registeredArguments.map((argument) => argumentOf(path, argument)),
    commands: help.visibleCommands(command).map((below) => commandOf(below, `${path} ${below.name()}`.trim())),
  };
}

const program = await createProgram();
const data = {
  program: commandOf(program),
  values,
  fields,
  manifest: runFiles.manifest,
  folders: { runs: runsFolder, plans: [experimentsFolder, sweepsFolder] },
};
writeFileSync(new URL("../dist/completion.json", import.meta.url), JSON.stringify(data));
