import { useEffect, useMemo, useRef } from "preact/hooks";
import { Camera } from "../../replay/camera.js";
import { setQuery, useAddress } from "../address.js";
import type { BasisDocument } from "../documents.js";

/** The camera of a view; the address keeps it once it stops moving. */
export function useCamera(basis: BasisDocument): Camera {
  const text = useAddress().query.get("camera") ?? "";
  const written = useRef(text);
  const camera = useMemo(() => {
    const made = new Camera(basis);
    made.text = text;
    return made;
  }, [basis]);
  useEffect(() => {
    if (text === written.current) return;
    written.current = text;
    camera.text = text;
  }, [camera, text]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = camera.join(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        written.current = camera.text;
        setQuery({ camera: camera.text });
      }, 250);
    });
    return () => {
      clearTimeout(timer);
      leave();
    };
  }, [camera]);
  return camera;
}
