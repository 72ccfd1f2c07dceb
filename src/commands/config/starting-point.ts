import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "../../config/set-layer.js";
import { BhBridgeError } from "../../errors.js";
import { openEmbedding } from "../../formats/open-embedding.js";
import { isRunDirectory } from "../../formats/run-directory.js";
import { count } from "../../text/count.js";
import { findPath, splitTarget } from "../terminal/find-target.js";

const source = "--from";

/**
 * The values that `--from` stands for: of a checkpoint the model, of a run its final model, and of `RUN::STEP` the embedding that it had after that step,
 * with the sizes that go with it.
 *
 * @param out folder that holds the runs.
 * @throws {BhBridgeError} `USAGE` for a run without a final model, for a step that was not recorded, and for a run that recorded chosen rows alone; what
 *   opening the file gives.
 */
export async function startingPoint(from: string, out: string): Promise<Assignment[]> {
  const [left, step] = splitTarget(from);
  const path = await findPath(left, out);
  if (step === undefined) return [{ path: "model.from", value: isRunDirectory(path) ? finalModel(path) : path, source }];
  if (!/^\d{1,15}$/.test(step)) throw new BhBridgeError("USAGE", `--from ${from}: after :: comes the number of a recorded step`);
  const embedding = await openEmbedding(path, { step: Number(step) });
  try {
    const { shape, rows } = embedding;
    const { ids, vocabulary } = rows.rowTokens;
    if (ids) throw new BhBridgeError("USAGE", `${path} recorded ${shape[0]} of ${count(vocabulary, "row")}: an embedding to begin with has all of them`);
    const [vocab_size, n_embd] = shape;
    return [
      { path: "init", value: { kind: "file", path, step: Number(step) }, source },
      { path: "model.vocab_size", value: vocab_size, source },
      { path: "model.n_embd", value: n_embd, source },
    ];
  } finally {
    embedding.close();
  }
}

function finalModel(run: string): string {
  const final = join(run, "final");
  if (existsSync(final)) return final;
  throw new BhBridgeError("USAGE", `${run} has no final model: go on with it by "bh-bridge resume ${run}", or give --from one of its checkpoints`);
}
