import { z } from "zod";
import { count } from "../../text/count.js";
import { leastPairsForNull, leastPairsForPositive, type Rules } from "./rules.js";

/** An earlier verdict of an experiment over other seeds than it has now. */
export const lookSchema = z.strictObject({ seeds: z.array(z.int().nonnegative()).readonly(), result: z.string() });
export type Look = z.output<typeof lookSchema>;

/** What a document knows of the verdicts before it, and of its own. */
interface Judged {
  readonly seeds: readonly number[];
  readonly control: readonly unknown[];
  readonly treatment: readonly unknown[];
  readonly verdict: { readonly result: string; readonly arms: readonly unknown[] };
  readonly looks?: readonly Look[] | undefined;
}

const isSame = (one: readonly number[], other: readonly number[]) => one.length === other.length && one.every((seed) => other.includes(seed));

/**
 * The verdicts that were given before one over these seeds: those that the last document knows, and its own, where it was over other seeds and no planned run
 * was missing.
 *
 * @param last the document of the last conclusion; undefined where there was none.
 */
export function earlierLooks(last: Judged | undefined, seeds: readonly number[]): Look[] {
  if (last === undefined) return [];
  const { control, treatment, verdict, looks = [] } = last;
  const isWhole = control.length === last.seeds.length && treatment.length === last.seeds.length * verdict.arms.length;
  const all = isWhole ? [...looks, { seeds: last.seeds, result: verdict.result }] : [...looks];
  return all.filter((look, at) => !isSame(look.seeds, seeds) && all.findIndex((other) => isSame(other.seeds, look.seeds)) === at);
}

/** That seeds were added, or left out, after a result was read, and what that does to the error rates; nothing where there was no earlier look. */
export function secondLook(looks: readonly Look[], rules: Rules, tests: number): string[] {
  if (looks.length === 0) return [];
  const fewest = Math.min(leastPairsForNull(rules), leastPairsForPositive(rules, tests));
  const told = looks.map(({ seeds, result }) => `${result} over ${count(seeds.length, "seed")}`).join(", ");
  const lead = `Second look: this experiment was judged before (${told}), and its seeds were changed after that result could be read`;
  const sequential = "The sequential rule, which is planned, will allow such looks";
  return looks.every(({ seeds }) => seeds.length < fewest)
    ? [`${lead}. With fewer than ${fewest} seeds only inconclusive was possible, so that look adds no false positives. ${sequential}`]
    : [`${lead}. Each such look adds false positives beyond alpha: about 11 % in all for a look after every pair from 6 to 20 at alpha 0.05. ${sequential}`];
}
