import type { JudgedCheck } from "../domain/index.ts";
import { type Oid, type Repository, treeHoldsText } from "../git/index.ts";

const VARIABLE = "GRAFTWORK_TASK_ID";

/** Returns the label if a check or a file of the tree reads it, so that another label may get another answer; else null. */
export async function labelInKey(repository: Repository, tree: Oid, checks: readonly JudgedCheck[], label: string): Promise<string | null> {
  if (checks.some(({ check }) => JSON.stringify(check.run).includes(VARIABLE))) return label;
  return (await treeHoldsText(repository, tree, VARIABLE)) ? label : null;
}
