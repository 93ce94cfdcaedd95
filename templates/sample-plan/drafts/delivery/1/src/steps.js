// The steps that make a receipt, in their order: each sees the total of those before it.
import { delivery } from "./steps/delivery.js";
import { goods } from "./steps/goods.js";
import { offers } from "./steps/offers.js";

export const steps = [goods, offers, delivery];
