import type { RunEvent, SecretValue, Verify } from "../domain/index.ts";
import type { Oid, Person, RefChange, Repository } from "../git/index.ts";
import type { Resolving } from "./resolve-conflicts.ts";

/** What merging needs from its caller: a run, or a merge by hand. */
export type MergeContext = {
  repository: Repository;
  run: string;
  /** Short name of the target branch. */
  target: string;
  /** Commits that the caller saw the target at. */
  seen?: readonly string[];
  /** The tasks of the caller whose work the target held: where each began, its commit, and the commit that brought it. */
  delivered?: readonly { task: string; base: Oid; branchTip: Oid; merge: Oid }[];
  person: Person;
  verify: Verify;
  /** Verifications side by side. */
  slots: number;
  resolving: Resolving;
  /** Values of files that slots get a copy of: they must not land. */
  secrets?: readonly SecretValue[];
  /** Paths that may be files which approved commands run: see `commandFiles`. */
  commandFiles?: readonly string[];
  /** `merge`: a merge commit a task; `squash`: a commit of the whole work, without its history. */
  strategy: "merge" | "squash";
  /** Says what happened; a run writes it into its journal before it returns. */
  emit: (event: RunEvent) => void;
  /** Verified inside every ref transaction: a coordinator that lost its run cannot move anything. */
  fence: readonly RefChange[];
  /** `dangerousConfig` as it was at the run's start. */
  trustedConfig: string;
  narrate: (line: string) => void;
  signal?: AbortSignal;
};
