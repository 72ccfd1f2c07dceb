import { expect, test } from "vitest";
import { escapeHtml } from "../../../src/report/escape-html.js";

test("what HTML cannot hold is escaped", () => expect(escapeHtml("a\u001b[31m\u0000\ud800\uffff\tb\nc")).toBe("a\\u{1b}[31m\\u{0}\\u{d800}\\u{ffff}\tb\nc"));

test("a text is never markup", () => expect(escapeHtml(`<b a="1" c='2'>&`)).toBe("&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;"));
