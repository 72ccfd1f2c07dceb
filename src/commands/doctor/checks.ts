import { statfs } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import { gpt2ConfigSchema } from "../../config/models/gpt2-model.js";
import { trainingArgumentsShape, transformersVersion } from "../../config/training-arguments.generated.js";
import { BhBridgeError } from "../../errors.js";
import { type FindPythonOptions, type PythonCandidate, type PythonOrigin, pythonCandidates } from "../../python/find-python.js";
import { packageManifest, versionSatisfies } from "../../python/package-manifest.js";
import { checkRequirements, installCommand, type PythonReport, probePython, pythonRequirements, type RequirementCheck } from "../../python/require-packages.js";
import { askTorch, portableBuildSchema, type TorchAnswer } from "../../python/run-python-script.js";
import { madeByUv } from "../../python/setup/setup-python.js";
import { type Diagnosis, diagnosisSchema } from "../../sweep/executors/executor.js";
import { count } from "../../text/format.js";

/** Training speed of the default configuration by number of CPU threads, from `doctor --measure`. */
const doctorMeasureSchema = z.strictObject({
  threads: z.array(z.strictObject({ threads: z.int().positive(), stepsPerSecond: z.number().positive() })),
  fastest: z.int().positive(),
});

/** The builds of engine `portable` for this machine, best first. */
const doctorPortableSchema = z.strictObject({
  /** The build that a training uses; null if none is usable. */
  used: z.string().nullable(),
  builds: z.array(portableBuildSchema),
});

/** The document of `doctor --json`. */
export const doctorDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/doctor@1"),
  ok: z.boolean(),
  checks: z.array(diagnosisSchema),
  /** If torch and transformers can be imported. */
  portable: doctorPortableSchema.optional(),
  /** With `--measure` and all checks ok. */
  measure: doctorMeasureSchema.optional(),
});

type DoctorPortable = z.infer<typeof doctorPortableSchema>;
export type DoctorMeasure = z.infer<typeof doctorMeasureSchema>;
/** One check of `bh-bridge doctor`. */
export type DoctorCheck = Diagnosis;
export type DoctorDocument = z.infer<typeof doctorDocumentSchema>;

/** Room for several runs: one of 10,000 recorded steps takes 165 MB, plus a few MB per checkpoint. */
const wantedBytes = 1e9;

export async function checkDisk(folder: string): Promise<DoctorCheck> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const ok = free >= wantedBytes;
  return {
    name: "disk",
    ok,
    found: `${(free / 1e9).toFixed(1)} GB free in ${folder}`,
    expected: `>=${wantedBytes / 1e9} GB`,
    fix: ok ? null : "free some disk space, or choose another disk with --out",
  };
}

const require = createRequire(import.meta.url);

function installedVersion(name: string): string | null {
  try {
    return String(require(`${name}/package.json`).version);
  } catch {
    return null; // an unreadable package.json makes the package unusable
  }
}

/** Check Node.js, this package, and the pinned transport. */
export function checkPackage(): DoctorCheck[] {
  const { version, engines, dependencies } = packageManifest();
  const node = process.versions.node;
  const isRecent = versionSatisfies(node, engines.node);
  const [pythonia, expected] = [installedVersion("pythonia"), dependencies["pythonia"] ?? ""];
  const nodeFix = isRecent ? null : `install Node.js ${engines.node}, with your version manager or your system's packages`;
  const pythoniaFix = pythonia === expected ? null : `npm install pythonia@${expected}`;
  return [
    { name: "node", ok: isRecent, found: node, expected: engines.node, fix: nodeFix },
    { name: "bh-bridge", ok: true, found: version, expected: version, fix: null },
    { name: "pythonia", ok: pythoniaFix === null, found: pythonia, expected, fix: pythoniaFix },
  ];
}

/** Checks of the Python to train with; without a `report` none runs. */
type PythonDiagnosis = { checks: DoctorCheck[]; report?: PythonReport };

type Asked = PythonCandidate & ({ report: PythonReport; requirements: RequirementCheck[] } | { report: undefined; failure: string });

function messageOf(error: unknown): string {
  if (error instanceof BhBridgeError && error.code !== "ABORTED") return error.message;
  throw error;
}

async function ask(candidate: PythonCandidate, signal?: AbortSignal): Promise<Asked> {
  try {
    const report = await probePython(candidate.path, signal);
    return { ...candidate, report, requirements: checkRequirements(report) };
  } catch (error) {
    return { ...candidate, report: undefined, failure: messageOf(error) };
  }
}

const isUsable = (asked: Asked) => asked.report !== undefined && asked.requirements.every(({ ok }) => ok);

/** A candidate that was not chosen: `/usr/bin/python3 (PATH, lacks torch, numpy)`. */
function describeOther(asked: Asked): string {
  const lacking = asked.report ? asked.requirements.filter(({ ok }) => !ok).map(({ name }) => name) : [];
  const flaw = asked.report ? lacking.length > 0 && `lacks ${lacking.join(", ")}` : "does not run";
  return `${asked.path} (${[asked.origin, flaw].filter(Boolean).join(", ")})`;
}

/** Whether the user chose the Python: it is then fixed in place, and by `bh-bridge setup` otherwise. */
const wasAskedFor = (origin: PythonOrigin) => origin === "--python" || origin === "config" || origin === "BH_BRIDGE_PYTHON";

function noPython(found: string | null, fix: string): PythonDiagnosis {
  return { checks: [{ name: "python", ok: false, found, expected: pythonRequirements().python, fix }] };
}

/** Check the Python that `resolvePython` would choose, and its packages. Problems are results, never errors. */
export async function checkPython(options: FindPythonOptions, signal?: AbortSignal): Promise<PythonDiagnosis> {
  let candidates: PythonCandidate[];
  try {
    candidates = pythonCandidates(options);
  } catch (error) {
    return noPython(null, messageOf(error));
  }
  const all: Asked[] = [];
  for (const candidate of candidates) all.push(await ask(candidate, signal));
  const chosen = all.find(isUsable) ?? all.find(({ report }) => report) ?? all[0];
  if (!chosen?.report) return noPython(chosen?.failure ?? null, "bh-bridge setup");

  const { report, origin } = chosen;
  const others = all.filter((asked) => asked !== chosen).map(describeOther);
  const seen = `${report.version}, ${report.path} (${origin}${madeByUv(report.prefix) ? ", made by uv" : ""})${others.length > 0 ? `; not used: ${others.join(", ")}` : ""}`;
  const checks = chosen.requirements.map((requirement): DoctorCheck => {
    const { name, ok, found, expected } = requirement;
    if (name === "Python")
      return { name: "python", ok, found: seen, expected, fix: ok ? null : `bh-bridge setup --python PATH, with the path of a Python ${expected}` };
    return { name, ok, found, expected, fix: ok ? null : wasAskedFor(origin) ? installCommand(report, [requirement]) : "bh-bridge setup" };
  });
  return { checks, report };
}

function describeDevices({ environment }: TorchAnswer): string {
  const { devices, cpu_capability, threads } = environment;
  const cuda = devices.cuda.map((name, index) => `cuda:${index} (${name})`);
  return [...cuda, ...(devices.mps ? ["mps"] : []), `cpu (${cpu_capability}, ${count(threads, "thread")})`].join(", ");
}

interface Names {
  check: string;
  known: readonly string[];
  installed: readonly string[];
  /** The version of transformers that has the `known` names. */
  version: string;
}

/**
 * Check that the installed transformers has every field that a configuration may set. An older version may lack the newest ones: a run that sets them is
 * refused. In any other version a missing field was renamed or removed.
 */
function checkNames({ check, known, installed, version }: Names, report: PythonReport): DoctorCheck {
  const absent = known.filter((name) => !installed.includes(name));
  const installedVersion = report.packages.transformers ?? "";
  const ok = absent.length === 0 || versionSatisfies(installedVersion, `<${version}`);
  const lacks = `transformers ${installedVersion} lacks ${absent.join(", ")}`;
  const found = absent.length === 0 ? `all ${known.length}` : `${lacks}${ok ? ", which cannot be set" : ""}`;
  const fix = ok ? null : `${report.path} -m pip install "transformers==${version}"`;
  return { name: check, ok, found, expected: `the ${known.length} fields of transformers ${version}`, fix };
}

/** Fields of the installed transformers that a configuration cannot set, as its types are generated from another version. */
function added(known: readonly string[], { training_arguments }: TorchAnswer): string {
  const names = training_arguments.filter((name) => !known.includes(name));
  return names.length === 0 ? "" : `; ${names.join(", ")} cannot be set yet`;
}

function checkPortable({ used, problem, builds }: TorchAnswer["portable"]): DoctorCheck {
  const others = builds.filter(({ name }) => name !== used).map(({ name, reason }) => (reason === undefined ? name : `${name} (unusable: ${reason})`));
  const found = used === null ? problem : [used, others.length > 0 && `also there: ${others.join(", ")}`].filter(Boolean).join("; ");
  const fix = used === null ? "unset BH_BRIDGE_PORTABLE if it is set, or install bh-bridge again" : null;
  return { name: "engine portable", ok: used !== null, found, expected: "a build that passes its self-check", fix };
}

/** Import torch and transformers, and check the devices, the builds of engine `portable`, and the names of the fields. */
export async function checkTorch(report: PythonReport, signal?: AbortSignal): Promise<{ checks: DoctorCheck[]; portable?: DoctorPortable }> {
  const expected = "torch and transformers can be imported";
  try {
    const answer = await askTorch(report.path, signal);
    const known = Object.keys(trainingArgumentsShape);
    const training = { check: "training arguments", known, installed: answer.training_arguments, version: transformersVersion };
    const model = { check: "model configuration", known: Object.keys(gpt2ConfigSchema.shape), installed: answer.gpt2_config, version: transformersVersion };
    const settings = checkNames(training, report);
    const checks = [
      { name: "devices", ok: true, found: describeDevices(answer), expected, fix: null },
      checkPortable(answer.portable),
      { ...settings, found: `${settings.found}${added(known, answer)}` },
      checkNames(model, report),
    ];
    return { checks, portable: { used: answer.portable.used, builds: answer.portable.builds } };
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code === "ABORTED") throw error;
    const found = error.exit?.lastLines.at(-1) ?? error.message;
    return { checks: [{ name: "devices", ok: false, found, expected, fix: `${report.path} -m pip install --force-reinstall torch transformers` }] };
  }
}
