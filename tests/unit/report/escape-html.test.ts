import { expect, test } from "vitest";
import { escapeHtml, scriptJson } from "../../../src/report/escape-html.js";

test("a text is never markup", () => expect(escapeHtml(`<b a="1" c='2'>&`)).toBe("&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;"));

test("JSON in a script element does not end it, and reads back as it was", () => {
  const value = { name: "</script><!--<script>", line: "\u2028" };
  expect(scriptJson(value)).not.toMatch(/<|\u2028/);
  expect(JSON.parse(scriptJson(value))).toEqual(value);
});
