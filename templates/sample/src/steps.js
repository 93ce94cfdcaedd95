// The steps that make a receipt, in their order: each sees the total of those before it.
import { goods } from "./steps/goods.js";

export const steps = [goods];
