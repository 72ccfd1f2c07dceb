/** How torch's element types are spelt here, and the bytes of one element. */
export interface TorchDtype {
  /** As safetensors spells it, where it knows the type. */
  readonly dtype: string;
  readonly itemBytes: number;
}

/** The classes of typed storages, by name in module `torch`. */
export const storageDtypes: ReadonlyMap<string, TorchDtype> = new Map([
  ["BFloat16Storage", { dtype: "BF16", itemBytes: 2 }],
  ["HalfStorage", { dtype: "F16", itemBytes: 2 }],
  ["FloatStorage", { dtype: "F32", itemBytes: 4 }],
  ["DoubleStorage", { dtype: "F64", itemBytes: 8 }],
  ["CharStorage", { dtype: "I8", itemBytes: 1 }],
  ["ByteStorage", { dtype: "U8", itemBytes: 1 }],
  ["ShortStorage", { dtype: "I16", itemBytes: 2 }],
  ["IntStorage", { dtype: "I32", itemBytes: 4 }],
  ["LongStorage", { dtype: "I64", itemBytes: 8 }],
  ["BoolStorage", { dtype: "BOOL", itemBytes: 1 }],
  ["ComplexFloatStorage", { dtype: "C64", itemBytes: 8 }],
  ["ComplexDoubleStorage", { dtype: "C128", itemBytes: 16 }],
  ["UntypedStorage", { dtype: "U8", itemBytes: 1 }],
]);

/** The element types without a storage class of their own, by name in module `torch`; they are named beside an untyped storage. */
export const laterDtypes: ReadonlyMap<string, TorchDtype> = new Map([
  ["uint16", { dtype: "U16", itemBytes: 2 }],
  ["uint32", { dtype: "U32", itemBytes: 4 }],
  ["uint64", { dtype: "U64", itemBytes: 8 }],
  ["float8_e4m3fn", { dtype: "F8_E4M3", itemBytes: 1 }],
  ["float8_e4m3fnuz", { dtype: "F8_E4M3FNUZ", itemBytes: 1 }],
  ["float8_e5m2", { dtype: "F8_E5M2", itemBytes: 1 }],
  ["float8_e5m2fnuz", { dtype: "F8_E5M2FNUZ", itemBytes: 1 }],
  ["float8_e8m0fnu", { dtype: "F8_E8M0", itemBytes: 1 }],
]);
