import { readBasket } from "../basket.js";
import { print } from "../print.js";
import { receipt } from "../receipt.js";

/** `kiosk buy apple:3 bread`: the receipt of a basket; with `--json` as data. */
export function run(words, options) {
  const result = receipt(readBasket(words), options);
  return options.json ? JSON.stringify(result) : print(result);
}
