import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Make and drop many objects in a process of its own. @returns the bytes that V8 then has for new ones. */
function roomForGarbage(isKeptSmall: boolean): number {
  const program = `
    const { getHeapSpaceStatistics } = await import("node:v8");
    await import("./scripts/typescript-loader.mjs");
    const { keepMemorySmall } = await import("./src/commands/serve/serve.ts");
    if (${isKeptSmall}) keepMemorySmall();
    let kept = [];
    for (let round = 0; round < 200; round++) kept = Array.from({ length: 20_000 }, (_, at) => ({ at, before: kept[at]?.at }));
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" }));
}

test("garbage gets less room than V8 gives it by itself", () => {
  expect(roomForGarbage(true)).toBeLessThan(roomForGarbage(false));
});
