import { expect, test } from "vitest";
import { Shared } from "../../../../web/shared/shared-value.js";

test("a preview is shown until it ends, and the settled value stays", () => {
  const step = new Shared<number | null>(null);
  const shown: (number | null)[] = [];
  step.listen((value) => shown.push(value));
  step.preview(89);
  expect([step.value, step.settled]).toEqual([89, null]);
  step.preview(90);
  step.endPreview();
  step.endPreview();
  expect([step.value, step.settled]).toEqual([null, null]);
  expect(shown).toEqual([89, 90, null]);
});

test("settling on the previewed value is a change, and the end of the preview then changes nothing", () => {
  const step = new Shared<number | null>(null);
  step.preview(89);
  const shown: (number | null)[] = [];
  step.listen((value) => shown.push(value));
  step.value = 89;
  step.endPreview();
  expect([step.value, step.settled]).toEqual([89, 89]);
  expect(shown).toEqual([89]);
});
