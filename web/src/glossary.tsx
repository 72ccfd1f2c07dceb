import "./glossary.css";
import { glossary } from "../../src/text/glossary.js";

/** The terms of the page, each with a note that its button opens. */
export function Glossary() {
  return (
    <footer class="terms">
      What is
      {glossary.map(({ key, term, meaning }) => (
        <span key={key}>
          <button type="button" class="term" popovertarget={`term-${key}`}>
            {term}
          </button>
          <span popover="auto" id={`term-${key}`} class="term-note">
            <b>{term}</b> {meaning}
          </span>
        </span>
      ))}
    </footer>
  );
}
