import { useEffect } from "preact/hooks";

/** Name the tab of the browser (default: the name of the program). */
export function useTitle(text: string): void {
  useEffect(() => {
    document.title = text === "" ? "bh-bridge" : text;
  }, [text]);
}
