import "../styles.css";
import { render } from "preact";
import TrainingWorker from "../../shared/portable/worker.js?worker&inline";
import { inflated } from "../again/train-again.js";
import { useTheme } from "../theme.js";
import { TryIt } from "./try-it.js";

/** A file that the page carries. */
const fileOf = (id: string) => inflated(document.getElementById(id)?.textContent ?? "");

function Page() {
  const { choice, next } = useTheme();
  return (
    <>
      <nav aria-label="Page">
        <span class="home">bh-bridge</span>
        <span class="space" />
        <button type="button" class="small" onClick={next} aria-label={`Colours: ${choice}`}>
          {choice === "auto" ? "◐" : choice === "light" ? "☀" : "☾"} {choice}
        </button>
      </nav>
      <TryIt library={async () => (await fileOf("library")).buffer} text={() => fileOf("text")} worker={() => new TrainingWorker()} />
    </>
  );
}

// The documentation shows this page in a frame, below a heading and a switch of its own.
document.documentElement.classList.toggle("is-framed", window.parent !== window);

const page = document.getElementById("page");
if (page) render(<Page />, page);
