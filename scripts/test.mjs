// npm test: runs both suites without the slow files (tests/slow.json) and prints their total on the last line.
// --all: also run the slow files, then the tests that start Ray and SLURM on this machine, then the small form of `npm run test:versions`.
// --ci: the same with half of the slow files, a third of the guides, and Ray or SLURM, which the commit chooses.
// Other arguments after -- select tests: paths below tests/python go to pytest, all others to vitest. A suite without arguments is then skipped.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { prepare, root, run } from "./prepare.mjs";
import { testVersions } from "./versions-test.mjs";

const slow = JSON.parse(readFileSync(join(root, "tests", "slow.json"), "utf8"));
const results = mkdtempSync(join(tmpdir(), "bh-bridge-test-"));

/** The parsed report of a suite; null if it crashed before writing one. */
function read(file, parse) {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.error(`No report from the suite: ${error.message}`);
    return null;
  }
}

function countVitest(text) {
  const report = JSON.parse(text);
  // A file that cannot be loaded has failed without a test that could say so.
  const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed"));
  const failures = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap(({ status, fullName, failureMessages }) => (status === "failed" ? [[name, fullName, failureMessages.join("\n")]] : [])),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [...failures, ...broken.map(({ name, message }) => [name, "cannot run", message])],
    seconds: report.testResults.map(({ name, startTime, endTime }) => [name, (endTime - startTime) / 1000]),
  };
}

const unescapeXml = (text) =>
  text.replace(/&(?:lt|gt|quot|apos|amp|#10);/g, (name) => ({ "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&", "&#10;": "\n" })[name]);

function countPytest(text) {
  const [suite] = /<testsuite [^>]*>/.exec(text);
  const number = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)[1]);
  const failed = number("failures") + number("errors");
  const failures = [...text.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)/g)].map((found) =>
    found.slice(1).map(unescapeXml),
  );
  const seconds = [...text.matchAll(/<testcase classname="([^"]*)" name="[^"]*" time="([\d.]+)"/g)].map(([, name, time]) => [name, Number(time)]);
  return { passed: number("tests") - failed - number("skipped"), failed, skipped: number("skipped"), failures, seconds };
}

/** Counts of a suite. A suite that exits with an error but no failed test, or runs no test, counts as one more failure. */
function judge(name, code, counts) {
  if (counts === null) return { passed: 0, failed: 1, skipped: 0, failures: [[name, "no report", ""]] };
  const { passed, failed, skipped, failures } = counts;
  if (passed + failed + skipped === 0) console.error(`${name} ran no test`);
  else if (code === 0 || failed > 0) return counts;
  else console.error(`${name} ended with exit code ${code} although no test failed`);
  return { passed, failed: failed + 1, skipped, failures: [...failures, [name, "ran no test or ended with an error", `exit code ${code}`]] };
}

async function vitest(args) {
  const report = join(results, "vitest.json");
  const runner = join(root, "node_modules", "vitest", "vitest.mjs");
  const code = await run(process.execPath, [runner, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args]);
  return judge("vitest", code, read(report, countVitest));
}

async function pytest(args, output = "inherit") {
  const report = join(results, "pytest.xml");
  const python = join(root, ".venv", "bin", "python");
  const code = await run("nice", ["-n", "3", python, "-m", "pytest", `--junitxml=${report}`, ...args], { stdio: ["ignore", output, output] });
  return judge("pytest", code, read(report, countPytest));
}

/** Runs both suites in parallel. pytest, the shorter one, has a lower priority, and its output follows at the end. */
async function everything() {
  const path = join(results, "pytest.log");
  const log = openSync(path, "w");
  const counts = await Promise.all([vitest(["--project=commands", "--project=processes", "--project=units"]), pytest([], log)]);
  closeSync(log);
  process.stdout.write(readFileSync(path));
  return counts;
}

await prepare({ dev: true });
const isCi = process.argv.includes("--ci");
const isWhole = process.argv.includes("--all") || isCi;
const given = process.argv.slice(2).filter((argument) => argument !== "--all" && argument !== "--ci");
const isPython = (argument) => argument.includes("tests/python");
const forPytest = given.filter(isPython);
const forVitest = given.filter((argument) => !isPython(argument));

/** The beginning of the commit's hash, by which --ci chooses. */
const commit = isCi ? Number.parseInt(execFileSync("git", ["rev-parse", "--short=8", "HEAD"], { cwd: root, encoding: "utf8" }), 16) : 0;

/** The files that this run leaves out. */
function leftOut() {
  if (given.length > 0 || (isWhole && !isCi)) return [];
  return slow.filter((file, index) => !isCi || (index % 2 === commit % 2 && file !== "tests/e2e/docs.test.ts"));
}
const omitted = leftOut();
process.env.LEFT_OUT_TESTS = JSON.stringify(omitted); // vitest.config.ts and tests/python/conftest.py read it
if (isCi) process.env.THIRD_OF_GUIDES = String(commit % 3); // tests/e2e/docs.test.ts reads it

const all = given.length === 0 ? await everything() : [];
if (forVitest.length > 0) all.push(await vitest(forVitest));
if (forPytest.length > 0) all.push(await pytest(forPytest));
if (isWhole) {
  const cluster = isCi ? [`tests/e2e/${commit % 2 === 0 ? "ray" : "slurm"}.test.ts`] : [];
  all.push(await vitest(["--project=clusters", ...cluster]));
  all.push(await testVersions({ small: true }));
}
rmSync(results, { recursive: true });

/** The files that take longest, with the sum of their tests' seconds. */
function slowestFiles(most) {
  const sums = new Map();
  for (const [name, seconds] of all.flatMap(({ seconds = [] }) => seconds)) sums.set(name, (sums.get(name) ?? 0) + seconds);
  return [...sums].sort(([, one], [, other]) => other - one).slice(0, most);
}
if (isWhole) {
  console.log("\nThe slowest files, in seconds:");
  for (const [name, seconds] of slowestFiles(60)) console.log(`${seconds.toFixed(0).padStart(5)}  ${name.replace(`${root}`, "")}`);
}

// Once more at the end, because logs are often cut at the start.
const printable = (text) => stripVTControlCharacters(text).split("\n").slice(0, 12).join("\n    ");
for (const [where, title, message] of all.flatMap(({ failures = [] }) => failures))
  console.log(`\nFAILED ${where.replace(root, "").replace(/^\//, "")}: ${title}\n    ${printable(message)}`);

if (omitted.length > 0) console.log(`\nLeft out: ${omitted.length} slow files${isWhole ? "" : ", and clusters"}. "npm test -- --all" runs them too`);
const sum = (key) => all.reduce((total, counts) => total + counts[key], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : ""}`);
if (sum("failed") > 0) process.exitCode = 1;
