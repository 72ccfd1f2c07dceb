import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tokenizerText } from "../../../src/formats/tokenizer-text.js";
import { expectedFrom } from "./reference-python.js";

const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(["ByteLevel", "Sequence", "Fuse"])("tokens are written as the library decodes them, lone bytes as numbers: %s", (decoder) => {
  const path = join(folder, `${decoder}.json`);
  const expected = expectedFrom<Record<string, string>>(
    `
import codecs, json, sys
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
tokenizer = Tokenizer(models.BPE())
of_bytes = sys.argv[2] != "Fuse"
tokenizer.decoder = {"ByteLevel": decoders.ByteLevel(), "Sequence": decoders.Sequence([decoders.ByteLevel(), decoders.Fuse()]), "Fuse": decoders.Fuse()}[sys.argv[2]]
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if of_bytes else pre_tokenizers.Whitespace()
alphabet = pre_tokenizers.ByteLevel.alphabet() if of_bytes else []
tokenizer.train_from_iterator(["saß naïve the the cat\\n"] * 9, trainers.BpeTrainer(vocab_size=300, show_progress=False, initial_alphabet=alphabet))
tokenizer.add_tokens([AddedToken("<end>")])
tokenizer.save(sys.argv[1])
plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
hidden = [byte for byte in range(256) if byte not in plain]
byte_of = {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(hidden)}
codecs.register_error("number", lambda error: ("".join(f"<0x{byte:02X}>" for byte in error.object[error.start : error.end]), error.end))
def text(token):
    written = tokenizer.decode([token], False)
    if "\\ufffd" not in written: return written
    return bytes(byte_of[character] for character in tokenizer.id_to_token(token)).decode(errors="number")
print(json.dumps({str(token): text(token) for token in range(tokenizer.get_vocab_size())}))
`,
    path,
    decoder,
  );
  const text = tokenizerText(path);
  expect(Object.fromEntries(Object.keys(expected).map((token) => [token, text(Number(token))]))).toEqual(expected);
  expect(text(100_000)).toBeNull();
});

test("a file that is no tokenizer is refused", () => {
  const path = join(folder, "other.json");
  writeFileSync(path, '{"model": {}}');
  expect(() => tokenizerText(path)).toThrow();
});
