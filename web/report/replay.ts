import type { ReplayFrames } from "../../src/report/replay-frames.js";

type ShowStep = (step: number | null, from: object) => void;

/** A replay on the page. */
export interface Replay {
  /** Show the last key frame at or before a step. */
  show(step: number): void;
}

const height = 420;
const framesPerSecond = 30;
const margin = 24;

function numbers(base64: string): Uint16Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, properties: Partial<HTMLElementTagNameMap[Name]>): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), properties);
}

/** Draw key frames on a canvas, with a scrubber, a play button, and a token to follow. */
export function addReplay(host: HTMLElement, frames: ReplayFrames, showStep: ShowStep): Replay {
  const places = numbers(frames.places);
  const classes = numbers(frames.classes);
  const count = frames.tokens.length;
  const last = frames.steps.length - 1;
  const canvas = element("canvas", { height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "The embedding along two principal components, at the step that the scrubber shows");
  const play = element("button", { type: "button", textContent: "Play" });
  const scrubber = element("input", { type: "range", min: "0", max: String(last), step: "1", value: "0" });
  scrubber.setAttribute("aria-label", "Key frame");
  const follow = element("select", {});
  follow.setAttribute("aria-label", "Token to follow");
  follow.append(element("option", { value: "", textContent: "Follow a token" }));
  for (const [row, { name, dead }] of frames.tokens.entries())
    follow.append(element("option", { value: String(row), textContent: `${name}${dead ? " (dead)" : ""}` }));
  const said = element("output", {});
  const controls = element("div", { className: "controls" });
  controls.append(play, scrubber, follow, said);
  host.replaceChildren(canvas, controls);

  let frame = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const replay: Replay = {
    show(step) {
      const at = frames.steps.findLastIndex((each) => each <= step);
      setFrame(Math.max(0, at), false);
    },
  };

  const context = canvas.getContext("2d");
  const placeOf = (at: number, row: number): [number, number] => {
    const index = 2 * (at * count + row);
    const room = 2 * margin * devicePixelRatio;
    const scale = Math.min((canvas.width - room) / frames.width, (canvas.height - room) / frames.height);
    const [wide, high] = [scale * frames.width, scale * frames.height];
    const across = (canvas.width - wide) / 2;
    const down = (canvas.height - high) / 2;
    return [across + ((places[index] ?? 0) / 65_535) * wide, canvas.height - down - ((places[index + 1] ?? 0) / 65_535) * high];
  };

  function draw(): void {
    if (!context) return;
    const style = getComputedStyle(document.documentElement);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const [live, dead] = dark ? ["#7db3f2", "#f0a06a"] : ["#1f4e8c", "#c4560a"];
    context.clearRect(0, 0, canvas.width, canvas.height);
    const scale = devicePixelRatio;
    const chosen = follow.value === "" ? -1 : Number(follow.value);
    if (chosen >= 0) {
      context.strokeStyle = style.getPropertyValue("--accent");
      context.lineWidth = 1.2 * scale;
      context.beginPath();
      for (let at = 0; at <= frame; at++) context.lineTo(...placeOf(at, chosen));
      context.stroke();
    }
    const population = new Map<number, number>();
    const hasLive = new Set<number>();
    for (let row = 0; row < count; row++) {
      const first = classes[frame * count + row] ?? row;
      population.set(first, (population.get(first) ?? 0) + 1);
      if (!frames.tokens[row]?.dead) hasLive.add(first);
    }
    context.font = `${12 * scale}px system-ui, sans-serif`;
    for (const [first, tokens] of [...population].sort((a, b) => b[1] - a[1])) {
      const [x, y] = placeOf(frame, first);
      const radius = (2.6 + 1.7 * Math.sqrt(tokens - 1)) * scale;
      context.fillStyle = (hasLive.has(first) ? live : dead) ?? "";
      context.globalAlpha = tokens > 1 ? 0.65 : 0.85;
      context.beginPath();
      // Dead tokens are squares: colour alone would not tell them.
      if (hasLive.has(first)) context.arc(x, y, radius, 0, 2 * Math.PI);
      else context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      context.fill();
      context.globalAlpha = 1;
      context.fillStyle = style.getPropertyValue("--ink");
      if (tokens > 1) context.fillText(String(tokens), x + radius + 3 * scale, y + 4 * scale);
    }
    if (chosen >= 0) {
      const [x, y] = placeOf(frame, chosen);
      context.strokeStyle = style.getPropertyValue("--ink");
      context.lineWidth = 2 * scale;
      context.beginPath();
      context.arc(x, y, 9 * scale, 0, 2 * Math.PI);
      context.stroke();
      context.fillText(frames.tokens[chosen]?.name ?? "", x + 12 * scale, y - 8 * scale);
    }
    const holes = [...population.values()].filter((tokens) => tokens > 1);
    const inHoles = holes.reduce((sum, tokens) => sum + tokens, 0);
    said.value = `step ${(frames.steps[frame] ?? 0).toLocaleString("en")}: C = ${holes.length}, P = ${inHoles}, ${population.size} distinct`;
  }

  function setFrame(at: number, tell: boolean): void {
    frame = at;
    scrubber.value = String(at);
    draw();
    if (tell) showStep(frames.steps[at] ?? null, replay);
  }

  function resize(): void {
    canvas.width = canvas.clientWidth * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    canvas.style.height = `${height}px`;
    draw();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "Play";
  }

  play.addEventListener("click", () => {
    if (timer !== undefined) {
      stop();
      return;
    }
    if (frame === last) frame = 0;
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (frame >= last) stop();
      else setFrame(frame + 1, true);
    }, 1000 / framesPerSecond);
  });
  scrubber.addEventListener("input", () => setFrame(Number(scrubber.value), true));
  follow.addEventListener("change", draw);
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) * devicePixelRatio, (event.clientY - box.top) * devicePixelRatio];
    const distances = frames.tokens.map((_, row) => Math.hypot(placeOf(frame, row)[0] - x, placeOf(frame, row)[1] - y));
    follow.value = String(distances.indexOf(Math.min(...distances)));
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(resize).observe(canvas);
  resize();
  return replay;
}
