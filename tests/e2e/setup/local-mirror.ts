import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { projectRoot } from "../program.js";

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Writes wheels of a few files, given as `[file, KB of ballast]`. */
const wheelProgram = `
import json, os, sys, zipfile
for file, size, *_ in json.loads(sys.argv[1]):
    name, version = file.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"__version__ = '{version}'",
        f"{name}/ballast.bin": os.urandom(size * 1000),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    with zipfile.ZipFile(file, "w") as wheel:
        for path, text in files.items(): wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"]))`;

/** Packs the running Python as uv expects an archive of Python: its program and its library, without tests and packages. */
const archiveProgram = `
import os, sys, sysconfig, tarfile
name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
skipped = {"site-packages", "dist-packages", "test", "__pycache__", "idlelib", "tkinter", "ensurepip", "lib2to3", "pydoc_data", "turtledemo", "distutils"}
def wanted(info):
    part = os.path.basename(info.name)
    return None if part in skipped or part.startswith("config-") else info
with tarfile.open(sys.argv[1], "w:gz", compresslevel=1, dereference=True) as archive:
    archive.add(os.path.realpath(sys.executable), f"python/bin/{name}")
    archive.add(sysconfig.get_path("stdlib"), f"python/lib/{name}", filter=wanted)
with tarfile.open(sys.argv[1]) as archive: print(len(archive.getmembers()))`;

/** Without uv, these tests are skipped. */
export class NoUv extends Error {}

const date = "20260101";

/** Versions in the ranges of `pyproject.toml`, and KB of ballast. */
const packages: readonly [file: string, kilobytes: number, torch?: "cpu" | "cuda"][] = [
  ["torch-2.13.0+cpu-py3-none-any.whl", 3000, "cpu"],
  ["torch-2.13.0-py3-none-any.whl", 9000, "cuda"],
  ["transformers-5.24.0-py3-none-any.whl", 1500],
  ["accelerate-1.15.0-py3-none-any.whl", 200],
  ["safetensors-0.8.0-py3-none-any.whl", 300],
  ["numpy-2.4.6-py3-none-any.whl", 800],
  ["pip-26.3-py3-none-any.whl", 100],
];

/**
 * Package index, PyTorch's index and archives of Python on this machine. uv is the real one; Python is this machine's, packed as uv expects it; packages have
 * the right names.
 */
export class LocalMirror implements Disposable {
  readonly #files: string;
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  /** Paths of all requests, with the offset at which an answer began. */
  readonly requests: { path: string; offset: number; bytes: number }[] = [];
  /** Names of files whose bytes are changed. */
  readonly corrupted = new Set<string>();
  /** Called after each piece of a file. */
  onPiece: () => void | Promise<void> = () => undefined;
  /** Bytes of a piece. */
  pieceBytes = 2 ** 20;
  served = 0;
  /** Packages with their SHA-256. */
  readonly wheels: { file: string; bytes: number; sha256: string; torch?: "cpu" | "cuda" }[];
  readonly python: { version: string; file: string };

  constructor(folder: string) {
    this.#files = join(folder, "files");
    mkdirSync(this.#files, { recursive: true });
    const inFiles = { cwd: this.#files, encoding: "utf8" } as const;
    const lock = JSON.parse(readFileSync(join(projectRoot, "python/environment.lock.json"), "utf8")) as { wheels: { file: string; on?: string[] }[] };
    const uv = lock.wheels.find(({ file, on }) => file.startsWith("uv-") && on?.includes(`linux-${process.arch}`))?.file ?? "";
    try {
      execFileSync("python3", ["-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", `uv==${uv.split("-")[1]}`], inFiles);
    } catch (cause) {
      throw new NoUv("pip cannot download uv", { cause });
    }
    execFileSync("python3", ["-c", wheelProgram, JSON.stringify(packages)], inFiles);
    const version = execFileSync("python3", ["-c", "import platform; print(platform.python_version())"], inFiles).trim();
    const architecture = process.arch === "x64" ? "x86_64" : "aarch64";
    this.python = { version, file: `cpython-${version}+${date}-${architecture}-unknown-linux-gnu-install_only_stripped.tar.gz` };
    execFileSync("python3", ["-c", archiveProgram, this.python.file], inFiles);
    this.wheels = [[uv, 0] as const, ...packages].map(([file, , torch]) => {
      const path = join(this.#files, file);
      return { file, bytes: readFileSync(path).length, sha256: sha256(path), ...(torch && { torch }) };
    });
    this.#writeDescription(folder, architecture);
    this.#writePackage(join(folder, "package"));
  }

  /** What uv knows about Python, with this archive in place of the published ones. */
  #writeDescription(folder: string, architecture: string): void {
    const [major, minor, patch] = this.python.version.split(".").map(Number);
    const url = `https://github.com/astral-sh/python-build-standalone/releases/download/${date}/${encodeURIComponent(this.python.file)}`;
    const entry = {
      ...{ name: "cpython", arch: { family: architecture, variant: null }, os: "linux", libc: "gnu", major, minor, patch, prerelease: "" },
      ...{ url, sha256: sha256(join(this.#files, this.python.file)), variant: null, build: date },
    };
    writeFileSync(join(folder, "pythons.json"), JSON.stringify({ [`cpython-${this.python.version}-linux-${architecture}-gnu`]: entry }));
  }

  /** A checkout of this package whose lock names the files of the mirror. */
  #writePackage(folder: string): void {
    for (const part of ["dist", "python/bh_bridge", "package.json", "pyproject.toml"]) cpSync(join(projectRoot, part), join(folder, part), { recursive: true });
    symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "python/environment.lock.json"), JSON.stringify({ python: this.python.version, wheels: this.wheels }));
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts = decodeURIComponent(request.url ?? "").split("/");
    const file = parts.at(-1) ?? "";
    if (parts[1] === "simple" || parts[1] === "torch") {
      const isOf = (name: string) => name.split("-")[0] === parts[2] && name.includes("+cpu-") === (parts[1] === "torch");
      const links = readdirSync(this.#files).filter(isOf);
      response.statusCode = links.length > 0 ? 200 : 404;
      response.end(links.map((name) => `<a href="../../files/${encodeURIComponent(name)}#sha256=0">${name}</a>\n`).join(""));
      return;
    }
    if (!readdirSync(this.#files).includes(file)) return void response.writeHead(404).end();
    const content = Buffer.from(readFileSync(join(this.#files, file)));
    if (this.corrupted.has(file)) content.writeUInt8(content.readUInt8(content.length >> 1) ^ 1, content.length >> 1);
    const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const entry = { path: parts.join("/"), offset, bytes: 0 };
    this.requests.push(entry);
    if (offset >= content.length) return void response.writeHead(416).end();
    response.writeHead(offset > 0 ? 206 : 200, { "content-length": content.length - offset });
    for (let at = offset; at < content.length && !response.destroyed; at += this.pieceBytes) {
      const piece = content.subarray(at, at + this.pieceBytes);
      await new Promise((done) => response.write(piece, done));
      entry.bytes += piece.length;
      this.served += piece.length;
      await this.onPiece();
    }
    response.end();
  }
}
