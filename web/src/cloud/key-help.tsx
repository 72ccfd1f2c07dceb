import { useRef } from "preact/hooks";
import { useKeys } from "./use-keys.js";

const keys: readonly (readonly [keys: string, action: string])[] = [
  ["Space", "play or pause"],
  [", .", "one state back or on"],
  ["Home End", "first or last state"],
  ["n", "follow the newest state"],
  ["f", "fit the black hole of the followed token, or the largest one"],
  ["r", "show the whole path again"],
  ["t", "tour of the other dimensions"],
  ["/", "search a token"],
  ["Esc", "leave the picture, then let go of the token"],
  ["Enter", "activate the picture that has the focus"],
  ["+ −", "zoom the active picture"],
  ["← → ↑ ↓", "move the active picture, turn it with Shift; in a chart, move the cursor"],
  ["Ctrl K", "search runs, tokens, steps and figures"],
  ["?", "this list"],
];

/** The button with the list of keys, which `?` opens too. */
export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = () => dialog.current?.showModal();
  useKeys({ "?": open });
  return (
    <>
      <button type="button" onClick={open} aria-label="List of keys" title="List of keys (?)">
        ?
      </button>
      <dialog ref={dialog} class="keys" aria-label="Keys">
        <h2>Keys</h2>
        <dl>
          {keys.map(([key, action]) => (
            <div key={key}>
              <dt>
                {key.split(" ").map((each) => (
                  <kbd key={each}>{each}</kbd>
                ))}
              </dt>
              <dd>{action}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
