import type { StateBits } from "./replayed.js";

/** How a point is drawn. Those of a black hole lie at one place, and one of them is drawn for all. */
export const marks = { live: 0, dead: 1, hole: 2 } as const;

/** The points of a state as they are drawn. */
export interface CloudPoints {
  /** A mark for each row. */
  readonly marks: Uint8Array;
  /** Radius for each row, in pixels of the page. */
  readonly radii: Float32Array;
  /** 1 for the rows that are followed. */
  readonly chosen: Uint8Array;
  /** The rows to draw, lowest first. */
  readonly order: Uint32Array;
}

/** Directions of a basis that a place in it has room for: two vectors of four. */
const mostDirections = 8;

/** Once for a state: from the bits of each row to its place in the basis of the path. */
const placingSource = `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D bits;
uniform sampler2D basis;
uniform int dims;
uniform int rowWidth;
uniform int form;
out vec4 low;
out vec4 high;

float valueOf(uint word) {
  if (form == 0) return uintBitsToFloat(word << 16);
  if (form == 1) return unpackHalf2x16(word).x;
  return uintBitsToFloat(word);
}

void main() {
  low = vec4(0.0);
  high = vec4(0.0);
  int first = gl_VertexID * dims;
  for (int dim = 0; dim < dims; dim++) {
    int at = first + dim;
    float value = valueOf(texelFetch(bits, ivec2(at % rowWidth, at / rowWidth), 0).r) - texelFetch(basis, ivec2(dim, 2), 0).r;
    low += value * texelFetch(basis, ivec2(dim, 0), 0);
    high += value * texelFetch(basis, ivec2(dim, 1), 0);
  }
}`;

const nothingSource = `#version 300 es
void main() {}`;

/** Every frame: from the place in the basis to the picture. */
const vertexSource = `#version 300 es
precision highp float;
uniform vec4 axes[6];
uniform vec2 scale;
uniform vec2 middle;
uniform float depth;
uniform float pixelRatio;
in vec4 low;
in vec4 high;
in float mark;
in float radius;
in float chosen;
out float shape;
out float near;
out float isChosen;
out float ringShare;

void main() {
  vec3 place = vec3(dot(low, axes[0]) + dot(high, axes[1]), dot(low, axes[2]) + dot(high, axes[3]), dot(low, axes[4]) + dot(high, axes[5]));
  gl_Position = vec4((place.xy - middle) * scale, 0.0, 1.0);
  near = clamp(0.5 + 0.5 * place.z * depth, 0.0, 1.0);
  shape = mark;
  isChosen = chosen;
  // The disc of a live token fills three quarters of its point, and a diamond has less area than a disc.
  float whole = radius * (mark > 1.5 ? 1.0 : mark > 0.5 ? 1.3 : 1.333) * (chosen > 0.5 && mark < 1.5 ? 1.35 : 1.0) + (chosen > 0.5 && mark < 1.5 ? 3.0 : 0.0);
  ringShare = 1.0 - clamp(max(3.0, 0.16 * radius) / whole, 0.12, 0.5);
  gl_PointSize = 2.0 * whole * pixelRatio * (mark > 1.5 ? 1.0 : 0.9 + 0.2 * near);
}`;

const fragmentSource = `#version 300 es
precision highp float;
uniform vec3 liveColour;
uniform vec3 deadColour;
uniform vec3 holeColour;
uniform vec3 followedColour;
uniform vec3 ground;
in float shape;
in float near;
in float isChosen;
in float ringShare;
out vec4 colour;

void main() {
  vec2 at = gl_PointCoord * 2.0 - 1.0;
  float round = length(at);
  float blur = fwidth(round);
  if (shape > 1.5) {
    // A black hole: a ring around a ground that lets others shine through.
    float disc = 1.0 - smoothstep(1.0 - blur, 1.0, round);
    float ring = smoothstep(ringShare - blur, ringShare, round);
    vec3 ringColour = isChosen > 0.5 ? followedColour : holeColour;
    colour = vec4(mix(ground, ringColour, ring), disc * mix(0.6, 1.0, ring));
  } else if (shape > 0.5) {
    // A token that the text does not have: a hollow diamond.
    float diamond = abs(at.x) + abs(at.y);
    float edge = fwidth(diamond);
    float outer = 1.0 - smoothstep(1.0 - edge, 1.0, diamond);
    float inner = smoothstep(0.5 - edge, 0.5, diamond);
    colour = vec4(isChosen > 0.5 ? followedColour : deadColour, outer * inner * (0.6 + 0.4 * near));
  } else {
    colour = vec4(isChosen > 0.5 ? followedColour : liveColour, (1.0 - smoothstep(0.75 - blur, 0.75, round)) * (0.55 + 0.45 * near));
  }
  if (isChosen > 0.5 && shape < 1.5 && round > 0.8 && round < 0.98) colour = vec4(followedColour, 1.0);
  if (colour.a < 0.02) discard;
  colour.rgb *= colour.a;
}`;

/** Words of a state in a row of the texture. */
const rowWidth = 2048;

/** The basis of the positions. */
interface CloudBasis {
  /** Row by row, `components` × dims. */
  readonly directions: readonly number[];
  readonly components: number;
  readonly mean: readonly number[];
}

/** What is drawn beside the points' own bits. */
export interface CloudLook {
  /** Right, up and towards the eye, along the directions of the basis. */
  axes: readonly (readonly number[])[];
  /** The middle of the picture, along the first two axes. */
  middle: readonly [number, number];
  /** Pixels of the page per unit of the embedding, and those of the whole path: points beyond it are nearest or farthest. */
  pixelsPerUnit: number;
  pixelsOfWhole: number;
  /** Size of the picture, in pixels of the page. */
  width: number;
  height: number;
  colours: { live: string; dead: string; hole: string; followed: string; ground: string };
}

/**
 * Draws the rows of a state as points, from the bits that the run recorded: the card itself turns them into numbers and places, once for each state. A frame
 * sends it where from to look, and nothing of the points.
 */
export class Cloud {
  readonly #gl: WebGL2RenderingContext;
  readonly #placing: WebGLProgram;
  readonly #drawing: WebGLProgram;
  readonly #uniforms: (name: string) => WebGLUniformLocation | null;
  readonly #tokens: number;
  readonly #is16: boolean;
  readonly #bits: WebGLTexture;
  readonly #basis: WebGLTexture;
  readonly #places: WebGLBuffer;
  readonly #feedback: WebGLTransformFeedback;
  readonly #drawn: WebGLVertexArrayObject;
  readonly #marks: WebGLBuffer;
  readonly #radii: WebGLBuffer;
  readonly #chosen: WebGLBuffer;
  readonly #order: WebGLBuffer;
  #drawnRows = 0;

  /** @throws {Error} in words for people, where the browser cannot. */
  constructor(canvas: HTMLCanvasElement, { tokens, dims, dtype }: { tokens: number; dims: number; dtype: string }, basis: CloudBasis) {
    // The points smooth their own edges: sampling each pixel four times shows nothing more, and takes a processor that draws most of its time.
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, premultipliedAlpha: true });
    if (!gl) throw new Error("This browser has no WebGL 2, which draws the cloud");
    this.#gl = gl;
    this.#tokens = tokens;
    this.#is16 = dtype === "BF16" || dtype === "F16";
    this.#placing = linked(gl, placingSource, nothingSource, ["low", "high"]);
    this.#drawing = linked(gl, vertexSource, fragmentSource);
    const found = new Map<string, WebGLUniformLocation | null>();
    this.#uniforms = (name) => {
      if (!found.has(name)) found.set(name, gl.getUniformLocation(this.#drawing, name));
      return found.get(name) ?? null;
    };
    this.#bits = texture(gl);
    gl.texStorage2D(gl.TEXTURE_2D, 1, this.#is16 ? gl.R16UI : gl.R32UI, rowWidth, Math.ceil((tokens * dims) / rowWidth));
    this.#basis = texture(gl);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, dims, 3);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, dims, 3, gl.RGBA, gl.FLOAT, packed(basis, dims));
    gl.useProgram(this.#placing);
    const at = (name: string) => gl.getUniformLocation(this.#placing, name);
    gl.uniform1i(at("bits"), 0);
    gl.uniform1i(at("basis"), 1);
    gl.uniform1i(at("dims"), dims);
    gl.uniform1i(at("rowWidth"), rowWidth);
    gl.uniform1i(at("form"), dtype === "BF16" ? 0 : dtype === "F16" ? 1 : 2);
    this.#places = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#places);
    gl.bufferData(gl.ARRAY_BUFFER, tokens * mostDirections * 4, gl.DYNAMIC_COPY);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
    this.#feedback = gl.createTransformFeedback();
    this.#drawn = gl.createVertexArray();
    gl.bindVertexArray(this.#drawn);
    for (const [name, offset] of [
      ["low", 0],
      ["high", 16],
    ] as const) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#places);
      this.#attribute(name, 4, gl.FLOAT, 32, offset);
    }
    this.#marks = this.#rowAttribute("mark", gl.UNSIGNED_BYTE, 1);
    this.#radii = this.#rowAttribute("radius", gl.FLOAT, 4);
    this.#chosen = this.#rowAttribute("chosen", gl.UNSIGNED_BYTE, 1);
    this.#order = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#order);
    gl.bindVertexArray(null);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Take the bits of another state, and how its rows are drawn. */
  show(bits: StateBits, points: CloudPoints): void {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#basis);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#bits);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const type = this.#is16 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT;
    const whole = Math.floor(bits.length / rowWidth);
    if (whole > 0) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, rowWidth, whole, gl.RED_INTEGER, type, bits.subarray(0, whole * rowWidth));
    const rest = bits.length - whole * rowWidth;
    if (rest > 0) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, whole, rest, 1, gl.RED_INTEGER, type, bits.subarray(whole * rowWidth));
    for (const [buffer, values] of [
      [this.#marks, points.marks],
      [this.#radii, points.radii],
      [this.#chosen, points.chosen],
    ] as const) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
    gl.bindVertexArray(this.#drawn);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, points.order, gl.DYNAMIC_DRAW);
    gl.bindVertexArray(null);
    this.#drawnRows = points.order.length;
    this.#place();
  }

  draw({ axes, middle, pixelsPerUnit, pixelsOfWhole, width, height, colours }: CloudLook): void {
    const gl = this.#gl;
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.#drawing);
    gl.bindVertexArray(this.#drawn);
    const at = this.#uniforms;
    gl.uniform4fv(
      at("axes"),
      axes.flatMap((axis) => Array.from({ length: mostDirections }, (_, component) => axis[component] ?? 0)),
    );
    gl.uniform2f(at("scale"), pixelsPerUnit / (width / 2), pixelsPerUnit / (height / 2));
    gl.uniform2f(at("middle"), ...middle);
    gl.uniform1f(at("depth"), pixelsOfWhole / (Math.min(width, height) / 2));
    gl.uniform1f(at("pixelRatio"), gl.canvas.width / width);
    gl.uniform3f(at("liveColour"), ...rgb(colours.live));
    gl.uniform3f(at("deadColour"), ...rgb(colours.dead));
    gl.uniform3f(at("holeColour"), ...rgb(colours.hole));
    gl.uniform3f(at("followedColour"), ...rgb(colours.followed));
    gl.uniform3f(at("ground"), ...rgb(colours.ground));
    gl.drawElements(gl.POINTS, this.#drawnRows, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
  }

  /** Give the card its memory back. */
  close(): void {
    const gl = this.#gl;
    for (const each of [this.#bits, this.#basis]) gl.deleteTexture(each);
    for (const each of [this.#places, this.#marks, this.#radii, this.#chosen, this.#order]) gl.deleteBuffer(each);
    for (const each of [this.#placing, this.#drawing]) gl.deleteProgram(each);
    gl.deleteTransformFeedback(this.#feedback);
    gl.deleteVertexArray(this.#drawn);
  }

  /** From bits to places, without a picture. */
  #place(): void {
    const gl = this.#gl;
    gl.useProgram(this.#placing);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, this.#feedback);
    gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, this.#places);
    gl.enable(gl.RASTERIZER_DISCARD);
    gl.beginTransformFeedback(gl.POINTS);
    gl.drawArrays(gl.POINTS, 0, this.#tokens);
    gl.endTransformFeedback();
    gl.disable(gl.RASTERIZER_DISCARD);
    gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, null);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, null);
  }

  #rowAttribute(name: string, type: number, bytes: number): WebGLBuffer {
    const gl = this.#gl;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.#tokens * bytes, gl.DYNAMIC_DRAW);
    this.#attribute(name, 1, type, 0, 0);
    return buffer;
  }

  #attribute(name: string, size: number, type: number, stride: number, offset: number): void {
    const gl = this.#gl;
    const place = gl.getAttribLocation(this.#drawing, name);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, false, stride, offset);
  }
}

/** A basis as three rows of a texture: four directions, four more, and the mean. */
function packed({ directions, components, mean }: CloudBasis, dims: number): Float32Array {
  const texels = new Float32Array(3 * dims * 4);
  for (let dim = 0; dim < dims; dim++) {
    for (let component = 0; component < Math.min(components, mostDirections); component++) {
      texels[(Math.floor(component / 4) * dims + dim) * 4 + (component % 4)] = directions[component * dims + dim] ?? 0;
    }
    texels[(2 * dims + dim) * 4] = mean[dim] ?? 0;
  }
  return texels;
}

function texture(gl: WebGL2RenderingContext): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return made;
}

function linked(gl: WebGL2RenderingContext, vertices: string, fragments: string, kept: string[] = []): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertices],
    [gl.FRAGMENT_SHADER, fragments],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("The graphics card gives no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "A shader does not compile");
    gl.attachShader(program, shader);
  }
  if (kept.length > 0) gl.transformFeedbackVaryings(program, kept, gl.INTERLEAVED_ATTRIBS);
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "The shaders do not fit");
  return program;
}

function rgb(hex: string): [number, number, number] {
  const digits = hex.trim().slice(1);
  const value = Number.parseInt(digits.length === 3 ? digits.replaceAll(/./g, "$&$&") : digits, 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}
