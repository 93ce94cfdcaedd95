import { type FreshCheckout, projectEnvironment } from "../checkout/index.ts";

type Environment = Readonly<Record<string, string>>;

export type CheckFacts = { run: string; label: string; base: string; marker: Environment };

/** The whole environment of a check in `checkout`. */
export function checkEnvironment(visible: Environment, checkout: FreshCheckout, facts: CheckFacts): Environment {
  return {
    ...projectEnvironment(visible, checkout),
    GRAFTWORK_RUN: facts.run,
    GRAFTWORK_TASK_ID: facts.label,
    GRAFTWORK_BASE: facts.base,
    ...facts.marker,
  };
}
