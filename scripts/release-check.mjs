// Everything that a release has to show beyond the tests.
//
//   npm run release:check [-- --small] [--folder DIR] [--out release]
//
// Packs two clones and compares the bytes; installs the archive as a stranger would; checks size, install scripts, licences, known vulnerabilities and the
// addresses of the public repository;
// writes the bills of materials of both languages; then trains and resumes with the installed archive, and runs a program against its types, on every
// supported Node.js, Python and transformers. Only committed files count. The archive and what belongs to it are left in --out.
// --small: without the table of versions and without asking for vulnerabilities.
// --folder: keep the environments of the table there for reuse (about 25 GB on Linux, where the default torch includes CUDA).
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { prepare, root } from "./prepare.mjs";
import { releaseRows, testVersions } from "./versions-test.mjs";

const execute = promisify(execFile);
const { values: options } = parseArgs({
  options: { small: { type: "boolean", default: false }, folder: { type: "string" }, out: { type: "string", default: "release" } },
});
const maxInstalledMegabytes = 60;

/** Licences that let anybody use, change and sell what is built with them. */
const permissive = ["MIT", "MIT-0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "CC0", "CC0-1.0", "Unlicense", "BlueOak-1.0.0", "Python-2.0"];
/** Packages with another licence or a text of their own, which somebody has read. */
const readLicences = {
  "@resvg/resvg-js": "MPL-2.0, unchanged and as a package of its own",
  "dejavu-fonts-ttf": "Bitstream Vera and Arev, which allow to bundle the fonts",
  jstat: "MIT, by its file LICENSE",
  pythonia: "MIT, by its file LICENSE",
  h5wasm: "NIST's terms and HDF5's BSD licence, both permissive",
};

class Skipped extends Error {}

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const run = (command, args, options) => execute(command, args, { maxBuffer: 1 << 28, ...options });
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const work = mkdtempSync(join(tmpdir(), "bh-bridge-release-"));
const out = join(root, options.out);
const installed = join(work, "stranger");

/** The archive of a new clone. The tools are those of this checkout, whose lockfile is the same. */
async function pack(name) {
  const clone = join(work, name);
  await run("git", ["clone", "--quiet", root, clone]);
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  const { stdout } = await run("npm", ["pack", "--silent"], { cwd: clone });
  return join(clone, stdout.trim().split("\n").at(-1));
}

async function packTwice() {
  const [first, second] = [await pack("one"), await pack("two")];
  if (sha256(first) !== sha256(second)) throw new Error(`two clones pack to different bytes: ${first} and ${second}`);
  cpSync(first, join(out, basename(first)));
  const builds = await run("tar", ["-tzf", first]).then(({ stdout }) => stdout.split("\n").filter((path) => /portable\/builds\/.*\.(so|dylib)$/.test(path)));
  return `${basename(first)}, SHA-256 ${sha256(first)}, ${builds.length} prebuilt libraries of engine portable`;
}

const archive = () =>
  join(
    out,
    readdirSync(out).find((name) => name.endsWith(".tgz")),
  );

async function install() {
  mkdirSync(installed);
  writeFileSync(join(installed, "package.json"), '{ "private": true, "type": "module" }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", archive()], { cwd: installed });
  const { packages } = json(join(installed, "package-lock.json"));
  const scripted = Object.entries(packages).flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? [path] : []));
  if (scripted.length > 0) throw new Error(`packages run scripts when they are installed: ${scripted.join(", ")}`);
  const { stdout } = await run("du", ["-sk", join(installed, "node_modules")]);
  const megabytes = Number(stdout.split("\t")[0]) / 1024;
  if (megabytes > maxInstalledMegabytes) throw new Error(`${megabytes.toFixed(1)} MB installed, more than ${maxInstalledMegabytes}`);
  return `${Object.keys(packages).length - 1} packages, ${megabytes.toFixed(1)} MB, no install scripts`;
}

/** Name, version and licence of every package that is installed, and of those inside our bundles. */
function shippedPackages() {
  const { packages } = json(join(installed, "package-lock.json"));
  const paths = Object.keys(packages).filter((path) => path !== "" && existsSync(join(installed, path, "package.json")));
  const own = join(installed, "node_modules/bh-bridge");
  return [...paths.map((path) => json(join(installed, path, "package.json"))), ...json(join(own, "dist/bundled.json"))];
}

function isPermissive(licence) {
  const words = String(licence ?? "").replace(/[()]/g, "");
  if (words.includes(" OR ")) return words.split(" OR ").some(isPermissive);
  return words.split(" AND ").every((one) => permissive.includes(one));
}

async function licences() {
  const others = shippedPackages().filter(({ name, license }) => !isPermissive(license) && !Object.keys(readLicences).some((known) => name.startsWith(known)));
  if (others.length > 0) throw new Error(`licences nobody has read: ${others.map(({ name, license }) => `${name} (${license})`).join(", ")}`);
  return `${shippedPackages().length} packages; with terms of their own: ${Object.entries(readLicences)
    .map((pair) => pair.join(": "))
    .join("; ")}`;
}

/** The packages inside our bundles as components of a bill of materials. */
const bundledComponents = () =>
  json(join(installed, "node_modules/bh-bridge/dist/bundled.json")).map(({ name, version, license }) => ({
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    "bom-ref": `bundled:${name}@${version}`,
    licenses: [{ license: { name: license } }],
  }));

async function npmMaterials() {
  const path = join(out, "sbom-npm.cdx.json");
  const tool = join(root, "node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js");
  await run(process.execPath, [tool, "--omit", "dev", "--output-reproducible", "--output-file", path], { cwd: installed });
  const bill = json(path);
  const before = bill.components.length;
  bill.components.push(...bundledComponents());
  writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
  return `${before} installed and ${bill.components.length - before} bundled packages in ${basename(path)}`;
}

/** A Python tool in an environment of its own; skipped if it cannot be installed. */
async function pythonTool(name) {
  const directory = join(options.folder ?? work, `tool-${name}`);
  if (!existsSync(join(directory, "complete"))) {
    await run(join(root, ".venv/bin/python"), ["-m", "venv", directory]);
    try {
      await run(join(directory, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", name]);
    } catch (error) {
      throw new Skipped(`${name} cannot be installed: ${lastLine(error)}`);
    }
    mkdirSync(join(directory, "complete"));
  }
  return join(directory, "bin");
}

/** The lock of `setup` as a requirements file: every package of every platform with the hashes of its wheels. */
function pythonRequirements() {
  const hashes = new Map();
  for (const { file, sha256 } of json(join(root, "python/environment.lock.json")).wheels) {
    const [name, version] = file.split("-");
    const requirement = `${name.replaceAll("_", "-")}==${decodeURIComponent(version).split("+")[0]}`; // torch has a build of its own for CPUs
    hashes.set(requirement, [...(hashes.get(requirement) ?? []), `--hash=sha256:${sha256}`]);
  }
  const path = join(work, "requirements.txt");
  writeFileSync(path, [...hashes].map(([requirement, found]) => `${requirement} ${found.join(" ")}\n`).join(""));
  return path;
}

async function pythonMaterials() {
  const tool = join(await pythonTool("cyclonedx-bom"), "cyclonedx-py");
  const path = join(out, "sbom-python.cdx.json");
  const pyproject = ["--pyproject", join(root, "pyproject.toml")];
  await run(tool, ["requirements", "--output-reproducible", ...pyproject, "--output-file", path, pythonRequirements()]);
  return `${json(path).components.length} packages that setup installs, of all platforms, in ${basename(path)}`;
}

const lastLine = (error) =>
  String(error.stderr || error.stdout || error.message)
    .trim()
    .split("\n")
    .at(-1);

async function npmVulnerabilities() {
  const { stdout } = await run("npm", ["audit", "--omit=dev", "--json"], { cwd: installed }).catch((error) => error);
  const report = JSON.parse(stdout);
  if (!report.metadata) throw new Skipped(`the registry does not answer npm audit: ${report.message?.split(" - ")[0]}`);
  const bundled = bundledComponents().length;
  const found = Object.entries(report.vulnerabilities).map(([name, { severity }]) => `${name} (${severity})`);
  if (found.length > 0) throw new Error(`known vulnerabilities: ${found.join(", ")}`);
  return `none in ${report.metadata.dependencies.prod} packages; the ${bundled} bundled ones are devDependencies, see npm audit of the checkout`;
}

async function pythonVulnerabilities() {
  const tool = join(await pythonTool("pip-audit"), "pip-audit");
  const { stdout, stderr } = await run(tool, ["--format", "json", "--progress-spinner", "off", "--disable-pip", "--requirement", pythonRequirements()]).catch(
    (error) => error,
  );
  if (!stdout?.trim().startsWith("{")) throw new Skipped(`no service of known vulnerabilities answers: ${lastLine({ stderr })}`);
  const { dependencies } = JSON.parse(stdout);
  const found = dependencies.flatMap(({ name, version, vulns = [] }) => vulns.map(({ id }) => `${name} ${version}: ${id}`));
  if (found.length > 0) throw new Error(`known vulnerabilities: ${found.join(", ")}`);
  const asked = dependencies.filter(({ skip_reason: reason }) => reason === undefined).length;
  if (asked === 0) throw new Skipped("the service of known vulnerabilities knows none of the packages, as behind some mirrors");
  return `none in ${asked} of ${dependencies.length} packages; the service does not know the others`;
}

/** The fields that name the public repository, which whoever publishes fills in (CONTRIBUTING.md, Publish a release). */
function publicAddresses() {
  const { repository, homepage, bugs } = json(join(root, "package.json"));
  const citation = readFileSync(join(root, "CITATION.cff"), "utf8");
  const inPackage = Object.entries({ "repository.url": repository?.url, homepage, "bugs.url": bugs?.url });
  const inCitation = ["repository-code", "url"].map((key) => [key, new RegExp(`^${key}: *"?(https?:[^"\\s]+)`, "m").exec(citation)?.[1]]);
  const missing = (fields) => fields.flatMap(([name, value]) => (/^(git\+)?https?:\/\/./.test(value ?? "") ? [] : [name]));
  const lists = Object.entries({ "package.json": missing(inPackage), "CITATION.cff": missing(inCitation) }).filter(([, names]) => names.length > 0);
  if (lists.length === 0) return repository.url;
  throw new Skipped(
    `missing: ${lists.map(([file, names]) => `${names.join(", ")} in ${file}`).join("; ")}. Fill them in before publishing, see CONTRIBUTING.md`,
  );
}

let passed = 0;
let failed = 0;
let skipped = 0;

async function check(title, work) {
  try {
    console.log(`ok       ${title}: ${await work()}`);
    passed++;
  } catch (error) {
    const isSkipped = error instanceof Skipped;
    console.log(`${isSkipped ? "skipped" : "FAILED "}  ${title}: ${isSkipped ? error.message : lastLine(error)}`);
    if (isSkipped) skipped++;
    else failed++;
  }
}

await prepare({ dev: true });
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
try {
  await check("two clones pack to the same bytes", packTwice);
  await check("the archive installs", install);
  await check("licences", licences);
  await check("addresses of the public repository", publicAddresses);
  await check("bill of materials of npm", npmMaterials);
  await check("bill of materials of Python", pythonMaterials);
  if (!options.small) {
    await check("vulnerabilities of npm packages", npmVulnerabilities);
    await check("vulnerabilities of Python packages", pythonVulnerabilities);
    const counts = await testVersions({ rows: releaseRows, folder: options.folder, installed });
    passed += counts.passed;
    failed += counts.failed;
    skipped += counts.skipped;
  }
  const files = readdirSync(out).sort();
  writeFileSync(join(out, "SHA256SUMS"), files.map((name) => `${sha256(join(out, name))}  ${name}\n`).join(""));
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (failed > 0) process.exitCode = 1;
