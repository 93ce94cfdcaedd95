import type { HeldValue, Oid } from "../git/index.ts";
import type { MergeContext } from "./context.ts";
import type { LeftFile } from "./resolve-conflicts.ts";

/** A task whose commit QA approved. */
export type Candidate = {
  task: string;
  title: string;
  branch: string;
  /** The approved commit: this lands, whatever the branch points to by then. */
  commit: Oid;
  dependsOn: readonly string[];
  /** Where the work began; unknown for work that nobody recorded. */
  base?: Oid;
  /** What a person decided in a conflict, and on which commit of the target. It stands in a `commit` that goes on from it. */
  decided?: { commit: Oid; onto: Oid };
  /** A person merges it by hand, and lets its protected changes in (`protected-paths.ts`). */
  letsIn?: boolean;
  /** Its checks use something that only one of them may use at a time. */
  isExclusive?: boolean;
};

/** What building a train needs of its caller. */
export type TrainContext = Pick<
  MergeContext,
  "repository" | "run" | "target" | "seen" | "delivered" | "person" | "resolving" | "secrets" | "commandFiles" | "strategy" | "narrate"
>;

/** The train's tip. `lost`: what the target held and holds no longer. */
export type At = { commit: Oid; tree: Oid; lost: readonly HeldValue[] };

/** A candidate that could not be merged. */
export type NotAdded = {
  kind: "conflict";
  paths: readonly string[];
  left: readonly LeftFile[];
  reason?: string;
  person?: true;
  isProtected?: true;
  startOver?: true;
};
