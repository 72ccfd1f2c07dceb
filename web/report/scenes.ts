import type { StepCursor } from "../shared/shared-value.js";

/** Give each scene of the story a button that moves the cursor, and with it the replay. */
export function addScenes(cursor: StepCursor): void {
  const scenes = [...document.querySelectorAll<HTMLElement>(".story li[data-step]")];
  const buttons = scenes.map((scene) => {
    const step = Number(scene.dataset["step"]);
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: `Show step ${step.toLocaleString("en")}` });
    button.addEventListener("click", () => {
      cursor.value = step;
    });
    scene.append(button);
    return { button, step };
  });
  const mark = (shown: number | null) => {
    for (const { button, step } of buttons) button.setAttribute("aria-pressed", String(step === shown));
  };
  cursor.listen(mark);
  mark(cursor.value);
}
