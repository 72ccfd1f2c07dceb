/** How torch's element types are spelt here, and the bytes of one element. */
export interface TorchDtype {
  /** As safetensors spells it, where it knows the type. */
  readonly dtype: string;
  readonly itemBytes: number;
}

/** The classes of storages, by their full names. */
export const storageDtypes: ReadonlyMap<string, TorchDtype> = new Map([
  ["torch.BFloat16Storage", { dtype: "BF16", itemBytes: 2 }],
  ["torch.HalfStorage", { dtype: "F16", itemBytes: 2 }],
  ["torch.FloatStorage", { dtype: "F32", itemBytes: 4 }],
  ["torch.DoubleStorage", { dtype: "F64", itemBytes: 8 }],
  ["torch.CharStorage", { dtype: "I8", itemBytes: 1 }],
  ["torch.ByteStorage", { dtype: "U8", itemBytes: 1 }],
  ["torch.ShortStorage", { dtype: "I16", itemBytes: 2 }],
  ["torch.IntStorage", { dtype: "I32", itemBytes: 4 }],
  ["torch.LongStorage", { dtype: "I64", itemBytes: 8 }],
  ["torch.BoolStorage", { dtype: "BOOL", itemBytes: 1 }],
  ["torch.ComplexFloatStorage", { dtype: "C64", itemBytes: 8 }],
  ["torch.ComplexDoubleStorage", { dtype: "C128", itemBytes: 16 }],
  ["torch.storage.UntypedStorage", { dtype: "U8", itemBytes: 1 }],
]);

/** The element types without a storage class of their own, by their full names; they are named beside an untyped storage. */
export const laterDtypes: ReadonlyMap<string, TorchDtype> = new Map([
  ["torch.uint16", { dtype: "U16", itemBytes: 2 }],
  ["torch.uint32", { dtype: "U32", itemBytes: 4 }],
  ["torch.uint64", { dtype: "U64", itemBytes: 8 }],
  ["torch.float8_e4m3fn", { dtype: "F8_E4M3", itemBytes: 1 }],
  ["torch.float8_e4m3fnuz", { dtype: "F8_E4M3FNUZ", itemBytes: 1 }],
  ["torch.float8_e5m2", { dtype: "F8_E5M2", itemBytes: 1 }],
  ["torch.float8_e5m2fnuz", { dtype: "F8_E5M2FNUZ", itemBytes: 1 }],
  ["torch.float8_e8m0fnu", { dtype: "F8_E8M0", itemBytes: 1 }],
]);
