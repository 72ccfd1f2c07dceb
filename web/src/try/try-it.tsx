import { useEffect, useMemo, useState } from "preact/hooks";
import type { Snapshot, TrainingOrder } from "../../shared/portable/messages.js";
import { LinePlot } from "../again/line-plot.js";
import { useTraining } from "../again/use-training.js";
import { Choice } from "../controls.js";
import { LiveCloud } from "./live-cloud.js";
import { checkingCommands, type TriedSettings, triedConfig, usualSettings } from "./tried-config.js";
import "./try-it.css";

/** The parts that differ between the page and the file that works alone. */
export interface TryItProps {
  library(): Promise<ArrayBuffer>;
  /** The built-in text. */
  text(): Promise<Uint8Array>;
  worker(): Worker;
}

const norms = [
  ["rmsnorm", "RMSNorm"],
  ["layernorm", "LayerNorm"],
] as const;
const inits = [
  ["singular", "singular: all rows equal"],
  ["snowball", "snowball: one vector plus noise"],
  ["unit-noise", "unit-noise: one unit vector plus noise"],
  ["normal", "normal: all rows different"],
] as const;
const learningRates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2];
const stepCounts = [20, 100, 300, 800];
const vocabulary = 128;
const largestSeed = 2 ** 32 - 1;

/** Train a small GPT-2 in the browser, and watch black holes form and break. */
export function TryIt({ library, text, worker }: TryItProps) {
  const { training, start, stop, pause } = useTraining(worker);
  const [settings, setSettings] = useState(usualSettings);
  const [tried, setTried] = useState<{ settings: TriedSettings; dead: ReadonlySet<number> }>();
  const isRunning = ["loading", "running", "paused"].includes(training.state);
  const isChosen = Number.isInteger(settings.seed) && settings.seed >= 0 && settings.seed <= largestSeed;
  const begin = () =>
    start(async () => {
      const [bytes, tokens] = await Promise.all([library(), text()]);
      const { order, dead } = orderOf(settings, bytes, tokens);
      setTried({ settings, dead });
      return order;
    });
  const { snapshots } = training;
  const isWhole = training.state === "done" && snapshots.at(-1)?.step === tried?.settings.steps;
  return (
    <main class="try again">
      <header>
        <h1>Try it</h1>
        <p>
          Tokens with equal rows in the embedding form a <em>black hole</em>. Training pulls out the tokens that occur in the text. Tokens that never occur get
          equal gradients, so rows that start equal stay equal. Train a small GPT-2 in this browser and watch.
        </p>
      </header>
      <Settings
        settings={settings}
        isLocked={isRunning}
        onChange={setSettings}
        onSubmit={() => {
          if (isRunning) stop();
          else if (isChosen) void begin();
        }}
      >
        <button type="submit" class="primary" disabled={!isRunning && !isChosen}>
          {isRunning ? "Stop" : "Train"}
        </button>
        {isRunning && (
          <button type="button" onClick={() => pause(training.state !== "paused")} disabled={training.state === "loading"}>
            {training.state === "paused" ? "Resume" : "Pause"}
          </button>
        )}
      </Settings>
      {training.problem && <p class="problem">{training.problem}</p>}
      <p class="visually-hidden" role="status">
        {training.state === "done" ? `Trained ${snapshots.at(-1)?.step ?? 0} steps` : ""}
      </p>
      <Numbers snapshot={snapshots.at(-1)} steps={tried?.settings.steps ?? settings.steps} dead={tried?.dead.size} />
      <h2 class="visually-hidden">During the training</h2>
      <div class="tried">
        <LiveCloud snapshot={snapshots.at(-1)} dead={tried?.dead ?? none} />
        <Plots snapshots={snapshots} lastStep={tried?.settings.steps ?? settings.steps} />
      </div>
      <Check settings={tried && isWhole ? tried.settings : settings} sha256={isWhole ? snapshots.at(-1)?.sha256 : undefined} />
    </main>
  );
}

const none: ReadonlySet<number> = new Set();

interface SettingsProps {
  readonly settings: TriedSettings;
  readonly isLocked: boolean;
  onChange(settings: TriedSettings): void;
  onSubmit(): void;
  readonly children: preact.ComponentChildren;
}

function Settings({ settings, isLocked, onChange, onSubmit, children }: SettingsProps) {
  const numbers = (values: readonly number[]) => values.map((value) => [String(value), String(value)] as const);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <fieldset disabled={isLocked}>
        <Choice label="Norm" value={settings.norm} options={norms} onChoice={(norm) => onChange({ ...settings, norm: norm as TriedSettings["norm"] })} />
        <Choice
          label="Initial state"
          value={settings.init}
          options={inits}
          onChoice={(init) => onChange({ ...settings, init: init as TriedSettings["init"] })}
        />
        <Choice
          label="Learning rate"
          value={String(settings.learningRate)}
          options={numbers(learningRates)}
          onChoice={(rate) => onChange({ ...settings, learningRate: Number(rate) })}
        />
        <Choice
          label="Steps"
          value={String(settings.steps)}
          options={numbers(stepCounts)}
          onChoice={(steps) => onChange({ ...settings, steps: Number(steps) })}
        />
        <label>
          <span>Seed</span>
          <input
            type="number"
            min={0}
            max={largestSeed}
            value={Number.isNaN(settings.seed) ? "" : settings.seed}
            onInput={(event) => onChange({ ...settings, seed: event.currentTarget.valueAsNumber })}
          />
        </label>
      </fieldset>
      {children}
    </form>
  );
}

/** The counts of the newest snapshot. */
function Numbers({ snapshot, steps, dead }: { snapshot: Snapshot | undefined; steps: number; dead: number | undefined }) {
  const counts = snapshot?.counts;
  const live = dead === undefined ? undefined : vocabulary - dead;
  const of = (value: number | undefined, all: number | undefined) => (value === undefined ? "–" : all === undefined ? String(value) : `${value} of ${all}`);
  const pace = snapshot && snapshot.step > 0 ? `${(snapshot.step / snapshot.seconds).toFixed(1)} steps/s` : "–";
  const facts = [
    ["Step", of(snapshot?.step, steps)],
    ["Black holes (C)", of(counts?.C, undefined)],
    ["Rows in them (P)", of(counts?.P, vocabulary)],
    ["Distinct rows", of(counts?.unique, vocabulary)],
    ["Live tokens alone", of(counts?.liveAlone, live)],
    ["Dead tokens alone", of(counts?.deadAlone, dead)],
    ["Loss", snapshot?.loss === undefined ? "–" : snapshot.loss.toFixed(4)],
    ["Speed", pace],
  ];
  return (
    <dl class="numbers">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Plots({ snapshots, lastStep }: { snapshots: readonly Snapshot[]; lastStep: number }) {
  return (
    <div class="live-plots">
      <LinePlot
        title="Rows"
        lastStep={lastStep}
        floor={0}
        ceiling={vocabulary}
        lines={[
          { name: "P, rows in black holes", kind: "now", first: 0, values: snapshots.map(({ counts }) => counts.P) },
          { name: "distinct rows", kind: "now-second", first: 0, values: snapshots.map(({ counts }) => counts.unique) },
        ]}
      />
      <LinePlot
        title="Loss"
        lastStep={lastStep}
        floor={2}
        ceiling={4.9}
        lines={[{ name: "loss of each step", kind: "now", first: 1, values: snapshots.slice(1).map(({ loss }) => loss) }]}
      />
    </div>
  );
}

function Check({ settings, sha256 }: { settings: TriedSettings; sha256: string | undefined }) {
  const commands = useMemo(() => checkingCommands(settings), [settings]);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [commands]);
  const copy = () => navigator.clipboard.writeText(commands).then(() => setCopied(true));
  return (
    <section class="check" aria-label="Check it">
      <h2>Check it</h2>
      <p>
        Engine portable computes the same bits in every browser and on every CPU. These commands train the same steps with PyTorch and print the SHA-256 of all
        snapshots.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
      <pre tabIndex={0}>
        <code>{commands}</code>
      </pre>
      <p>
        <button type="button" onClick={() => void copy()}>
          {isCopied ? "Copied" : "Copy"}
        </button>
      </p>
      <p class="sum">
        SHA-256 here: <code>{sha256 ?? "known after the last step"}</code>
      </p>
    </section>
  );
}

/** Tokens are bytes below the vocabulary; those that do not occur are dead. */
function orderOf(settings: TriedSettings, library: ArrayBuffer, text: Uint8Array): { order: TrainingOrder; dead: ReadonlySet<number> } {
  const tokens = text.filter((byte) => byte < vocabulary);
  const live = new Set(tokens);
  const dead = Array.from({ length: vocabulary }, (_, token) => token).filter((token) => !live.has(token));
  const order = { library, config: triedConfig(settings), text: { kind: "corpus" as const, tokens }, until: settings.steps, deadTokens: dead, isSeen: true };
  return { order, dead: new Set(dead) };
}
