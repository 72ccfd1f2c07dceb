import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BhBridgeError } from "../../../src/errors.js";
import { durableCreate, durableCreateFile, durableWrite, writeError } from "../../../src/formats/durable-write.js";
import { temporaryDirectory } from "./reference-python.js";

const directory = temporaryDirectory();
const folder = (): string => mkdtempSync(join(directory, "f-"));

function failing(code: string): () => never {
  return () => {
    throw Object.assign(new Error("as the system says"), { code });
  };
}

test("a file is replaced whole, and nothing stays beside it", () => {
  const path = join(folder(), "file");
  durableWrite(path, "a longer text");
  durableWrite(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(join(path, ".."))).toEqual(["file"]);
});

test("when writing fails, nothing is left and the cause is kept", () => {
  const place = folder();
  const half = () =>
    durableCreateFile(join(place, "out"), (write) => {
      write(Buffer.from("half"));
      failing("ENOSPC")();
    });
  expect(half).toThrow(expect.objectContaining({ code: "DISK_FULL", cause: expect.objectContaining({ code: "ENOSPC" }) }));
  expect(readdirSync(place)).toEqual([]);
});

test("a directory that was half made goes as well", () => {
  const place = folder();
  const half = () =>
    durableCreate(join(place, "model"), (temporaryPath) => {
      mkdirSync(temporaryPath);
      writeFileSync(join(temporaryPath, "README.md"), "");
      failing("EIO")();
    });
  expect(half).toThrow(expect.objectContaining({ code: "IO_FAILED" }));
  expect(readdirSync(place)).toEqual([]);
});

test("what is there is not overwritten, a link that leads nowhere neither", () => {
  const place = folder();
  writeFileSync(join(place, "mine"), "mine");
  symlinkSync(join(place, "gone"), join(place, "link"));
  for (const name of ["mine", "link"]) {
    expect(() => durableCreateFile(join(place, name), (write) => write(Buffer.from("ours")))).toThrow(/exists already, and nothing is overwritten/);
  }
  expect(readFileSync(join(place, "mine"), "utf8")).toBe("mine");
  expect(readdirSync(place)).toEqual(["link", "mine"]);
});

test("a folder that does not exist is told", () => {
  const path = join(directory, "nowhere", "out");
  expect(() => durableWrite(path, "")).toThrow(
    expect.objectContaining({ code: "FILE_UNWRITABLE", message: `cannot write ${path}: its folder does not exist` }),
  );
  expect(existsSync(path)).toBe(false);
});

test("a failure that is no refusal of the system is one of input and output; one of ours stays as it is", () => {
  expect(writeError("p", new Error("the library gave up"))).toMatchObject({ code: "IO_FAILED", message: "cannot write p: the library gave up" });
  const ours = new BhBridgeError("ABORTED", "cancelled");
  expect(writeError("p", ours)).toBe(ours);
});
