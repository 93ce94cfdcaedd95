const SMALLEST_COIN = 5;

/** `--cash`: brings the total to what coins can pay. */
export function rounding({ options, total }) {
  const cents = Math.round(total / SMALLEST_COIN) * SMALLEST_COIN - total;
  return options.cash && cents !== 0 ? [{ text: "Rounding", cents }] : [];
}
