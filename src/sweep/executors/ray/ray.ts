import type { ExecutorKind } from "../executor.js";
import type { RayChoice } from "./ray-executor.js";

export const ray: ExecutorKind<RayChoice> = {
  title: "Ray",
  options: [
    {
      flags: "--address <url>",
      field: "address",
      value: "text",
      description: "for --executor ray: URL of the cluster's dashboard (default: RAY_API_SERVER_ADDRESS, RAY_ADDRESS or http://127.0.0.1:8265)",
      isDiagnosed: true,
    },
    {
      flags: "--runtime-env <file>",
      field: "runtimeEnv",
      value: "object",
      description: "for --executor ray: JSON or YAML file with Ray's runtime_env: pip, conda, env_vars, …",
      isDiagnosed: true,
    },
  ],
  async create(python, { address, runtimeEnv }) {
    const [{ RayExecutor }, { rayAddress }] = await Promise.all([import("./ray-executor.js"), import("./ray-cluster.js")]);
    return new RayExecutor(python, { address: rayAddress(address), runtimeEnv });
  },
  settle: async ({ directory, signal }) => (await import("./job-note.js")).endEarlierJob(directory, signal && { signal }),
  diagnosis: {
    looking: "the nodes of the Ray cluster",
    async diagnose({ python }, { address, runtimeEnv }) {
      const [{ diagnoseRay }, { RayCluster, rayAddress }] = await Promise.all([import("./diagnose-ray.js"), import("./ray-cluster.js")]);
      return diagnoseRay(new RayCluster(rayAddress(address)), python, runtimeEnv);
    },
  },
};
