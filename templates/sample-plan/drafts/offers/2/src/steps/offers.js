import { readFileSync } from "node:fs";
import { catalogue } from "../catalogue.js";

const deals = JSON.parse(readFileSync(new URL("../offers.json", import.meta.url), "utf8"));

/** What "three for the price of two" takes off. */
export function offers({ basket }) {
  return basket.flatMap(({ item, count }) => {
    const deal = deals[item];
    const free = deal === undefined ? 0 : Math.floor(count / deal.take) * (deal.take - deal.pay);
    return free === 0 ? [] : [{ text: `  ${deal.take} for ${deal.pay}`, cents: -free * catalogue[item].cents }];
  });
}
