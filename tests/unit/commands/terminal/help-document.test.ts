import { Command } from "commander";
import { expect, test } from "vitest";
import { helpDocument, helpDocumentSchema } from "../../../../src/commands/terminal/command.js";

const program = new Command("bh-bridge");
const runs = program
  .command("runs")
  .description("list runs")
  .argument("[filter...]", "conditions")
  .option("--out <dir>", "where runs are", "runs")
  .option("-q, --quiet", "say less");
runs.command("rm").description("remove runs").argument("<run>", "its name");

test("a page tells what a command takes, with defaults and commands below", () => {
  const document = helpDocument(runs);
  expect(helpDocumentSchema.parse(document)).toEqual(document);
  expect(document).toMatchObject({
    command: "bh-bridge runs",
    description: "list runs",
    arguments: [{ name: "filter", description: "conditions", required: false, variadic: true }],
    options: [
      { flags: "--out <dir>", description: "where runs are", default: "runs" },
      { flags: "-q, --quiet", description: "say less" },
      { flags: "-h, --help", description: expect.any(String) },
    ],
    commands: expect.arrayContaining([{ name: "rm", description: "remove runs" }]),
  });
});
