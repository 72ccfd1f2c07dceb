import { hrefOf, setQuery } from "../address.js";

/** Which run the others are compared with, and how to end that. */
export function BaselineNote({ baseline: { id, name } }: { baseline: { id: string; name: string } }) {
  return (
    <p class="baseline-note">
      Differences from <a href={hrefOf("run", id, { baseline: id })}>{name}</a>
      <button type="button" class="small" onClick={() => setQuery({ baseline: "" })}>
        Clear baseline
      </button>
    </p>
  );
}
