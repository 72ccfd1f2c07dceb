import { expect, onTestFinished, test } from "vitest";
import { repetitions } from "../repetitions.js";
import { startLight } from "./light-session.js";
import { lightTrainer } from "./light-trainer.js";
import { rejectionOf } from "./rejection-of.js";

/** The same moments in every run of the test: a linear congruential generator (Numerical Recipes, ch. 7.1). */
function momentsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A light training takes its steps without pause; by then it has taken thousands. */
const latestKillMs = 150;

const kills = repetitions(12, 100);

test(`${kills} kills at random moments of a training end in one PEER_EXITED within a second each`, async () => {
  const random = momentsOf(4);
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  for (let kill = 0; kill < kills; kill++) {
    const session = await startLight();
    const trainer = await lightTrainer(session, { max_steps: 1_000_000, log_every: 10, durable: false });
    let rejections = 0;
    const training = rejectionOf(trainer.train()).finally(() => rejections++);
    await new Promise((resolve) => setTimeout(resolve, random() * latestKillMs));
    process.kill(session.environment.pid, "SIGKILL");
    const killed = performance.now();
    expect(await training).toMatchObject({ code: "PEER_EXITED", exit: { signal: "SIGKILL" } });
    expect(performance.now() - killed).toBeLessThan(1000);
    expect(rejections).toBe(1);
    expect(await rejectionOf(trainer.state())).toMatchObject({ code: "PEER_EXITED" });
    await session.close();
  }
  // Some die before their training begins: the run is gone then, and there is nothing in it to note a failure in.
  expect(warnings.filter((warning) => warning.startsWith("BhBridgeRunWarning"))).toEqual([]);
});
