import type { ServedRun } from "./catalogue.js";
import type { BasisDocument } from "./documents.js";
import { basisDocument, basisSize, enoughStates, type RunView } from "./run-view.js";

interface ViewedRun {
  readonly run: ServedRun;
  readonly view: RunView;
}

/** Maximum number of cached bases of two runs, which take up to a few hundred kilobytes each. */
const cachedBases = 16;

/** Bases that two runs share. The order of the runs does not matter: both addresses show the same view. */
export class SharedBases {
  readonly #known = new Map<string, BasisDocument>();

  /** @throws {BhBridgeError} as `sharedBasis`; as opening a history. */
  async of(...runs: readonly [ViewedRun, ViewedRun]): Promise<BasisDocument> {
    const [first, second] = runs[0].run.id < runs[1].run.id ? runs : [runs[1], runs[0]];
    const key = `${first.run.id} ${second.run.id}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { sharedBasis } = await import("../analysis/geometry/path-basis.js");
    const ours = await first.view.open();
    try {
      const theirs = await second.view.open();
      try {
        const basis = basisDocument(await sharedBasis([ours, theirs], basisSize));
        if (Math.min(ours.states, theirs.states) > enoughStates) this.#keep(key, basis);
        return basis;
      } finally {
        theirs.close();
      }
    } finally {
      ours.close();
    }
  }

  #keep(key: string, basis: BasisDocument): void {
    this.#known.set(key, basis);
    const [oldest] = this.#known.keys();
    if (this.#known.size > cachedBases && oldest !== undefined) this.#known.delete(oldest);
  }
}
