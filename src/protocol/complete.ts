import { z } from "zod";

/** What `complete` makes of a schema. */
type Complete<Schema> =
  Schema extends z.ZodDefault<infer Inner>
    ? Complete<Inner>
    : Schema extends z.ZodPrefault<infer Inner>
      ? Complete<Inner>
      : Schema extends z.ZodObject<infer Shape>
        ? z.ZodObject<{ [Field in keyof Shape]: Complete<Shape[Field]> }, z.core.$strict>
        : Schema extends z.ZodDiscriminatedUnion
          ? z.ZodType<z.output<Schema>, z.output<Schema>>
          : Extract<Schema, z.ZodType>;

/**
 * The schema of what a schema's `parse` returns: a field that has a default is required, as its value is there by now, and no field is added.
 *
 * A request carries sections of a configuration, and its schemas are made from theirs.
 */
export function complete<Schema extends z.ZodType>(schema: Schema): Complete<Schema> {
  return completed(schema) as Complete<Schema>;
}

function completed(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return completed(schema.unwrap());
  if (schema instanceof z.ZodPipe) return completed(schema.out);
  if (schema instanceof z.ZodObject) return z.strictObject(Object.fromEntries(Object.entries(schema.shape).map(([name, field]) => [name, completed(field)])));
  if (schema instanceof z.ZodDiscriminatedUnion) return new z.ZodDiscriminatedUnion({ ...schema.def, options: schema.options.map(completed) });
  return schema;
}
