import { expect, test } from "vitest";
import { escapeHtml } from "../../../src/report/escape-html.js";

test("a text is never markup", () => expect(escapeHtml(`<b a="1" c='2'>&`)).toBe("&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;"));
