import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { eventually } from "./program.js";

/** Whether a SLURM can be started here; Debian: `apt-get install slurmctld slurmd slurm-client munge`. */
export function hasSlurm(): boolean {
  const programs = ["slurmctld", "slurmd", "munged", "sbatch", "squeue"];
  return process.getuid?.() === 0 && programs.every((name) => isThere(name));
}

function isThere(name: string): boolean {
  try {
    execFileSync("sh", ["-c", `PATH="$PATH:/usr/sbin" command -v ${name}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A SLURM of one node with two cores, on the loopback interface, with all of its files in a folder. */
export class SlurmCluster implements AsyncDisposable {
  /** What a program needs to find it. */
  readonly env: Record<string, string>;
  readonly #processes: ChildProcess[] = [];

  private constructor(folder: string) {
    this.env = { SLURM_CONF: join(folder, "slurm.conf"), PATH: `${process.env["PATH"]}:/usr/sbin` };
  }

  /** Start it; resolves when its node takes jobs. */
  static async start(folder: string): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    for (const name of ["state", "spool"]) mkdirSync(join(folder, name));
    const key = join(folder, "munge.key");
    writeFileSync(key, randomBytes(1024), { mode: 0o600 });
    const at = (name: string) => join(folder, name);
    cluster.#spawn("munged", [
      "--foreground",
      "--force",
      `--key-file=${key}`,
      `--socket=${at("munge.socket")}`,
      `--pid-file=${at("munge.pid")}`,
      `--seed-file=${at("munge.seed")}`,
      `--log-file=${at("munge.log")}`,
    ]);
    const host = hostname();
    const conf = [
      "ClusterName=test",
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${await freePort()}`,
      `SlurmdPort=${await freePort()}`,
      "AuthType=auth/munge",
      "CredType=cred/munge",
      `AuthInfo=socket=${at("munge.socket")}`,
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "SelectType=select/cons_tres",
      "SelectTypeParameters=CR_CPU", // else each task takes all of the memory, and they run one after the other
      "SlurmUser=root",
      `StateSaveLocation=${at("state")}`,
      `SlurmdSpoolDir=${at("spool")}`,
      `SlurmctldPidFile=${at("slurmctld.pid")}`,
      `SlurmdPidFile=${at("slurmd.pid")}`,
      `SlurmctldLogFile=${at("slurmctld.log")}`,
      `SlurmdLogFile=${at("slurmd.log")}`,
      "ReturnToService=2",
      "JobRequeue=1",
      "KillWait=5",
      "SchedulerParameters=sched_interval=2,batch_sched_delay=1",
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000`,
      "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    ];
    writeFileSync(at("slurm.conf"), `${conf.join("\n")}\n`);
    cluster.startController();
    cluster.#spawn("slurmd", ["-D"]);
    if (await eventually(() => cluster.ask("sinfo", "--noheader", "--format=%T").includes("idle"), 30_000)) return cluster;
    const said = ["munge.log", "slurmctld.log", "slurmd.log"].map((name) => tail(at(name)));
    await cluster[Symbol.asyncDispose]();
    throw new Error(`SLURM did not start: ${said.join("\n")}`);
  }

  /** What one of its commands says; empty where it fails. */
  ask(program: string, ...args: string[]): string {
    try {
      return execFileSync(program, args, { env: { ...process.env, ...this.env }, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch {
      return "";
    }
  }

  /** Kill the controller, as a machine that loses its power; its state stays on the disk. */
  async killController(): Promise<void> {
    const controller = this.#processes.find(({ spawnfile }) => spawnfile === "slurmctld");
    if (!controller) throw new Error("there is no controller");
    const ended = once(controller, "close");
    controller.kill("SIGKILL");
    await ended;
    this.#processes.splice(this.#processes.indexOf(controller), 1);
  }

  startController(): void {
    this.#spawn("slurmctld", ["-D"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ask("scancel", "--me");
    await eventually(() => this.ask("squeue", "--noheader").trim() === "", 15_000);
    for (const process of this.#processes.toReversed()) {
      const ended = new Promise((resolve) => process.once("close", resolve));
      if (process.exitCode === null && process.kill("SIGTERM")) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000))]);
      process.kill("SIGKILL");
    }
  }

  #spawn(program: string, args: string[]): void {
    this.#processes.push(spawn(program, args, { env: { ...process.env, ...this.env }, stdio: "ignore" }));
  }
}

function tail(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(-2000);
  } catch {
    return "";
  }
}
