import type { TracedDifference } from "../../compare/compare-traces.js";
import type { Divergence } from "../../compare/divergence.js";
import { groupDigits } from "../../text/group-digits.js";
import { both, placeOfRecord } from "./place-of-record.js";

/**
 * Where two trainings part, for people: sentences without an end of their own line.
 *
 * @param names what the two are called.
 */
export function divergenceLines({ until, equalTo, step, first, module, unlike }: Divergence, names: readonly [a: string, b: string]): string[] {
  const unlikeLines = unlike.map(({ which, history, loss }) => {
    const where = history ? `its history differs first at ${placeOfRecord(history)}` : `the loss of step ${loss?.step}: ${loss?.a} and ${loss?.b}`;
    return `${which === "a" ? names[0] : names[1]} did not come out as it was recorded: ${where} (recorded, and today)`;
  });
  if (!first || step === null) {
    return [`They came out the same in every bit to step ${groupDigits(until)}: the difference is not reproduced`, ...unlikeLines];
  }
  const equal = equalTo === null ? "They begin differently" : `Equal in every weight and moment to step ${groupDigits(Math.min(equalTo, step - 1))}`;
  const modules =
    module === null
      ? ["No output and no gradient of a module differs in that step"]
      : module === first
        ? []
        : [`The first module that differs: ${tracedPlace(module, names)}`];
  return [`${equal}. The first difference of step ${groupDigits(step)}: ${tracedPlace(first, names)}`, ...modules, ...unlikeLines];
}

function tracedPlace(difference: TracedDifference, [a, b]: readonly [string, string]): string {
  const { batch, element, reason, type } = difference;
  const types = type[0] === type[1] ? "" : ` (${type[0] ?? "nothing"} in ${a}, ${type[1] ?? "nothing"} in ${b})`;
  const where = `${quantityOf(difference)}${types}${batch === null ? "" : `, batch ${batch}`}`;
  if (element === null) return `${where}: ${named(reason ?? "", a, b)}`;
  const ulp = difference.quantity === "setting" ? null : difference.ulp; // nobody counts a learning rate in ULP
  const place = element.length === 0 ? "" : `, element [${element.join(", ")}]`;
  return `${where}${place}: ${both({ a: difference.a ?? 0, b: difference.b ?? 0, ulp })}`;
}

/** A reason that calls the two a and b, with their names. */
export function named(reason: string, a: string, b: string): string {
  return reason.replaceAll(/\b[ab]\b/g, (name) => (name === "a" ? a : b));
}

function quantityOf({ quantity, module, tensor }: TracedDifference): string {
  const owner = module === "" ? "the model" : module;
  const part = tensor === "" ? owner : `${owner} (${tensor})`;
  const [weight = "", key] = tensor.split(/\.(.*)/s);
  const parameter = `${module}.${weight}`;
  const kept = key === undefined ? parameter : `${key} of ${parameter}`;
  const phrases: Record<TracedDifference["quantity"], string> = {
    state: `${kept} before the step`,
    batch: `the batch itself (${tensor})`,
    input: `the input of ${part}`,
    output: `the output of ${part}`,
    "output gradient": `the gradient of the output of ${part}`,
    "input gradient": `the gradient of the input of ${part}`,
    gradient: `the gradient of ${parameter}`,
    "clipped gradient": `the gradient of ${parameter} after clipping`,
    setting: `the optimizer's ${key} for ${parameter}`,
    "updated state": `${kept} after the optimizer's step`,
    "state after noise": `${parameter} after the noise`,
  };
  return phrases[quantity];
}
