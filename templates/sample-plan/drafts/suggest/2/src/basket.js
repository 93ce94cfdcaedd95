import { catalogue } from "./catalogue.js";
import { suggest } from "./suggest.js";

/** Reads `["apple:3", "bread"]` as items with their counts. */
export function readBasket(words) {
  return words.map((word) => {
    const [item, count = "1"] = word.split(":");
    if (!Object.hasOwn(catalogue, item)) throw new Error(`we do not sell ${item}${hint(item)}`);
    if (!/^[1-9]\d*$/.test(count)) throw new Error(`${count} is not a number of pieces`);
    return { item, count: Number(count) };
  });
}

function hint(item) {
  const near = suggest(item, Object.keys(catalogue));
  return near === undefined ? "" : `, did you mean ${near}?`;
}
