import { catalogue } from "../catalogue.js";

/** One line for each item of the basket. */
export function goods({ basket }) {
  return basket.map(({ item, count }) => {
    const { name, cents } = catalogue[item];
    return { text: count === 1 ? name : `${name} × ${count}`, cents: cents * count };
  });
}
