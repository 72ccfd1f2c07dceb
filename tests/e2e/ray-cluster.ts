import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { freePort } from "./free-port.js";
import { eventually, marked, projectRoot, python } from "./program.js";

/** What the tests are run with. */
const rayVersion = "2.60.0";
const environment = join(projectRoot, ".venv-ray");

/** Ray in an environment of its own, which finds PyTorch where the tests do; made once. @returns the program `ray`. */
async function rayProgram(): Promise<string> {
  const isMade = join(environment, `ray-${rayVersion}`);
  if (!existsSync(isMade)) {
    rmSync(environment, { recursive: true, force: true });
    await execa(python, ["-m", "venv", environment]);
    await execa(join(environment, "bin/python"), ["-m", "pip", "install", "-q", `ray[default]==${rayVersion}`]);
    const { stdout } = await execa(python, ["-c", "import torch, pathlib; print(pathlib.Path(torch.__file__).parents[1])"]);
    const library = join(environment, "lib");
    for (const version of readdirSync(library)) writeFileSync(join(library, version, "site-packages", "tests.pth"), `${stdout}\n`);
    mkdirSync(isMade);
  }
  return join(environment, "bin/ray");
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // it has ended
  }
}

let clusters = 0;

/** A Ray cluster on this machine's loopback, its nodes as many processes. */
export class LoopbackCluster {
  readonly address: string;
  readonly #ray: string;
  readonly #port: number;
  readonly #folder: string;
  readonly #number = clusters++;
  /** The processes of each node carry a mark in their environment, those of its workers too. */
  readonly #marks: string[] = [];

  private constructor(ray: string, port: number, dashboard: number, folder: string) {
    this.#ray = ray;
    this.#port = port;
    this.#folder = folder;
    this.address = `http://127.0.0.1:${dashboard}`;
  }

  /** Start a head and further nodes, each with one CPU; resolves when all of them are there. */
  static async start(nodes: number): Promise<LoopbackCluster> {
    const ray = await rayProgram();
    const [port, dashboard, agent] = [await freePort(), await freePort(), await freePort()];
    const folder = mkdtempSync("/tmp/bh-ray-"); // a short path: sockets lie in it
    const cluster = new LoopbackCluster(ray, port, dashboard, folder);
    const shown = ["--dashboard-host", "127.0.0.1", "--dashboard-port", `${dashboard}`, "--dashboard-agent-listen-port", `${agent}`];
    cluster.#startNode("--head", "--port", `${port}`, "--temp-dir", folder, ...shown);
    await cluster.#hasNodes(1);
    for (let node = 1; node <= nodes; node++) {
      cluster.#startNode("--address", `127.0.0.1:${port}`, "--dashboard-agent-listen-port", `${await freePort()}`);
      await cluster.#hasNodes(1 + node); // two that start at once choose the same socket, and one of them ends
    }
    return cluster;
  }

  /** What the environment of a node's processes carries. 0 is the head. */
  markOf(node: number): string {
    const mark = this.#marks[node];
    if (mark === undefined) throw new Error(`the cluster has no node ${node}`);
    return mark;
  }

  /** Kill a node with all that runs on it, as a machine that loses its power. 0 is the head. */
  async kill(node: number): Promise<void> {
    for (const pid of await marked(this.markOf(node))) process.kill(pid, "SIGKILL");
  }

  /** Kill the processes whose command line has this text: a part of Ray, or what runs on it. */
  async killPart(text: string): Promise<void> {
    const all = (await Promise.all(this.#marks.map((mark) => marked(mark)))).flat();
    const found = all.filter((pid) => commandLine(pid).includes(text));
    if (found.length === 0) throw new Error(`nothing on the cluster is called ${text}`);
    for (const pid of found) process.kill(pid, "SIGKILL");
  }

  /** The state of each job. */
  async jobs(): Promise<string[]> {
    const jobs = (await (await fetch(`${this.address}/api/jobs/`)).json()) as { status: string }[];
    return jobs.map(({ status }) => status);
  }

  async close(): Promise<void> {
    for (const node of this.#marks.keys()) await this.kill(node);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }); // what was killed has just written there
  }

  #startNode(...args: string[]): void {
    const mark = `BH_RAY_NODE=${process.pid}-${this.#number}-${this.#marks.length}`;
    const [name = "", value = ""] = mark.split("=");
    const options = ["--num-cpus", "1", "--node-ip-address", "127.0.0.1", "--object-store-memory", "80000000", "--disable-usage-stats", "--block"];
    const env = { [name]: value, RAY_USAGE_STATS_ENABLED: "0", RAY_DISABLE_IMPORT_WARNING: "1", OMP_NUM_THREADS: "1" };
    execa(this.#ray, ["start", ...args, ...options], { env, reject: false, stdio: "ignore" }).unref();
    this.#marks.push(mark);
  }

  async #hasNodes(number: number): Promise<void> {
    const areThere = await eventually(async () => {
      try {
        const answer = (await (await fetch(`${this.address}/api/v0/nodes?limit=100`)).json()) as { data: { result: { result: { state: string }[] } } };
        return answer.data.result.result.filter(({ state }) => state === "ALIVE").length === number;
      } catch {
        return false; // the dashboard is not up yet
      }
    }, 120_000);
    if (!areThere) throw new Error(`Ray has not started ${number} nodes (port ${this.#port})`);
  }
}
