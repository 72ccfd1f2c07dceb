import { gpt2ConfigVersion } from "../../config/gpt2-config.generated.js";
import { gpt2ConfigSchema } from "../../config/models/gpt2-model.js";
import { trainingArgumentsShape, trainingArgumentsVersion } from "../../config/training-arguments.generated.js";
import { BhBridgeError } from "../../errors.js";
import { askTorch, type TorchAnswer } from "../../python/ask-torch.js";
import type { PythonReport } from "../../python/probe-python.js";
import { versionSatisfies } from "../../python/version-satisfies.js";
import { count } from "../../text/count.js";
import type { DoctorCheck } from "./doctor-document.js";

function describeDevices({ environment }: TorchAnswer): string {
  const { devices, cpu_capability, threads } = environment;
  const cuda = devices.cuda.map((name, index) => `cuda:${index} (${name})`);
  return [...cuda, ...(devices.mps ? ["mps"] : []), `cpu (${cpu_capability}, ${count(threads, "thread")})`].join(", ");
}

/** Field names of a class of transformers: those that a configuration may have, and those that the installed version has. */
interface Names {
  check: string;
  known: readonly string[];
  installed: readonly string[];
  /** The version that the known ones are of. */
  version: string;
}

/**
 * Whether the installed transformers knows every setting that a configuration may name.
 *
 * An older version lacks the newest settings, and a run that sets one of them is refused. In any other version a missing name has been renamed or removed.
 */
function checkNames({ check, known, installed, version }: Names, report: PythonReport): DoctorCheck {
  const absent = known.filter((name) => !installed.includes(name));
  const installedVersion = report.packages.transformers ?? "";
  const ok = absent.length === 0 || versionSatisfies(installedVersion, `<${version}`);
  const lacks = `transformers ${installedVersion} lacks ${absent.join(", ")}`;
  const found = absent.length === 0 ? `all ${known.length}` : `${lacks}${ok ? ", which cannot be set" : ""}`;
  const fix = ok ? null : `${report.path} -m pip install "transformers==${version}"`;
  return { name: check, ok, found, expected: `the ${known.length} of transformers ${version}`, fix };
}

/** Settings of the installed transformers that a configuration cannot name, since the types are of another version. */
function added(known: readonly string[], { training_arguments }: TorchAnswer): string {
  const names = training_arguments.filter((name) => !known.includes(name));
  return names.length === 0 ? "" : `; ${names.join(", ")} cannot be set yet`;
}

/** What torch and transformers say once they are imported: the devices, and whether the settings still have the names they had. */
export async function checkTorch(report: PythonReport, signal?: AbortSignal): Promise<DoctorCheck[]> {
  const expected = "torch and transformers can be imported";
  try {
    const answer = await askTorch(report.path, signal);
    const known = Object.keys(trainingArgumentsShape);
    const training = { check: "training arguments", known, installed: answer.training_arguments, version: trainingArgumentsVersion };
    const model = { check: "model configuration", known: Object.keys(gpt2ConfigSchema.shape), installed: answer.gpt2_config, version: gpt2ConfigVersion };
    const settings = checkNames(training, report);
    return [
      { name: "devices", ok: true, found: describeDevices(answer), expected, fix: null },
      { ...settings, found: `${settings.found}${added(known, answer)}` },
      checkNames(model, report),
    ];
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code === "ABORTED") throw error;
    const found = error.exit?.lastLines.at(-1) ?? error.message;
    return [{ name: "devices", ok: false, found, expected, fix: `${report.path} -m pip install --force-reinstall torch transformers` }];
  }
}
