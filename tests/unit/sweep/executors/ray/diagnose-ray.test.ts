import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { diagnoseRay } from "../../../../../src/sweep/executors/ray/diagnose-ray.js";
import { RayCluster } from "../../../../../src/sweep/executors/ray/ray-cluster.js";
import { python } from "../../../formats/reference-python.js";

// A dashboard as Ray 2.60 answers, of a cluster that has everything but what is looked for.
const packages = { torch: "2.13.0", transformers: null, accelerate: "1.9.0", safetensors: "0.6.0", numpy: "2.3.0" };
const nodes = [{ host: "bare", python: "3.11.7", packages, node: null }];
const answers: Record<string, unknown> = {
  "/api/version": { ray_version: "2.9.1" },
  "/api/v0/nodes": { data: { result: { result: [{ node_id: "1", node_ip: "10.0.0.1", state: "ALIVE", resources_total: { CPU: 0 } }] } } },
  "/api/jobs/": { submission_id: "look" },
};
const server = createServer((question, answer) => {
  const path = (question.url ?? "").replace(/\?.*/, "");
  const logs = path.endsWith("/logs") ? { logs: `Ray says something\nbh-bridge-nodes ${JSON.stringify(nodes)}\n` } : undefined;
  question.resume().on("end", () => answer.end(JSON.stringify(answers[path] ?? logs ?? { status: "SUCCEEDED", message: null })));
});
let address = "";
beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

test("an old Ray, a cluster without CPUs, and a node without packages are told, each with what mends it", async () => {
  expect(await diagnoseRay(new RayCluster(address), python, undefined)).toEqual([
    { name: "Ray cluster", ok: false, found: `Ray 2.9.1 at ${address}`, expected: "Ray >=2.54", fix: expect.stringContaining('pip install "ray[default]') },
    { name: "Ray nodes", ok: false, found: "1 node: 0 CPUs, 0 GPUs", expected: "a CPU for each worker", fix: expect.stringContaining("--num-cpus") },
    {
      name: "Ray packages",
      ok: false,
      found: "bare lacks transformers, Node.js",
      expected: "PyTorch, transformers and Node.js on every node",
      fix: expect.stringContaining("--runtime-env"),
    },
  ]);
});

test("a cluster that does not answer is one failed check, with how to start one", async () => {
  const [only, ...others] = await diagnoseRay(new RayCluster("http://127.0.0.1:9"), python, undefined);
  expect(only).toMatchObject({
    name: "Ray cluster",
    ok: false,
    found: expect.stringContaining("http://127.0.0.1:9"),
    fix: expect.stringContaining("ray start --head"),
  });
  expect(others).toEqual([]);
});
