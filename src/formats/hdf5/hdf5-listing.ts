import type { Metadata } from "h5wasm";
import type { Hdf5Sandbox } from "./hdf5-sandbox.js";

/** Groups nest at most so deep; a group that holds itself nests without end. */
const maxGroupDepth = 32;
/** So many objects are listed at most: trajectories have a handful, a saved Keras model some hundreds. */
const maxObjects = 100_000;

/** A dataset as the library describes it. */
export interface Hdf5Dataset {
  readonly name: string;
  readonly metadata: Metadata;
  readonly filterIds: readonly number[];
  /** Whether an attribute `dtype` says that its integers are the bits of bfloat16 numbers. */
  readonly saysBfloat16: boolean;
}

/**
 * Every dataset that links inside the file lead to, named by its path without the leading slash.
 *
 * Throws an `Error` for groups that nest too deep (or hold themselves) and for too many objects.
 */
export function listDatasets(sandbox: Hdf5Sandbox): Hdf5Dataset[] {
  const datasets: Hdf5Dataset[] = [];
  let objects = 0;
  const visit = (group: string, depth: number): void => {
    if (depth > maxGroupDepth) throw new Error(`its groups nest deeper than ${maxGroupDepth}, or hold themselves`);
    for (const key of sandbox.run((module) => module.get_names(sandbox.fileId, group, false))) {
      if (++objects > maxObjects) throw new Error(`it has more than ${maxObjects} objects`);
      const path = group === "/" ? `/${key}` : `${group}/${key}`;
      const type = sandbox.run((module) => module.get_type(sandbox.fileId, path));
      if (type === sandbox.module.H5G_GROUP) visit(path, depth + 1);
      else if (type === sandbox.module.H5G_DATASET) datasets.push(describe(sandbox, path));
    }
  };
  visit("/", 0);
  return datasets;
}

function describe(sandbox: Hdf5Sandbox, path: string): Hdf5Dataset {
  const { fileId } = sandbox;
  return sandbox.run((module) => ({
    name: path.slice(1),
    metadata: module.get_dataset_metadata(fileId, path),
    filterIds: module.get_dataset_filters(fileId, path).map((filter) => filter.id),
    saysBfloat16: module.get_attribute_names(fileId, path).includes("dtype") && sandbox.textAttribute(path, "dtype") === "bfloat16",
  }));
}
