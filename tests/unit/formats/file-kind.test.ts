import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCheckpoint } from "../../../src/runs/open-run-directory.js";
import { expectedFrom, temporaryDirectory } from "./reference-python.js";

const directory = temporaryDirectory();

expectedFrom(
  `
import sys, torch, tarfile, pickle, gzip
d = sys.argv[1]
torch.save({"w": torch.ones(2, 2)}, f"{d}/legacy.pt", _use_new_zipfile_serialization=False)
with tarfile.open(f"{d}/tar.pt", "w") as t: t.add(__import__("os").__file__, "sys_info")
pickle.dump({"w": 1}, open(f"{d}/bare.pkl", "wb"), protocol=4)
gzip.open(f"{d}/packed.pt", "wb").write(b"x")
print(0)`,
  directory,
);
writeFileSync(join(directory, "text.txt"), "hello");
writeFileSync(join(directory, "empty"), "");

test.each([
  ["legacy.pt", /torch before 1\.6.*save it again/],
  ["tar.pt", /tar archive/],
  ["bare.pkl", /bare pickle/],
  ["packed.pt", /compressed with gzip/],
  ["text.txt", /of no format that can be read/],
  ["empty", /of no format that can be read/],
])("%s is refused by name", async (name, reason) => {
  const opened = openCheckpoint(join(directory, name));
  await expect(opened).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  await expect(opened).rejects.toThrow(reason);
});
