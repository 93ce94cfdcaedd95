type Schema = Record<string, unknown>;
const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function hasType(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isMap(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

/** Judges a value by the part of JSON Schema that ours use, so that no package is needed for it. */
export function accepts(schema: Schema, value: unknown): boolean {
  const { type, enum: words, pattern, minLength, minItems, maxItems, minimum, maximum, anyOf, items, properties, required } = schema;
  if (type !== undefined && ![type].flat().some((one) => hasType(value, one))) return false;
  if (Array.isArray(words) && !words.includes(value)) return false;
  if (Array.isArray(anyOf) && !anyOf.some((one: Schema) => accepts(one, value))) return false;
  if (typeof value === "string")
    return !(value.length < Number(minLength ?? 0)) && (typeof pattern !== "string" || new RegExp(pattern).test(value));
  if (typeof value === "number") return value >= Number(minimum ?? value) && value <= Number(maximum ?? value);
  if (Array.isArray(value)) {
    if (value.length < Number(minItems ?? 0) || value.length > Number(maxItems ?? value.length)) return false;
    return items === undefined || value.every((one) => accepts(items as Schema, one));
  }
  if (!isMap(value)) return true;
  const known = (properties ?? {}) as Record<string, Schema>;
  if (Array.isArray(required) && required.some((key) => !Object.hasOwn(value, String(key)))) return false;
  return Object.entries(value).every(([key, one]) =>
    Object.hasOwn(known, key) ? accepts(known[key] ?? {}, one) : schema["additionalProperties"] !== false,
  );
}
