import { askTorch, type TorchAnswer } from "../../bridge/ask-torch.js";
import type { PythonReport } from "../../bridge/probe-python.js";
import { trainingArgumentsShape, trainingArgumentsVersion } from "../../config/training-arguments.generated.js";
import { BhBridgeError } from "../../errors.js";
import type { DoctorCheck } from "../doctor-document.js";

function describeDevices({ environment }: TorchAnswer): string {
  const { devices, cpu_capability, threads } = environment;
  const cuda = devices.cuda.map((name, index) => `cuda:${index} (${name})`);
  return [...cuda, ...(devices.mps ? ["mps"] : []), `cpu (${cpu_capability}, ${threads} ${threads === 1 ? "thread" : "threads"})`].join(", ");
}

/** Whether the settings that a configuration may name are those that the installed transformers knows. */
function checkTrainingArguments({ training_arguments }: TorchAnswer, report: PythonReport): DoctorCheck {
  const installed = new Set(training_arguments);
  const known = Object.keys(trainingArgumentsShape);
  const absent = known.filter((name) => !installed.has(name));
  return {
    name: "training arguments",
    ok: absent.length === 0,
    found: absent.length === 0 ? `all ${known.length}` : `transformers ${report.packages.transformers} lacks ${absent.join(", ")}`,
    expected: `the ${known.length} of transformers ${trainingArgumentsVersion}`,
    fix: absent.length === 0 ? null : `${report.path} -m pip install "transformers==${trainingArgumentsVersion}"`,
  };
}

/** What torch and transformers say once they are imported: the devices, and whether the settings still have the names they had. */
export async function checkTorch(report: PythonReport, signal?: AbortSignal): Promise<DoctorCheck[]> {
  const expected = "torch and transformers can be imported";
  try {
    const answer = await askTorch(report.path, signal);
    return [{ name: "devices", ok: true, found: describeDevices(answer), expected, fix: null }, checkTrainingArguments(answer, report)];
  } catch (error) {
    if (!(error instanceof BhBridgeError) || error.code === "ABORTED") throw error;
    const found = error.exit?.lastLines.at(-1) ?? error.message;
    return [{ name: "devices", ok: false, found, expected, fix: `${report.path} -m pip install --force-reinstall torch transformers` }];
  }
}
