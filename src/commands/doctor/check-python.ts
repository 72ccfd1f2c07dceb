import { BhBridgeError } from "../../errors.js";
import { type FindPythonOptions, type PythonCandidate, type PythonOrigin, pythonCandidates } from "../../python/find-python.js";
import { type PythonReport, probePython } from "../../python/probe-python.js";
import { pythonRequirements } from "../../python/python-requirements.js";
import { checkRequirements, installCommand, type RequirementCheck } from "../../python/require-packages.js";
import type { DoctorCheck } from "./doctor-document.js";

/** What was found out about the Python to train with; without a `report` there is none that runs. */
interface PythonDiagnosis {
  checks: DoctorCheck[];
  report?: PythonReport;
}

/** A candidate that was asked: what it has, or why it does not answer. */
type Asked = PythonCandidate & ({ report: PythonReport; requirements: RequirementCheck[] } | { report: undefined; failure: string });

/** The message of an error of ours; any other is not for a diagnosis to swallow. */
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

/** A candidate that is passed over: `/usr/bin/python3 (PATH, lacks torch and numpy)`. */
function describeOther(asked: Asked): string {
  const lacking = asked.report ? asked.requirements.filter(({ ok }) => !ok).map(({ name }) => name) : [];
  const flaw = asked.report ? lacking.length > 0 && `lacks ${lacking.join(", ")}` : "does not run";
  return `${asked.path} (${[asked.origin, flaw].filter(Boolean).join(", ")})`;
}

/** The set-up mends what bh-bridge found by itself; a Python that was asked for is mended where it is. */
const wasAskedFor = (origin: PythonOrigin) => origin === "--python" || origin === "config" || origin === "BH_BRIDGE_PYTHON";

function noPython(found: string | null, fix: string): PythonDiagnosis {
  return { checks: [{ name: "python", ok: false, found, expected: pythonRequirements().python, fix }] };
}

/** The Python to train with, as `resolvePython` would choose it, its version and its packages; never throws for what it finds. */
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
  const seen = `${report.version}, ${report.path} (${origin})${others.length > 0 ? `; passed over: ${others.join(", ")}` : ""}`;
  const checks = chosen.requirements.map((requirement): DoctorCheck => {
    const { name, ok, found, expected } = requirement;
    if (name === "Python")
      return { name: "python", ok, found: seen, expected, fix: ok ? null : `bh-bridge setup --python PATH, with the path of a Python ${expected}` };
    return { name, ok, found, expected, fix: ok ? null : wasAskedFor(origin) ? installCommand(report, [requirement]) : "bh-bridge setup" };
  });
  return { checks, report };
}
