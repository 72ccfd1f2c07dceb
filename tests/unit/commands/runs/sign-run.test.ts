import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signDocumentSchema, verifyDocumentSchema } from "../../../../src/commands/runs/format-runs.js";
import { runsCommand } from "../../../../src/commands/runs/runs.js";
import { configHash } from "../../../../src/config/config-hash.js";
import { sealRun } from "../../../../src/runs/checksums.js";
import { readRunConfig } from "../../../../src/runs/run-config.js";
import { readRunManifest, writeRunManifest } from "../../../../src/runs/run-manifest.js";
import { verifyRun } from "../../../../src/runs/verify-run.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";
import { captureStdout } from "../capture-stdout.js";

let code: typeof process.exitCode;
beforeEach(() => {
  code = process.exitCode;
});
afterEach(() => {
  process.exitCode = code;
});

const out = temporaryDirectory();

function writtenRun(id: string, { sealed = true } = {}): string {
  const run = writeRun({ folder: out, id, steps: 5, status: "stopped" });
  writeRunManifest(run, { ...readRunManifest(run), config_hash: configHash(readRunConfig(run)) });
  if (sealed) sealRun(run);
  return run;
}

function makeKey(name: string, passphrase = ""): string {
  const path = join(out, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", path]);
  return path;
}

/** A line of allowed signers. */
const allowing = (principal: string, key: string) => `${principal} ${readFileSync(`${key}.pub`, "utf8")}`;

function writeSigners(name: string, ...lines: string[]): string {
  const path = join(out, name);
  writeFileSync(path, lines.join(""));
  return path;
}

const runs = (...args: string[]) => captureStdout(runsCommand(), ...args);
const sign = async (run: string, key: string) => signDocumentSchema.parse(JSON.parse(await runs("sign", "--json", run, "--key", key)));
const verify = async (run: string, signers: string) => verifyDocumentSchema.parse(JSON.parse(await runs("verify", "--json", run, "--signers", signers)));

const hasOpenSsh = spawnSync("ssh-keygen", ["-?"]).error === undefined;

describe.skipIf(!hasOpenSsh)("a signature", () => {
  const key = hasOpenSsh ? makeKey("key") : "";
  const signers = hasOpenSsh ? writeSigners("signers", allowing("me@example.org", key)) : "";
  const fingerprint = () => execFileSync("ssh-keygen", ["-l", "-f", `${key}.pub`], { encoding: "utf8" }).split(" ")[1];

  test("by an allowed key names its principal, and OpenSSH alone confirms it", async () => {
    const run = writtenRun("allowed");
    expect(await sign(run, key)).toEqual({ schema: "bh-bridge/sign@1", run, signature: join(run, "SHA256SUMS.sig"), type: "ED25519", key: fingerprint() });
    expect(await verify(run, signers)).toEqual({
      ...{ schema: "bh-bridge/verify@1", run, ok: true, problems: [], uncovered: [] },
      signature: { principal: "me@example.org", type: "ED25519", key: fingerprint() },
    });
    expect(process.exitCode).toBe(code);
    const args = ["-Y", "verify", "-f", signers, "-I", "me@example.org", "-n", "bh-bridge", "-s", join(run, "SHA256SUMS.sig")];
    expect(execFileSync("ssh-keygen", args, { input: readFileSync(join(run, "SHA256SUMS")), encoding: "utf8" })).toMatch(/^Good "bh-bridge" signature/);
  });

  test("is not a part of the run for a verification without signers", async () => {
    const run = writtenRun("plain");
    await sign(run, key);
    expect(await runs("verify", run)).toBe(`${run}: all checksums match\nNot covered: SHA256SUMS.sig (it signs the checksums: check it with --signers)\n`);
  });

  test("of a run in an archive is verified", async () => {
    const run = writtenRun("packed");
    await sign(run, key);
    const archive = join(out, "packed.zip");
    execFileSync("python3", ["-m", "zipfile", "-c", archive, "packed"], { cwd: out });
    expect(await verify(archive, signers)).toMatchObject({ run: archive, ok: true, signature: { principal: "me@example.org" } });
    writeFileSync(join(run, "config.json"), " ", { flag: "a" });
    rmSync(archive);
    execFileSync("python3", ["-m", "zipfile", "-c", archive, "packed"], { cwd: out });
    expect((await verify(archive, signers)).problems[0]).toMatch(`${archive}/packed/config.json is damaged`);
  });

  test.each<[string, (run: string) => void, RegExp]>([
    ["a changed file", (run) => appendFileSync(join(run, "config.json"), " "), /config\.json is damaged/],
    ["a file that was added", (run) => cpSync(join(run, "run.json"), join(run, "notes.json")), /notes\.json is not signed: it came after the checksums/],
    ["a removed signature", (run) => rmSync(join(run, "SHA256SUMS.sig")), /is not signed: it has no SHA256SUMS\.sig/],
    ["a file that is no signature", (run) => writeFileSync(join(run, "SHA256SUMS.sig"), "me"), /does not sign the present SHA256SUMS/],
    ["removed checksums", (run) => rmSync(join(run, "SHA256SUMS")), /signs nothing: the run has no sound SHA256SUMS/],
    ["a link in its place", (run) => replaceByLink(join(run, "SHA256SUMS.sig")), /SHA256SUMS\.sig/],
  ])("does not hold after %s", async (name, change, problem) => {
    const run = writtenRun(name.replaceAll(" ", "-"));
    await sign(run, key);
    change(run);
    const document = await verify(run, signers);
    expect(document.ok).toBe(false);
    expect(document.problems.join("\n")).toMatch(problem);
    expect(process.exitCode).toBe(1);
  });

  test("does not hold after a note, and a new one does", async () => {
    const run = writtenRun("noted");
    await sign(run, key);
    await runs("note", run, "loss spikes at 3");
    expect((await verify(run, signers)).problems).toEqual([expect.stringContaining("changed after it was signed (also by a note or tag)")]);
    await sign(run, key);
    expect((await verify(run, signers)).ok).toBe(true);
  });

  test("finds a change of a snapshot that keeps its CRC-32", async () => {
    const run = writtenRun("forged");
    const unsigned = writtenRun("forged-unsigned");
    await sign(run, key);
    for (const each of [run, unsigned]) addMultipleOfCrc(join(each, "history.safetensors"));
    expect((await verifyRun(unsigned)).problems, "CRC-32 finds accidents only").toEqual([]);
    expect((await verify(run, signers)).problems).toEqual([expect.stringContaining("history.safetensors is damaged: its SHA-256")]);
  });

  test("of checksums without whole histories is not enough", async () => {
    const run = writtenRun("by-hand");
    execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-n", "bh-bridge", "-f", key, join(run, "SHA256SUMS")]);
    expect((await verify(run, signers)).problems).toEqual([
      expect.stringMatching(/history\.safetensors is not signed: SHA256SUMS has the SHA-256 of its beginning only/),
    ]);
  });

  test.each<[name: string, signers: () => string]>([
    ["a key that is not listed", () => writeSigners("others", allowing("you@example.org", makeKey("other")))],
    ["a key whose time is over", () => writeSigners("expired", allowing('me@example.org valid-before="20200101"', key))],
    ["a key that is allowed for another purpose", () => writeSigners("git", allowing('me@example.org namespaces="git"', key))],
  ])("by %s is refused", async (name, otherSigners) => {
    const run = writtenRun(name.replaceAll(" ", "-"));
    await sign(run, key);
    const { ok, problems, signature } = await verify(run, otherSigners());
    expect({ ok, signature }).toEqual({ ok: false, signature: null });
    expect(problems).toEqual([expect.stringContaining(`was made by ED25519 key ${fingerprint()}, which`)]);
  });

  test("is made by a key that an agent holds", async () => {
    const run = writtenRun("agent");
    const agentKey = makeKey("agent-key", "a passphrase");
    const socket = join(out, "agent.socket");
    const pid = /SSH_AGENT_PID=(\d+)/.exec(execFileSync("ssh-agent", ["-a", socket], { encoding: "utf8" }))?.[1];
    process.env["SSH_AUTH_SOCK"] = socket;
    try {
      execFileSync("ssh-keygen", ["-q", "-p", "-P", "a passphrase", "-N", "", "-f", agentKey]);
      execFileSync("ssh-add", ["-q", agentKey]);
      rmSync(agentKey);
      await sign(run, `${agentKey}.pub`);
    } finally {
      delete process.env["SSH_AUTH_SOCK"];
      process.kill(Number(pid));
    }
    expect((await verify(run, writeSigners("agent-signers", allowing("agent@example.org", agentKey)))).signature?.principal).toBe("agent@example.org");
  });

  test.each<[string, () => string, string, RegExp]>([
    ["a damaged run", () => appended(writtenRun("damaged"), "run.json"), "RUN_CORRUPT", /is damaged and was not signed:\n.*run\.json/],
    ["a run without checksums", () => writtenRun("unsealed", { sealed: false }), "USAGE", /has no SHA256SUMS, which is written when a run ends/],
    ["a run with a later file", () => withLaterFile(writtenRun("later")), "RUN_CORRUPT", /analysis\.json: it came after the checksums/],
  ])("is not made of %s", async (_, make, error, message) => {
    const run = make();
    await expect(sign(run, key)).rejects.toMatchObject({ code: error, message: expect.stringMatching(message) });
    expect(existsSync(join(run, "SHA256SUMS.sig"))).toBe(false);
  });

  test("names a missing key, missing signers and a missing ssh-keygen", async () => {
    const run = writtenRun("missing");
    await expect(sign(run, join(out, "none"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND", message: `--key ${join(out, "none")}: there is no such file` });
    await expect(verify(run, join(out, "none"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    const { PATH } = process.env;
    process.env["PATH"] = out;
    try {
      await expect(sign(run, key)).rejects.toMatchObject({ code: "PROGRAM_NOT_FOUND", message: expect.stringContaining("ssh-keygen is not on the PATH") });
    } finally {
      process.env["PATH"] = PATH;
    }
  });
});

function replaceByLink(path: string): void {
  rmSync(path);
  symlinkSync("/dev/null", path);
}

function appended(run: string, name: string): string {
  appendFileSync(join(run, name), " ");
  return run;
}

function withLaterFile(run: string): string {
  writeFileSync(join(run, "analysis.json"), "{}");
  return run;
}

/** XOR the last bytes of a file with the generator polynomial of CRC-32, x^32 first: every CRC-32 over them stays. */
function addMultipleOfCrc(path: string): void {
  const bytes = readFileSync(path);
  const polynomial = 1n | (0xedb88320n << 1n);
  for (let at = 0; at < 5; at++) bytes[bytes.length - 16 + at] = (bytes.at(at - 16) ?? 0) ^ Number((polynomial >> BigInt(8 * at)) & 0xffn);
  writeFileSync(path, bytes);
}
