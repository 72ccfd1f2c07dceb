import { expect, test } from "vitest";
import { atExit } from "../../../src/python/at-exit.js";

test("clean-ups run when Node exits, in order, but for those that were taken back; one listener serves all", () => {
  const listeners = process.listenerCount("exit");
  const ran: string[] = [];
  const takeBack = ["a", "b", "c"].map((name) => atExit(() => ran.push(name)));
  expect(process.listenerCount("exit")).toBe(listeners + 1);
  takeBack[1]?.();
  for (const listener of process.listeners("exit").slice(listeners)) listener.call(process, 0);
  expect(ran).toEqual(["a", "c"]);
  for (const back of takeBack) back();
  expect(process.listenerCount("exit")).toBe(listeners);
});
