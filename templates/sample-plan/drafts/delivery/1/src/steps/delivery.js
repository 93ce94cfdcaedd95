const FEE = 490;
const FREE_FROM = 3000;

/** `--delivery`: brought to the door, free from 30.00 on. */
export function delivery({ options, total }) {
  if (!options.delivery) return [];
  return [{ text: "Delivery", cents: total >= FREE_FROM ? 0 : FEE }];
}
