import "./styles.css";
import "./widths.css";
import "./try/try-link.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { hrefOf, useAddress } from "./address.js";
import { CatalogueView } from "./catalogue/catalogue-view.js";
import { DropZone } from "./catalogue/drop-zone.js";
import { ConnectionNotice } from "./connection-notice.js";
import { Glossary } from "./glossary.js";
import { PairView } from "./pair/pair-view.js";
import { Palette } from "./palette/palette.js";
import { PlanView } from "./plan/plan-view.js";
import { OverlayView } from "./run/overlay-view.js";
import { RunView } from "./run/run-view.js";
import { useTheme } from "./theme.js";
import { TryView } from "./try/try-view.js";

function Page() {
  const { view, id, beside, query } = useAddress();
  const baseline = query.get("baseline");
  const { choice, next } = useTheme();
  useEffect(() => window.scrollTo(0, 0), [view, id, beside]);
  return (
    <>
      <nav aria-label="Page">
        <a class="home" href={hrefOf("runs", "", baseline ? { baseline } : {})}>
          <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
            <circle cx="16" cy="16" r="9" class="ring" />
            <circle cx="16" cy="16" r="5" class="core" />
          </svg>
          bh-bridge
        </a>
        <span class="space" />
        <a class="button small try-link" href={hrefOf("try")}>
          Try it
        </a>
        <Palette />
        <DropZone />
        <button type="button" class="small" onClick={next} aria-label={`Colours: ${choice}`}>
          {choice === "auto" ? "◐" : choice === "light" ? "☀" : "☾"} <span class="theme-name">{choice}</span>
        </button>
      </nav>
      {view === "run" && <RunView key={id} id={id} />}
      {view === "pair" && <PairView key={`${id}/${beside}`} first={id} second={beside} />}
      {view === "overlay" && <OverlayView />}
      {view === "plan" && <PlanView key={id} id={id} />}
      {view === "try" && <TryView />}
      {!["run", "pair", "overlay", "plan", "try"].includes(view) && <CatalogueView />}
      <Glossary />
      <ConnectionNotice />
    </>
  );
}

/** The browser paints what the document has before views are made, which take longer. Without a window it paints nothing, so no longer is waited. */
const mostMs = 50;
const painted = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
await Promise.race([painted, new Promise((resolve) => setTimeout(resolve, mostMs))]);

const page = document.getElementById("page");
if (page) render(<Page />, page);
