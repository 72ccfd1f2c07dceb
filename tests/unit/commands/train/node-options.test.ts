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
  [{ nodeRank: "1" }, "--node-rank is for a training of several machines"],
  [{ nnodes: "two" }, '--nnodes takes a whole number from 1 on, not "two"'],
  [{ nnodes: "2", ...endpoint }, "say which machine this is with --node-rank, from 0 to 1"],
  [{ nnodes: "2", nodeRank: "2", ...endpoint }, "the 2 machines are 0 to 1"],
  [{ nnodes: "2", nodeRank: "0" }, "--rdzv-endpoint HOST:PORT"],
  [{ nnodes: "2", nodeRank: "0", rdzvEndpoint: "node1" }, "--rdzv-endpoint HOST:PORT"],
])("what is missing or wrong is told: %j", (values, message) => {
  expect(() => nodesOf(values, {})).toThrow(expect.objectContaining({ code: "USAGE", message: expect.stringContaining(message) }));
});
