// A worker that answers each order with the length of its kind, and ends with 7 when its starter has gone.
import { openWorkerChannel } from "../../../../../src/sweep/pool/worker-channel.js";

const channel = openWorkerChannel(
  ({ kind }) => (kind === "leave" ? channel.close() : channel.send({ kind: "step", index: 0, step: kind.length, loss: null })),
  () => process.exit(7),
);
