import { expect, test } from "vitest";
import { nodesOf } from "../../../../src/commands/train/node-options.js";

const endpoint = { rdzvEndpoint: "node1:29500" };

test("a training of one machine is asked for nothing", () => {
  expect(nodesOf({}, {})).toBeUndefined();
  expect(nodesOf({ nnodes: "1" }, {})).toBeUndefined();
});

test("each machine is told how many there are, which it is, and where the first one waits", () => {
  expect(nodesOf({ nnodes: "3", nodeRank: "2", ...endpoint, rdzvId: "mine" }, {})).toEqual({ count: 3, rank: 2, host: "node1", port: 29500, id: "mine" });
  expect(nodesOf({ nnodes: "2", nodeRank: "0", rdzvEndpoint: "[fe80::1]:80" }, {})).toMatchObject({ host: "fe80::1", port: 80, id: "bh-bridge" });
});

test("inside of SLURM srun says which machine it is and what the training is called", () => {
  const env = { SLURM_NODEID: "1", SLURM_JOB_ID: "77" };
  expect(nodesOf({ nnodes: "2", ...endpoint }, env)).toMatchObject({ rank: 1, id: "77" });
  expect(nodesOf({ nnodes: "2", nodeRank: "0", ...endpoint, rdzvId: "b" }, env)).toMatchObject({ rank: 0, id: "b" });
});

test.each([
  [{ nodeRank: "1" }, "--node-rank is for training on several machines"],
  [{ nnodes: "two" }, '--nnodes takes a whole number of at least 1, not "two"'],
  [{ nnodes: "2", ...endpoint }, "name this machine with --node-rank, from 0 to 1"],
  [{ nnodes: "2", nodeRank: "2", ...endpoint }, "expected 0 to 1 for 2 machines"],
  [{ nnodes: "2", nodeRank: "0" }, "--rdzv-endpoint, for example node1:29500"],
  [{ nnodes: "2", nodeRank: "0", rdzvEndpoint: "node1" }, "--rdzv-endpoint, for example node1:29500"],
])("what is missing or wrong is told: %j", (values, message) => {
  expect(() => nodesOf(values, {})).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining(message) }));
});
