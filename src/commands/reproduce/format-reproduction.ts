import type { Reproduction } from "../../compare/reproduce.js";
import { inlineYaml } from "../../config/inline-yaml.js";
import type { TextColors } from "../../config/text-colors.js";
import { groupDigits } from "../../text/group-digits.js";
import { wrap } from "../../text/wrap.js";
import { divergenceLines } from "../compare/format-divergence.js";
import { placeOfRecord } from "../compare/place-of-record.js";

const indent = 2;

/** A reproduction for people: equal in every bit, or where it first differs and what is different in the environment. */
export function formatReproduction({ steps, equal, first, loss, environment, deep }: Reproduction, color: TextColors, width?: number): string {
  const changes = environment.map(({ path, values: [before, now] }) => `  ${path}  ${inlineYaml(before)} → ${inlineYaml(now)}`);
  const lines = equal
    ? [color.green(`Equal in every bit to step ${groupDigits(steps)}`), ...(changes.length > 0 ? ["All the same in another environment:", ...changes] : [])]
    : [
        color.red("Not equal"),
        ...(first ? [`  The history differs first at ${placeOfRecord(first)}`] : []),
        ...(loss ? [`  The loss differs first at step ${groupDigits(loss.step)}: ${loss.a} and ${loss.b}`] : []),
        ...(changes.length > 0
          ? ["What differs in the environment:", ...changes]
          : ["Nothing that is recorded of the environment differs. Is the run as it was written? bh-bridge runs verify tells"]),
        ...(deep ? ["Trained twice more, one after the other:", ...divergenceLines(deep, ["the first", "the second"]).map((line) => `  ${line}`)] : []),
      ];
  return wrap(lines.join("\n"), width, 2 * indent);
}
