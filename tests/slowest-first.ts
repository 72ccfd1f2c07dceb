import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/** Folders whose files take minutes come before those whose files take moments, so that no worker is left with a long one at the end. */
const order = ["tests/e2e/", "tests/bridge/", "tests/fuzz/", "tests/types/", "tests/contract/", "tests/unit/"];
const rank = ({ moduleId }: TestSpecification) => order.findIndex((folder) => moduleId.includes(`/${folder}`));

/** Order of the test files: by folder, and in a folder as vitest does, by time where it is known and by size where it is not. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
