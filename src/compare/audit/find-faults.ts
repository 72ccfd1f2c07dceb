import { basename } from "node:path";
import { z } from "zod";
import { count, groupDigits } from "../../text/format.js";
import type { CheckpointFacts, FileFacts } from "./read-checkpoint.js";
import { type PathFaults, WeightPath } from "./weight-path.js";

const findingKinds = [
  "missing",
  "damaged",
  "not-finite",
  "layout",
  "step",
  "duplicate",
  "wrong-shard",
  "out-of-order",
  "foreign",
  "not-descended",
  "shared",
] as const;

export const findingSchema = z.strictObject({ kind: z.enum(findingKinds), checkpoints: z.array(z.string()), evidence: z.string() });
type Finding = z.output<typeof findingSchema>;

export interface Faults {
  readonly findings: Finding[];
  readonly notes: string[];
}

const at = ({ found }: CheckpointFacts): string => (found.step === null ? basename(found.name) : `step ${groupDigits(found.step)}`);
const nameOf = ({ found }: CheckpointFacts): string => found.name;

/** The steps of checkpoints for a sentence, at most six of them. */
function steps(all: readonly CheckpointFacts[]): string {
  const texts = all.map(at);
  const [first = "", ...rest] = texts.length > 6 ? [...texts.slice(0, 3), `… (${texts.length} in all)`, ...texts.slice(-2)] : texts;
  const last = rest.pop();
  return last === undefined ? first : `${[first, ...rest].join(", ")} and ${last}`;
}

function grouped<Value>(values: readonly Value[], keyOf: (value: Value) => string | null): Value[][] {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return [...groups.values()];
}

/** Faults of one series. @param all its checkpoints in the order of their steps. */
export function findFaults(all: readonly CheckpointFacts[]): Faults {
  const read = all.filter(({ fault }) => !fault);
  const found: Faults = { findings: ownFaults(all), notes: [] };
  layoutFaults(read, found);
  const sound = read.filter(({ notFinite }) => notFinite.length === 0);
  const parts = partsOf(sound);
  const repeated = duplicates(sound, parts[0]?.path, found);
  for (const part of parts) repeatedShards(sound, part, repeated, found);
  const judged = parts.map(({ file, path }) => ({ file, faults: path.faults() }));
  reportMisfits(sound, judged, found);
  reportLinks(sound, judged, found);
  return found;
}

function ownFaults(all: readonly CheckpointFacts[]): Finding[] {
  return all.flatMap((facts): Finding[] => {
    const { found, fault, notFinite } = facts;
    const checkpoints = [found.name];
    const shown = notFinite.length > 3 ? `${notFinite.slice(0, 3).join(", ")} and ${notFinite.length - 3} more` : notFinite.join(", ");
    return [
      ...(fault ? [{ kind: fault.kind, checkpoints, evidence: fault.message }] : []),
      ...(notFinite.length > 0 ? [{ kind: "not-finite" as const, checkpoints, evidence: `NaN or infinity in ${shown}` }] : []),
      ...(found.trainerStep !== undefined && found.trainerStep !== found.step
        ? [{ kind: "step" as const, checkpoints, evidence: `the name has step ${found.step}, trainer_state.json has step ${found.trainerStep}` }]
        : []),
    ];
  });
}

/** Tensors whose dtype or shape differs from that in most checkpoints, one finding per difference. */
function layoutFaults(read: readonly CheckpointFacts[], { findings }: Faults): void {
  const layouts = grouped(read, ({ layout }) => JSON.stringify([...layout].sort()));
  const most = layouts.reduce<CheckpointFacts[]>((a, b) => (b.length > a.length ? b : a), []);
  const usual = most[0]?.layout;
  if (!usual) return;
  for (const group of layouts) {
    const [one] = group;
    if (!one || group === most) continue;
    const names = [...new Set([...usual.keys(), ...one.layout.keys()])].filter((name) => usual.get(name) !== one.layout.get(name));
    const [name = ""] = names;
    const more = names.length > 1 ? `, and ${count(names.length - 1, "more difference")}` : "";
    const evidence = `${name} is ${one.layout.get(name) ?? "absent"}, in ${count(most.length, "other checkpoint")} ${usual.get(name) ?? "absent"}${more}`;
    findings.push({ kind: "layout", checkpoints: group.map(nameOf), evidence });
  }
}

/** Equal for equal sampled weights; null without any. */
function sampleKey({ files }: CheckpointFacts): string | null {
  return files.some(({ samples }) => samples.length > 0) ? files.map(({ sampleHash }) => sampleHash).join() : null;
}

const weightsKey = (facts: CheckpointFacts): string | null => facts.weights ?? sampleKey(facts);

function duplicates(sound: readonly CheckpointFacts[], path: WeightPath | undefined, { findings, notes }: Faults): Set<CheckpointFacts> {
  const repeated = new Set<CheckpointFacts>();
  // A server's hashes differ where only metadata does, but weights never return to the same values.
  const returning = grouped(sound, sampleKey).filter(
    (group) =>
      group.length < sound.length && !isConsecutive(sound, group) && group.some(({ found }) => found.bytesReceived) && new Set(group.map(weightsKey)).size > 1,
  );
  const equal = grouped(sound, weightsKey).filter((group) => !returning.some((others) => others.includes(group[0] as CheckpointFacts)));
  for (const group of [...equal, ...returning]) {
    const [first, second] = group;
    if (!first || !second || new Set(group.map(({ found }) => found.step ?? found.name)).size === 1) continue;
    for (const facts of group) repeated.add(facts);
    const reason = excuse(sound, group);
    const what = first.weights === null || returning.includes(group) ? "the same sampled weights" : "the same weights";
    if (reason === undefined) {
      const best = path && first.embedding !== null ? sound[path.bestOf(group.map((facts) => sound.indexOf(facts)))] : undefined;
      const evidence = `${steps(group)} have ${what}, bit for bit${best ? `, which fit ${at(best)}` : ", by the hashes of their files"}`;
      findings.push({ kind: "duplicate", checkpoints: group.map(nameOf), evidence });
    } else notes.push(`${steps(group)} have ${what}: ${reason}`);
  }
  return repeated;
}

function isConsecutive(sound: readonly CheckpointFacts[], group: readonly CheckpointFacts[]): boolean {
  return sound.indexOf(group.at(-1) as CheckpointFacts) - sound.indexOf(group[0] as CheckpointFacts) === group.length - 1;
}

/** Optimizer steps that a dynamic loss scale of 2^32 can skip, rounded up. */
const skippedSteps = 32;
/** Share of sampled weights that change before a training that comes to rest by rounding. */
const restingShare = 0.01;
/** Distance per step relative to the interval before, for a training whose learning rate reaches 0: 1/3 for a linear decay, 0.38 where noise dominates. */
const restingPace = 0.45;

/** Why consecutive checkpoints may be equal; undefined if only an error explains it. */
function excuse(sound: readonly CheckpointFacts[], group: readonly CheckpointFacts[]): string | undefined {
  const start = sound.indexOf(group[0] as CheckpointFacts);
  if (!isConsecutive(sound, group)) return undefined;
  const [from, to] = [group[0]?.found, group.at(-1)?.found];
  if (from?.step === null || to?.step === null || !from || !to) return undefined;
  if (to.isAtRest?.(from.step)) return "their learning rate was 0";
  const last = sound.at(-1)?.found.step ?? 0;
  const span = to.step - from.step;
  if (start === 0 && from.step === 0 && (span === 1 || (span <= skippedSteps && span <= last / 1000))) {
    return "a warm-up starts with a learning rate of 0, and a loss scale skips first steps";
  }
  const [earlier, before, first] = [sound[start - 2], sound[start - 1], group[0]];
  if (!before || !first || sound.indexOf(group.at(-1) as CheckpointFacts) < sound.length - 1) return undefined;
  const lastMove = moveOf(before, first);
  if (lastMove.share < restingShare) return "the training had come to rest within rounding";
  const isSlowing = earlier && lastMove.pace < restingPace * moveOf(earlier, before).pace;
  return isSlowing ? "the moves before had shrunk as if the learning rate reached 0" : undefined;
}

/** Share of the sampled weights that changed, and distance per step. */
function moveOf(a: CheckpointFacts, b: CheckpointFacts): { share: number; pace: number } {
  const [left = [], right = []] = [a, b].map(({ files }) => files.flatMap(({ samples }) => samples.map(({ values }) => values)));
  let [changed, all, squares] = [0, 0, 0];
  for (const [index, values] of left.entries()) {
    all += values.length;
    for (const [at, value] of values.entries()) {
      const difference = value - (right[index]?.[at] ?? 0);
      squares += difference ** 2;
      if (difference !== 0) changed++;
    }
  }
  return { share: all === 0 ? 1 : changed / all, pace: Math.sqrt(squares) / Math.max(1, (b.found.step ?? 0) - (a.found.step ?? 0)) };
}

/** The part of a model that a file holds, whatever the file is called. */
const partOf = ({ samples }: FileFacts): string => samples.map(({ tensor, values, columns }) => `${tensor} ${values.length} ${columns}`).join();

/** The same part of a model in all checkpoints. */
interface Part {
  readonly file: string;
  readonly files: readonly (FileFacts | undefined)[];
  readonly path: WeightPath;
}

function partsOf(sound: readonly CheckpointFacts[]): Part[] {
  const steps = sound.map(({ found: { step } }) => step);
  const keys = new Set(sound.flatMap(({ files }) => files.filter(({ samples }) => samples.length > 0).map(partOf)));
  return [...keys].map((key) => {
    const files = sound.map((facts) => facts.files.find((file) => partOf(file) === key));
    return { file: files.find((file) => file)?.name ?? "", files, path: new WeightPath(files, steps) };
  });
}

type Judged = { readonly file: string; readonly faults: PathFaults };

/** The same file in checkpoints whose other files differ. */
function repeatedShards(sound: readonly CheckpointFacts[], { files, path }: Part, repeated: ReadonlySet<CheckpointFacts>, { findings }: Faults): void {
  if (sound.every((facts) => facts.files.length < 2)) return;
  const pairs = files.slice(1).flatMap((file, index) => (file && files[index] ? [file.sampleHash === files[index].sampleHash] : []));
  if (pairs.filter((isEqual) => isEqual).length > pairs.length / 2) return; // these weights are not trained
  const facts = (position: number) => sound[position] as CheckpointFacts;
  const positions = [...files.keys()].filter((position) => files[position]);
  for (const group of grouped(positions, (position) => files[position]?.hash ?? files[position]?.sampleHash ?? null)) {
    if (new Set(group.map((position) => weightsKey(facts(position)))).size < 2) continue;
    const best = path.bestOf(group);
    const isDuplicate = (position: number) => repeated.has(facts(position)) && weightsKey(facts(position)) === weightsKey(facts(best));
    const members = [...group.filter((position) => position !== best && !isDuplicate(position)), best].map(facts);
    const evidence = `${files[best]?.name} is the same at ${steps(members)}, while their other files differ; it fits ${at(facts(best))}`;
    findings.push({ kind: "wrong-shard", checkpoints: members.map(nameOf), evidence });
  }
}

function reportMisfits(sound: readonly CheckpointFacts[], judged: readonly Judged[], { findings }: Faults): void {
  const facts = (position: number) => sound[position] as CheckpointFacts;
  const isSeenBy = ({ faults }: Judged, at: readonly number[]) => faults.misfits.some((misfit) => misfit.at.some((position) => at.includes(position)));
  for (const [index, { file, faults }] of judged.entries()) {
    for (const { at: positions, between } of faults.misfits) {
      const isEverywhere = judged.every((other) => isSeenBy(other, positions));
      if (isEverywhere && index > 0) continue;
      const members = positions.map(facts);
      const [before, after] = between.map((position) => (position === undefined ? undefined : at(facts(position))));
      const location = before && after ? `between ${before} and ${after}` : before ? `after ${before}` : `before ${after}`;
      const where = members.length > 1 ? "in each other's place" : location;
      const what = isEverywhere ? "the weights" : `${file}, unlike that of the other files,`;
      const evidence = `the path of ${what} through the steps is shorter with ${steps(members)} ${where}`;
      findings.push({ kind: isEverywhere ? "out-of-order" : "wrong-shard", checkpoints: members.map(nameOf), evidence });
    }
  }
}

function reportLinks(sound: readonly CheckpointFacts[], judged: readonly Judged[], { findings, notes }: Faults): void {
  const facts = (position: number) => sound[position] as CheckpointFacts;
  const collect = (of: (faults: PathFaults) => readonly number[]) => [...new Set(judged.flatMap(({ faults }) => of(faults)))].sort((a, b) => a - b);
  for (const position of collect(({ foreign }) => foreign)) {
    const files = judged.filter(({ faults }) => faults.foreign.includes(position)).map(({ file }) => file);
    const isAll = files.length === judged.length;
    const who = isAll ? at(facts(position)) : `${files.join(", ")} of ${at(facts(position))}`;
    const evidence = `${who} shares nothing with the checkpoints before and after, which belong together`;
    findings.push({ kind: isAll ? "foreign" : "wrong-shard", checkpoints: [nameOf(facts(position))], evidence });
  }
  for (const position of collect(({ breaks }) => breaks)) {
    const earlier = sound.slice(0, position);
    const files = judged.filter(({ faults }) => faults.breaks.includes(position)).map(({ file }) => file);
    const part = files.length === judged.length ? "" : ` in ${files.join(", ")}`;
    const evidence = `the weights of ${at(facts(position))} are independent of ${steps(earlier)}${part}: the series does not descend from its first steps`;
    findings.push({ kind: "not-descended", checkpoints: [...earlier, facts(position)].map(nameOf), evidence });
  }
  if (judged.length > 0 && judged.every(({ faults }) => faults.isStartUndecided)) {
    notes.push(`Whether the series descends from step 0 is undecided: too few weights were sampled for how far they moved by ${at(facts(1))}`);
  }
}

/** Weights that two series have in common. */
export function sharedFaults(all: readonly { readonly name: string; readonly checkpoints: readonly CheckpointFacts[] }[]): Faults {
  const found: Faults = { findings: [], notes: [] };
  for (const [index, a] of all.entries()) {
    for (const b of all.slice(index + 1)) {
      const own = a.checkpoints.filter((facts) => weightsKey(facts) !== null && b.checkpoints.some((other) => weightsKey(other) === weightsKey(facts)));
      const shared = b.checkpoints.filter((facts) => own.some((other) => weightsKey(other) === weightsKey(facts)));
      if (shared.length === 0) continue;
      const isStart = own[0]?.found.step === 0 && new Set(own.map(weightsKey)).size === 1;
      const text = `${a.name} and ${b.name} have the same weights at ${steps(shared)}`;
      if (isStart) found.notes.push(`${text}: the trainings start from the same weights`);
      else found.findings.push({ kind: "shared", checkpoints: [...own, ...shared].map(nameOf), evidence: text });
    }
  }
  return found;
}
