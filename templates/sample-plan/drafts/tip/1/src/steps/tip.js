/** `--tip 10`: so many per cent on top. */
export function tip({ options, total }) {
  const percent = Number(options.tip ?? 0);
  return percent > 0 ? [{ text: `Tip ${percent} %`, cents: Math.round((total * percent) / 100) }] : [];
}
