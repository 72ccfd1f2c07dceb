import type { ServedRunDocument } from "../documents.js";
import { bytes, shown } from "../figures.js";

/** What a run was trained with, what came out, and its files. */
export function RunFacts({ run }: { run: ServedRunDocument }) {
  return (
    <section class="facts" aria-label="Facts">
      <Changes run={run} />
      <Result run={run} />
      <Files run={run} />
    </section>
  );
}

function Changes({ run }: { run: ServedRunDocument }) {
  return (
    <div class="panel">
      <h3>Changed from {run.preset}</h3>
      {run.changes.length === 0 ? (
        <p class="note">Nothing.</p>
      ) : (
        <table>
          <tbody>
            {run.changes.map(({ path, before, after }) => (
              <tr key={path}>
                <th scope="row">{path}</th>
                <td>
                  <del>{shown(before)}</del> → <ins>{shown(after)}</ins>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {run.config && (
        <details>
          <summary>Whole configuration</summary>
          <table>
            <tbody>
              {Object.entries(run.config).map(([path, value]) => (
                <tr key={path}>
                  <th scope="row">{path}</th>
                  <td>{shown(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </div>
  );
}

function Result({ run }: { run: ServedRunDocument }) {
  const { result, environment, corpus } = run;
  return (
    <div class="panel">
      <h3>Result</h3>
      <table>
        <tbody>
          {result && <Fact name="displacement" value={shown(result.displacement.float64)} />}
          {result && <Fact name="steps a second" value={shown(result.stepsPerSecond)} />}
          {result && <Fact name="parameters" value={shown(result.parameters)} />}
          {corpus && <Fact name="text" value={`${shown(corpus.tokens)} tokens, ${corpus.distinct} kinds, ${corpus.dead} dead`} />}
          {run.stepMethod && <Fact name="computed by" value={run.stepMethod} />}
          {environment && <Fact name="device" value={`${environment.device}, ${environment.threads} thread${environment.threads === 1 ? "" : "s"}`} />}
          {environment && (
            <Fact name="versions" value={`Python ${environment.python}, PyTorch ${environment.torch}, transformers ${environment.transformers}`} />
          )}
        </tbody>
      </table>
      {run.next && (
        <p class="next">
          {run.status === "completed" ? "Look closer" : "Go on"}: <code>{run.next}</code>
        </p>
      )}
    </div>
  );
}

function Files({ run }: { run: ServedRunDocument }) {
  return (
    <div class="panel">
      <h3>Take away</h3>
      <ul class="files">
        {run.files.map(({ name, bytes: size }) => (
          <li key={name}>
            <a href={`/api/runs/${run.id}/file?name=${encodeURIComponent(name)}`} download={name}>
              {name}
            </a>{" "}
            <small>{bytes(size)}</small>
          </li>
        ))}
      </ul>
      {run.figures.length > 0 && (
        <details>
          <summary>Figures for papers</summary>
          <ul class="files">
            {run.figures.map((name) => (
              <li key={name}>
                {name}{" "}
                {["svg", "png", "csv"].map((kind) => (
                  <a key={kind} class="kind" href={`/api/runs/${run.id}/figure?name=${name}&as=${kind}`}>
                    {kind}
                  </a>
                ))}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{value}</td>
    </tr>
  );
}
