import { saveFile } from "../shared/save-file.js";

/** Let the reader save a text as a file. */
export function saveText(name: string, type: string, content: string): void {
  saveFile(name.replaceAll(/[^\w.-]+/g, "-"), new Blob([content], { type }));
}
