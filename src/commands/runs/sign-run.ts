import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { BhBridgeError, exitCodes } from "../../errors.js";
import { durableWrite } from "../../formats/durable-write.js";
import { lockHolders } from "../../python/lock-holders.js";
import { temporaryFolder } from "../../python/session-folder.js";
import { coverHistories, parseChecksums, problemIn, readChecksumsText } from "../../runs/checksums.js";
import { isThere, readWhole } from "../../runs/file-types.js";
import { isRunFile, runFiles } from "../../runs/run-layout.js";
import { noLockHolders, resolveRun } from "../../runs/scan-runs.js";
import { checksumsOf, type RunVerification, type UncoveredFile, verifyRun } from "../../runs/verify-run.js";
import { isArchive, openRunArchive } from "../../sweep/run-archive.js";
import { printable, shellQuote } from "../../text/escaping.js";
import type { Terminal } from "../terminal/terminal.js";
import type { Signature, SignDocument, VerifyDocument } from "./format-runs.js";

/** OpenSSH includes it in what it signs, so a signature of a run is valid for nothing else. */
const namespace = "bh-bridge";
const program = "ssh-keygen";
/** A signature has a few hundred bytes; certificates make it longer. */
const mostSignatureBytes = 64 * 2 ** 10;
/** Run files that belong to processes, or to the signature itself. */
const unsignedFiles: readonly string[] = [runFiles.lock, runFiles.stop, runFiles.signature];

/**
 * Sign the checksums of an ended run with an OpenSSH key. `ssh-keygen` asks for a passphrase itself.
 * @param key a private key, or a public one whose private key an agent has.
 * @throws {BhBridgeError} `RUN_LOCKED`, `RUN_CORRUPT`; `USAGE` for a run without checksums; `FILE_NOT_FOUND`, `FILE_UNREADABLE` for the key;
 *   `PROGRAM_NOT_FOUND`; `FILE_UNWRITABLE`.
 */
export async function signRun(given: string, { out, key }: { out: string; key: string }, terminal: Terminal): Promise<void> {
  requireFile(key, "key");
  const { directory, status } = await resolveRun(given, out, lockHolders);
  if (status === "running") throw new BhBridgeError("RUN_LOCKED", `${directory} is running: sign it when it has ended`);
  await requireSound(directory);
  coverHistories(directory);
  const text = readChecksumsText(directory) ?? "";
  const signature = await signed(text, resolve(key));
  if (readChecksumsText(directory) !== text) throw new BhBridgeError("RUN_LOCKED", `${directory} was changed while it was signed. Sign it again`);
  const path = join(directory, runFiles.signature);
  durableWrite(path, signature);
  const { key: fingerprint, type } = await signerOf(text, path);
  terminal.document({ schema: "bh-bridge/sign@1", run: directory, signature: path, key: fingerprint, type } satisfies SignDocument);
  const check = terminal.color.cyan(`bh-bridge runs verify ${shellQuote(directory)} --signers FILE`);
  terminal.print(`${path}: signed by ${type} key ${fingerprint}\nCheck it with:  ${check}`);
}

/** Refuse to sign damage, and files that the signature would not cover. */
async function requireSound(directory: string): Promise<void> {
  const { problems, uncovered, checksums } = await verified(directory);
  if (problems.length > 0) throw new BhBridgeError("RUN_CORRUPT", `${directory} is damaged and was not signed:\n${problems.join("\n")}`);
  if (checksums === undefined) {
    throw new BhBridgeError(
      "USAGE",
      `${directory} has no ${runFiles.checksums}, which is written when a run ends. Resume it: bh-bridge resume ${shellQuote(directory)}`,
    );
  }
  const later = uncovered.filter(isUnsigned).filter(({ file }) => !parseChecksums(checksums)?.heads.has(file));
  if (later.length > 0) {
    throw new BhBridgeError(
      "RUN_CORRUPT",
      `${directory} was not signed: ${later.map(({ file, reason }) => `${printable(file)}: ${reason}`).join("; ")}. Remove these files`,
    );
  }
}

function isUnsigned({ file }: UncoveredFile): boolean {
  return isRunFile(file) && !unsignedFiles.includes(file);
}

/** The key reads a file and not stdin, because `ssh-keygen` asks for a passphrase only while stdin is the terminal. */
async function signed(text: string, key: string): Promise<Buffer> {
  using folder = temporaryFolder("sign");
  const path = join(folder.path, runFiles.checksums);
  writeFileSync(path, text);
  const { failed, code, stderr } = await execa(program, ["-q", "-Y", "sign", "-n", namespace, "-f", key, path], {
    reject: false,
    stdio: ["inherit", "ignore", ["inherit", "pipe"]],
  });
  requireProgram(code);
  const signature = `${path}.sig`;
  if (failed || !existsSync(signature)) {
    const advice = `If the key has a passphrase, run the command on a terminal, or add the key to ssh-agent and give its .pub file`;
    throw new BhBridgeError("FILE_UNREADABLE", `${key} cannot sign: ${lastLine(stderr)}. ${advice}`);
  }
  return readWhole(signature, mostSignatureBytes);
}

/** Check a run, or the only run in a zip archive, and its signature if there are signers; the exit code is 1 on a problem. */
export async function showVerification(given: string, { out, signers }: { out: string; signers?: string | undefined }, terminal: Terminal): Promise<void> {
  if (signers !== undefined) requireFile(signers, "signers");
  if (!isArchive(given)) {
    const { directory } = await resolveRun(given, out, noLockHolders);
    return show(await verification(directory, signers), terminal);
  }
  using archive = await openRunArchive(given);
  const [directory = "", ...others] = archive.directories;
  if (others.length > 0 || !existsSync(join(directory, runFiles.manifest))) {
    throw new BhBridgeError("USAGE", `${given} holds more than one run: unpack it, and verify each`);
  }
  const { problems, ...found } = await verification(directory, signers);
  const named = (text: string) => text.replaceAll(archive.folder, given);
  show({ ...found, run: given, problems: problems.map(named) }, terminal);
}

type Verified = RunVerification & { checksums: string | undefined };

async function verification(directory: string, signers: string | undefined): Promise<VerifyDocument> {
  const found = await verified(directory);
  const { problems, signature } = signers === undefined ? { problems: [] } : await checkSignature(directory, found, resolve(signers));
  const all = [...found.problems, ...problems];
  const uncovered = found.uncovered.filter(({ file }) => signature === undefined || file !== runFiles.signature);
  return { schema: "bh-bridge/verify@1", run: directory, ok: all.length === 0, problems: all, uncovered, ...(signature !== undefined && { signature }) };
}

/** The verification of a run, and the text of the checksums that it used; undefined if there are none. */
async function verified(directory: string): Promise<Verified> {
  for (;;) {
    const checksums = checksumsOf(directory);
    const found = await verifyRun(directory);
    if (checksumsOf(directory) === checksums) return { ...found, checksums };
  }
}

/** Who signed a run, and why that does not count. */
async function checkSignature(
  directory: string,
  { checksums, uncovered }: Verified,
  signers: string,
): Promise<{ problems: string[]; signature: Signature | null }> {
  const path = join(directory, runFiles.signature);
  const refused = (...problems: string[]) => ({ problems, signature: null });
  if (!isThere(path)) return refused(`${directory} is not signed: it has no ${runFiles.signature}`);
  const sums = parseChecksums(checksums ?? "");
  if (checksums === undefined || !sums) return refused(`${path} signs nothing: the run has no sound ${runFiles.checksums}`);
  const unreadable = problemIn(() => {
    readWhole(path, mostSignatureBytes);
    return undefined;
  });
  if (unreadable !== undefined) return refused(unreadable);
  const signer = await signerOf(checksums, path).catch((error: unknown) => {
    if (error instanceof BhBridgeError && error.code === "FORMAT_INVALID") return error.message;
    throw error;
  });
  if (typeof signer === "string") return refused(signer);
  const allowed = await principalOf(checksums, path, signers);
  if ("refusal" in allowed) return refused(`${path} was made by ${signer.type} key ${signer.key}, which ${signers} does not allow: ${allowed.refusal}`);
  const weak = [...sums.heads.keys()].filter((file) => !sums.files.has(file));
  return {
    problems: [
      ...weak.map(
        (file) => `${join(directory, file)} is not signed: ${runFiles.checksums} has the SHA-256 of its beginning only. Sign the run with bh-bridge runs sign`,
      ),
      ...uncovered.filter(isUnsigned).flatMap(({ file, reason }) => (weak.includes(file) ? [] : `${join(directory, file)} is not signed: ${reason}`)),
    ],
    signature: { principal: allowed.principal, ...signer },
  };
}

/** The key of a signature of these checksums. @throws {BhBridgeError} `FORMAT_INVALID` if it is no signature of them. */
async function signerOf(checksums: string, signature: string): Promise<Omit<Signature, "principal">> {
  const { stdout, stderr, failed } = await keygen(["check-novalidate", "-n", namespace, "-s", signature], checksums);
  const [, type, key] = /^Good "bh-bridge" signature with (\S+) key (\S+)/m.exec(stdout) ?? [];
  if (failed || type === undefined || key === undefined) {
    const why = "The run was changed after it was signed (also by a note or tag), or the file is no signature for bh-bridge";
    throw new BhBridgeError("FORMAT_INVALID", `${signature} does not sign the present ${runFiles.checksums}: ${lastLine(stderr)}. ${why}`);
  }
  return { type, key };
}

/** The principal under whose name the signers allow a signature. */
async function principalOf(checksums: string, signature: string, signers: string): Promise<{ principal: string } | { refusal: string }> {
  const found = await keygen(["find-principals", "-s", signature, "-f", signers], checksums);
  let refusal = lastLine(found.stderr);
  for (const principal of found.failed ? [] : found.stdout.split("\n")) {
    const { failed, stderr } = await keygen(["verify", "-f", signers, "-I", principal, "-n", namespace, "-s", signature], checksums);
    if (!failed) return { principal };
    refusal = lastLine(stderr);
  }
  return { refusal };
}

async function keygen([action = "", ...options]: readonly string[], input: string): Promise<{ stdout: string; stderr: string; failed: boolean }> {
  const { stdout, stderr, failed, code } = await execa(program, ["-Y", action, ...options], { reject: false, input });
  requireProgram(code);
  return { stdout, stderr, failed };
}

function requireProgram(code: string | undefined): void {
  if (code !== "ENOENT") return;
  throw new BhBridgeError("PROGRAM_NOT_FOUND", `${program} is not on the PATH. Install OpenSSH, on Debian with: sudo apt-get install openssh-client`);
}

function lastLine(text: string): string {
  return printable(text.trim().split("\n").at(-1) ?? "").replace(/\.$/, "") || "no message";
}

function requireFile(path: string, option: string): void {
  if (!existsSync(path)) throw new BhBridgeError("FILE_NOT_FOUND", `--${option} ${path}: there is no such file`);
}

function show(document: VerifyDocument, terminal: Terminal): void {
  const { run, ok, problems, uncovered, signature } = document;
  terminal.document(document);
  const by = signature && `${run}: signed by ${printable(signature.principal)} (${signature.type} key ${signature.key})`;
  const found = ok ? [`${run}: all checksums match`, ...(by ? [by] : [])] : problems.map((problem) => problem.replaceAll("\n", "\n  "));
  terminal.print([...found, ...uncoveredLines(uncovered)].join("\n"));
  if (!ok) process.exitCode = exitCodes.failed;
}

function uncoveredLines(uncovered: readonly UncoveredFile[]): string[] {
  const reasons = [...new Set(uncovered.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const files = uncovered.filter((each) => each.reason === reason).map(({ file }) => printable(file));
    return `Not covered: ${files.join(", ")} (${reason})`;
  });
}
