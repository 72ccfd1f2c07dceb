/** What bounds and tunes the analyses of a history. */
export interface AnalysisSettings {
  /** Cells that neighbours in the topology differ by at most; by default 1. */
  readonly k: number;
  /** Per-token arrays are left out when they have more entries; by default 10,000. */
  readonly maxTokens: number;
  /** A topology is left out when it has more nodes; by default 10,000. */
  readonly maxNodes: number;
  /** Spreads are left out when there are more dimensions; by default 768. */
  readonly spreadDims: number;
}

/** The settings that a caller names; the others are the default ones. */
export type AnalysisSettingsInput = { readonly [Setting in keyof AnalysisSettings]?: AnalysisSettings[Setting] | undefined };

export const defaultSettings: AnalysisSettings = {
  k: 1,
  // Per-token arrays of larger vocabularies would make a document that no reader opens (GPT-2's 50,257 tokens: 2 MB).
  maxTokens: 10_000,
  // The pairs of 10,000 nodes of 64 dimensions take about a second; those of 100,000 would take minutes.
  maxNodes: 10_000,
  // Above so many dimensions, the eigenvalues of one covariance take more than some ten seconds.
  spreadDims: 768,
};

/** All settings, of which a caller named some. */
export function analysisSettings({ k, maxTokens, maxNodes, spreadDims }: AnalysisSettingsInput): AnalysisSettings {
  return {
    k: k ?? defaultSettings.k,
    maxTokens: maxTokens ?? defaultSettings.maxTokens,
    maxNodes: maxNodes ?? defaultSettings.maxNodes,
    spreadDims: spreadDims ?? defaultSettings.spreadDims,
  };
}
