const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** What `setTimeout` can wait for: a longer time would fire at once. */
const DURATION_MAX_MS = 2 ** 31 - 1;

export const DURATION_FORM = "a duration such as 500ms, 90s, 30m or 1h";
export const SIZE_FORM = "a size such as 500KiB, 50MiB or 1GiB";

/**
 * Milliseconds of `500ms`, `90s`, `30m`, `1h`, `1h30m`; undefined for anything else. A number without a unit is
 * refused, as it would be seconds to some and milliseconds to others; so are 0 and what no timer can hold (24 days).
 */
export function parseDuration(text: string): number | undefined {
  const compact = text.trim().replace(/ +/g, "");
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|[smhd]))+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, amount, unit] of compact.matchAll(/([\d.]+)(ms|[smhd])/g))
    total += Number(amount) * (DURATION_UNITS[unit ?? ""] ?? Number.NaN);
  const ms = Math.round(total);
  return ms >= 1 && ms <= DURATION_MAX_MS ? ms : undefined;
}

/** Bytes of `50MiB`, `1 GiB`, `512B`; undefined for anything else, bare numbers included. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?) ?([kKMGT]?i?B)$/.exec(text.trim());
  const factor = SIZE_UNITS[match?.[2] ?? ""];
  if (match === null || factor === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
