// The steps that make a receipt, in their order: each sees the total of those before it.
import { goods } from "./steps/goods.js";
import { offers } from "./steps/offers.js";
import { tip } from "./steps/tip.js";

export const steps = [goods, offers, tip];
