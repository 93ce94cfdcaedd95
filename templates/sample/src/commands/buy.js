import { readBasket } from "../basket.js";
import { print } from "../print.js";
import { receipt } from "../receipt.js";

/** `kiosk buy apple:3 bread`: the receipt of a basket. */
export function run(words, options) {
  const result = receipt(readBasket(words), options);
  return print(result);
}
