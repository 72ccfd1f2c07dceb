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
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return completed(always(schema.unwrap()));
  if (schema instanceof z.ZodPipe) return completed(schema.out);
  if (schema instanceof z.ZodObject) return completedObject(schema);
  if (schema instanceof z.ZodDiscriminatedUnion) return new z.ZodDiscriminatedUnion({ ...schema.def, options: schema.options.map(completed) });
  return schema;
}

/** What may be left out has its default in its place. */
function always(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

function completedObject({ shape, def }: z.ZodObject): z.core.$ZodType {
  const fields = Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, completed(field)]));
  return def.catchall === undefined ? z.strictObject(fields) : z.object(fields).catchall(def.catchall);
}
