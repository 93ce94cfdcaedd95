import { catalogue } from "../catalogue.js";
import { money } from "../money.js";

/** `kiosk list`: what there is, and what it costs. */
export function run() {
  const items = Object.entries(catalogue);
  const left = Math.max(...items.map(([item]) => item.length));
  return items.map(([item, { cents }]) => `${item.padEnd(left)}  ${money(cents)}`).join("\n");
}
