import type { StateBits } from "./states.js";

/** How a point is drawn. */
export const marks = { live: 0, dead: 1, hole: 2 } as const;

const vertexSource = `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D bits;
uniform sampler2D map;
uniform int dims;
uniform int rowWidth;
uniform int form;
uniform vec3 offset;
uniform vec2 scale;
uniform float size;
in float mark;
in float chosen;
out float shape;
out float near;
out float isChosen;

float valueOf(uint word) {
  if (form == 0) return uintBitsToFloat(word << 16);
  if (form == 1) return unpackHalf2x16(word).x;
  return uintBitsToFloat(word);
}

void main() {
  vec3 place = vec3(0.0);
  int first = gl_VertexID * dims;
  for (int dim = 0; dim < dims; dim++) {
    int at = first + dim;
    uint word = texelFetch(bits, ivec2(at % rowWidth, at / rowWidth), 0).r;
    place += valueOf(word) * texelFetch(map, ivec2(dim, 0), 0).rgb;
  }
  place -= offset;
  gl_Position = vec4(place.xy * scale, 0.0, 1.0);
  near = clamp(0.5 + 0.5 * place.z * scale.y, 0.0, 1.0);
  shape = mark;
  isChosen = chosen;
  gl_PointSize = size * (mark > 1.5 ? 1.7 : 1.0) * (0.85 + 0.3 * near) * (chosen > 0.5 ? 1.8 : 1.0);
}`;

const fragmentSource = `#version 300 es
precision highp float;
uniform vec3 liveColour;
uniform vec3 deadColour;
uniform vec3 holeColour;
uniform vec3 ground;
in float shape;
in float near;
in float isChosen;
out vec4 colour;

void main() {
  vec2 at = gl_PointCoord * 2.0 - 1.0;
  float round = length(at);
  float blur = fwidth(round);
  if (shape > 1.5) {
    // A black hole: a dark disc in a bright ring.
    float disc = 1.0 - smoothstep(1.0 - blur, 1.0, round);
    float ring = smoothstep(0.55 - blur, 0.55, round);
    colour = vec4(mix(ground, holeColour, ring), disc);
  } else if (shape > 0.5) {
    // A token that the text does not have: a hollow diamond.
    float diamond = abs(at.x) + abs(at.y);
    float edge = fwidth(diamond);
    float outer = 1.0 - smoothstep(1.0 - edge, 1.0, diamond);
    float inner = smoothstep(0.5 - edge, 0.5, diamond);
    colour = vec4(deadColour, outer * inner * (0.6 + 0.4 * near));
  } else {
    colour = vec4(liveColour, (1.0 - smoothstep(0.75 - blur, 0.75, round)) * (0.55 + 0.45 * near));
  }
  if (isChosen > 0.5 && round > 0.78 && round < 0.98) colour = vec4(holeColour, 1.0);
  if (colour.a < 0.02) discard;
  colour.rgb *= colour.a;
}`;

/** Words of a state in a row of the texture. */
const rowWidth = 2048;

/** What is drawn beside the points' own bits. */
export interface CloudLook {
  matrix: Float32Array;
  offset: [number, number, number];
  /** Picture units a unit of the embedding. */
  scale: number;
  /** Diameter of a point, in pixels of the screen. */
  pointSize: number;
  colours: { live: string; dead: string; hole: string; ground: string };
}

/** Draws the rows of a state as points, from the bits that the run recorded: the card itself turns them into numbers and places. */
export class Cloud {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #tokens: number;
  readonly #dims: number;
  readonly #is16: boolean;
  readonly #form: number;
  readonly #bits: WebGLTexture;
  readonly #map: WebGLTexture;
  readonly #marks: WebGLBuffer;
  readonly #chosen: WebGLBuffer;

  /** @throws {Error} in words for people, where the browser cannot. */
  constructor(canvas: HTMLCanvasElement, { tokens, dims, dtype }: { tokens: number; dims: number; dtype: string }) {
    const gl = canvas.getContext("webgl2", { antialias: true, premultipliedAlpha: true, preserveDrawingBuffer: true });
    if (!gl) throw new Error("This browser has no WebGL 2, which draws the cloud");
    this.#gl = gl;
    this.#tokens = tokens;
    this.#dims = dims;
    this.#is16 = dtype === "BF16" || dtype === "F16";
    this.#form = dtype === "BF16" ? 0 : dtype === "F16" ? 1 : 2;
    this.#program = linked(gl);
    this.#bits = texture(gl);
    gl.texStorage2D(gl.TEXTURE_2D, 1, this.#is16 ? gl.R16UI : gl.R32UI, rowWidth, Math.ceil((tokens * dims) / rowWidth));
    this.#map = texture(gl);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, dims, 1);
    this.#marks = this.#attribute("mark");
    this.#chosen = this.#attribute("chosen");
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Take the bits of another state, and how each row is marked. */
  show(bits: StateBits, rowMarks: Uint8Array, chosen: Uint8Array): void {
    const gl = this.#gl;
    gl.bindTexture(gl.TEXTURE_2D, this.#bits);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const type = this.#is16 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT;
    const whole = Math.floor(bits.length / rowWidth);
    if (whole > 0) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, rowWidth, whole, gl.RED_INTEGER, type, bits.subarray(0, whole * rowWidth));
    const rest = bits.length - whole * rowWidth;
    if (rest > 0) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, whole, rest, 1, gl.RED_INTEGER, type, bits.subarray(whole * rowWidth));
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#marks);
    gl.bufferData(gl.ARRAY_BUFFER, rowMarks, gl.DYNAMIC_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#chosen);
    gl.bufferData(gl.ARRAY_BUFFER, chosen, gl.DYNAMIC_DRAW);
  }

  draw({ matrix, offset, scale, pointSize, colours }: CloudLook): void {
    const gl = this.#gl;
    const { width, height } = gl.canvas;
    const pixels = Math.min(width, height) / 2;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.#program);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#map);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, this.#dims, 1, gl.RGBA, gl.FLOAT, matrix);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#bits);
    const at = (name: string) => gl.getUniformLocation(this.#program, name);
    gl.uniform1i(at("bits"), 0);
    gl.uniform1i(at("map"), 1);
    gl.uniform1i(at("dims"), this.#dims);
    gl.uniform1i(at("rowWidth"), rowWidth);
    gl.uniform1i(at("form"), this.#form);
    gl.uniform3f(at("offset"), ...offset);
    gl.uniform2f(at("scale"), (scale * pixels) / (width / 2), (scale * pixels) / (height / 2));
    gl.uniform1f(at("size"), pointSize);
    gl.uniform3f(at("liveColour"), ...rgb(colours.live));
    gl.uniform3f(at("deadColour"), ...rgb(colours.dead));
    gl.uniform3f(at("holeColour"), ...rgb(colours.hole));
    gl.uniform3f(at("ground"), ...rgb(colours.ground));
    gl.drawArrays(gl.POINTS, 0, this.#tokens);
  }

  /** Give the card its memory back. */
  close(): void {
    const gl = this.#gl;
    for (const each of [this.#bits, this.#map]) gl.deleteTexture(each);
    for (const each of [this.#marks, this.#chosen]) gl.deleteBuffer(each);
    gl.deleteProgram(this.#program);
  }

  #attribute(name: string): WebGLBuffer {
    const gl = this.#gl;
    const buffer = gl.createBuffer();
    const place = gl.getAttribLocation(this.#program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.#tokens, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 1, gl.UNSIGNED_BYTE, false, 0, 0);
    return buffer;
  }
}

function texture(gl: WebGL2RenderingContext): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return made;
}

function linked(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertexSource],
    [gl.FRAGMENT_SHADER, fragmentSource],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("The graphics card gives no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "A shader does not compile");
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "The shaders do not fit");
  return program;
}

function rgb(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.trim().slice(1), 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}
