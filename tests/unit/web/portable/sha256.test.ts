import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Sha256 } from "../../../../web/shared/portable/sha256.js";

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * index) % 251);

test.each([0, 1, 55, 56, 63, 64, 119, 120, 1000])("a digest of %i bytes equals that of OpenSSL", (length) => {
  const part = bytes.subarray(0, length);
  expect(new Sha256().add(part).hex()).toBe(createHash("sha256").update(part).digest("hex"));
});

test("bytes can be added in pieces, and after a digest was read", () => {
  const hash = new Sha256();
  for (let at = 0; at < bytes.length; at += 70) {
    hash.add(bytes.subarray(at, at + 70));
    expect(hash.hex()).toBe(
      createHash("sha256")
        .update(bytes.subarray(0, Math.min(bytes.length, at + 70)))
        .digest("hex"),
    );
  }
});
