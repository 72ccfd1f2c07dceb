import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { corpusOf } from "../../../src/bridge/corpus.js";
import { preparedText } from "../../../src/bridge/prepared-text.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const folder = temporaryDirectory();
const cache = join(folder, "cache");
const before = process.env["XDG_CACHE_HOME"];
beforeAll(() => {
  process.env["XDG_CACHE_HOME"] = cache;
});
afterAll(() => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
});

/** The documents of each form, by Python's own modules; duckdb writes the tables, and a text as zstd, as a table of one column without quotes. */
const written = expectedFrom<Record<string, string>>(
  `
import gzip, hashlib, json, pathlib, sys
import duckdb
folder = pathlib.Path(sys.argv[1])
documents = ["First.", "Zweites: süß 🐈", "third\\r\\nline", "", 'quote " and \\\\ 	', "long " * 1000, "last"]
sums = {}
def put(name, content, docs):
    if content is not None:
        (folder / name).write_bytes(content)
    sums[name] = hashlib.sha256(b"\\xff".join(d.encode() for d in docs if d)).hexdigest()
text = "one ß\\r\\ntwo\\rthree\\n" * 5000
lines = "\\n".join(json.dumps({"n": 1, "text": d}, ensure_ascii=i % 2 == 0) for i, d in enumerate(documents))
put("plain.txt.gz", gzip.compress(text.encode()), [text])
put("members.txt.gz", gzip.compress(b"one ") + gzip.compress(b"two"), ["one two"])
put("lines.jsonl", lines.encode(), documents)
put("marked.jsonl", b"\\xef\\xbb\\xbf" + lines.replace("\\n", "\\n\\n").encode() + b"\\n", documents)
put("lines.jsonl.gz", gzip.compress(lines.encode()), documents)
db = duckdb.connect()
db.execute("create table t as select unnest(?) as text, 7 as n", [documents * 40])
for name, options in {"snappy": "compression snappy, row_group_size 20", "zstd": "compression zstd", "gzip": "compression gzip"}.items():
    path = folder / f"{name}.parquet"
    db.execute(f"copy t to '{path}' (format parquet, {options})")
    put(path.name, None, documents * 40)
db.execute(f"copy (select unnest(?)) to '{folder / 'text.txt.zst'}' (format csv, header false, quote '', compression zstd)", [["some words"] * 300000])
put("text.txt.zst", None, ["some words\\n" * 300000])
for name in ("b.txt", "a.txt", "c/d.txt", "10.txt"):
    (folder / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / "folder" / name).write_text(name * 3)
(folder / "folder/.hidden.txt").write_text("no")
(folder / "folder/notes.md").write_text("no")
in_folder = [p.relative_to(folder / "folder").as_posix() for p in (folder / "folder").rglob("*.txt") if p.name[0] != "."]
put("folder", None, [name * 3 for name in sorted(in_folder)])
put("folder/*.txt", None, [name * 3 for name in sorted(in_folder) if "/" not in name])
put("folder/**/*.txt", None, [name * 3 for name in sorted(in_folder)])
put("folder/{a,b}.tx?", None, ["a.txt" * 3, "b.txt" * 3])
print(json.dumps(sums))
`,
  folder,
);
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test.each(Object.entries(written))("the documents of %s are those that Python reads", async (name, expected) => {
  expect(sha256(readFileSync(await preparedText(join(folder, name), "text")))).toBe(expected);
});

// Written with datasets 5.2.0: Dataset.from_dict({"text": texts, "n": [0, 1, 2, 3, 4]}).save_to_disk("saved-dataset", num_shards=2)
const texts = ["First.", "Zweites: süß", "third\nline", "", "fifth ".repeat(50)];
const saved = "tests/unit/formats/text/saved-dataset";

test("a saved dataset has its documents in order, and a dictionary of splits is asked which", async () => {
  const text = readFileSync(await preparedText(saved, "text"));
  expect(text).toEqual(
    Buffer.from(
      texts
        .filter((each) => each !== "")
        .flatMap((each) => [...Buffer.from(each), 0xff])
        .slice(0, -1),
    ),
  );
  const splits = join(folder, "splits");
  mkdirSync(splits);
  cpSync(saved, join(splits, "train"), { recursive: true });
  writeFileSync(join(splits, "dataset_dict.json"), "{}");
  await expect(preparedText(splits, "text")).rejects.toMatchObject({
    code: "CORPUS_INVALID",
    message: expect.stringContaining(`such as ${join(splits, "train")}`),
  });
});

test("a plain text is read where it is, and another form is prepared once, until it is unused for a month", async () => {
  const plain = join(folder, "plain.txt");
  writeFileSync(plain, "as it is");
  expect(await preparedText(plain, "text")).toBe(plain);
  const texts = join(cache, "bh-bridge", "texts");
  const [first, again] = await Promise.all(["lines.jsonl", "lines.jsonl"].map((name) => preparedText(join(folder, name), "text"))); // two at a time
  expect(again).toBe(first);
  expect(readdirSync(texts).filter((name) => name.includes("partial"))).toEqual([]);
  const old = new Date(Date.now() - 31 * 24 * 3_600_000);
  utimesSync(first ?? "", old, old);
  writeFileSync(join(folder, "new.jsonl"), '{"text": "new"}');
  await preparedText(join(folder, "new.jsonl"), "text");
  expect(existsSync(first ?? "")).toBe(false);
});

test.each([
  ["bad.jsonl", '{"text": "a"}\n\n{broken\n', /bad\.jsonl:3 is not JSON: /],
  ["list.jsonl", "[1]", /list\.jsonl:1 is not an object/],
  ["other.jsonl", '{"text": "a"}\n{"body": "b", "id": 1}', /other\.jsonl:2 has no field "text", only body, id\. Name the field of the text with data\.field/],
  ["number.jsonl", '{"text": 5}', /number\.jsonl:1 has no text: "text" is a number/],
  ["null.jsonl", '{"text": null}', /null\.jsonl:1 has no text: "text" is null/],
  ["half.jsonl", '{"text": "\\ud83d"}', /half\.jsonl:1 has half of a surrogate pair in "text"/],
  ["latin.jsonl", Buffer.from('{"text": "\xfc"}', "latin1"), /latin\.jsonl:1 is not UTF-8/],
  ["latin.txt.gz", Buffer.from("no gzip"), /latin\.txt\.gz cannot be read: incorrect header check/],
  ["wrong.txt.zst", Buffer.from("no zstd"), /wrong\.txt\.zst cannot be read: invalid zstd data/],
  ["wrong.parquet", Buffer.from("no table"), /wrong\.parquet is damaged, or not a \.parquet file: /],
  ["none/*.txt", null, /none\/\*\.txt matches no file/],
])("damage in %s is reported with its position", async (name, content, message) => {
  if (content !== null) writeFileSync(join(folder, name), content);
  await expect(preparedText(join(folder, name), "text")).rejects.toMatchObject({ code: "CORPUS_INVALID", message: expect.stringMatching(message) });
});

test("a text in a folder that is not UTF-8 is named, with its line", async () => {
  const mixed = join(folder, "mixed");
  mkdirSync(mixed);
  writeFileSync(join(mixed, "a.txt"), "fine");
  writeFileSync(join(mixed, "b.txt"), Buffer.from("one\ntwo \xff", "latin1")); // the byte that separates documents
  await expect(preparedText(mixed, "text")).rejects.toMatchObject({ message: expect.stringMatching(/b\.txt is not UTF-8: byte 0xff at offset 8, line 2/) });
});

test("the error for a missing column lists the columns of the table", async () => {
  await expect(preparedText(join(folder, "zstd.parquet"), "body")).rejects.toMatchObject({
    message: expect.stringContaining('has no column "body", only text, n.'),
  });
  await expect(preparedText(saved, "body")).rejects.toMatchObject({ message: expect.stringContaining('has no column "body", only text, n.') });
});

async function factsOf(corpus: unknown, ...set: string[]) {
  return corpusOf(await resolveRunConfig({ set: [`data.corpus=${JSON.stringify(corpus)}`, "data.window_length=4", ...set] }));
}

test("documents are joined by a blank line, or not joined, and are counted as documents", async () => {
  const path = join(folder, "few.jsonl");
  writeFileSync(path, ["abcdefg", "", "xy", "12345"].map((text) => JSON.stringify({ text })).join("\n"));
  expect(await factsOf(path)).toMatchObject({ path, documents: 3, joint: "\n\n", tokens: 7 + 2 + 5 + 4, windows: 18 - 4 });
  const separate = await factsOf(path, "data.documents=separate");
  expect(separate).toMatchObject({ documents: 3, tokens: 14, windows: 3 + 0 + 1 }); // 7 - 4, none of 2, 5 - 4
  expect(separate.joint).toBeUndefined();
  await expect(factsOf(path, "data.documents=separate", "data.window_length=7")).rejects.toMatchObject({
    message: expect.stringContaining("has no document of 8 tokens"),
  });
  await expect(factsOf(path, "data.documents=separate", "data.held_out=0.3")).rejects.toMatchObject({ issues: [{ path: "data.held_out" }] });
});

test("a document that is not ASCII is named where it comes from", async () => {
  writeFileSync(join(folder, "foreign.jsonl"), '{"text": "plain"}\n{"text": ""}\n{"text": "süß"}\n');
  await expect(factsOf(join(folder, "foreign.jsonl"))).rejects.toMatchObject({ message: expect.stringMatching(/foreign\.jsonl:3 is not ASCII/) });
});
