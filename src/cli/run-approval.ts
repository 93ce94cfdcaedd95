import type { Governed } from "../domain/index.ts";
import { type RunSummary, runDigest, runEntries } from "../run/index.ts";
import { approvedBefore, governedBy, sealRun, standingOfRun } from "../trust/index.ts";
import { type Approved, requireApproved, settle } from "./approval.ts";
import { ownTemplates } from "./package-files.ts";
import type { Opened } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

/** Makes sure that the user approved what an earlier run keeps: its plan and its configuration. Throws TRUST_NEEDED. */
export async function requireApprovedRun(shell: Shell, opened: Opened, { record }: RunSummary): Promise<Approved> {
  const { layout, root } = opened.context.repository;
  const templates = ownTemplates(root);
  const standing = standingOfRun(layout, record.run, runDigest(record));
  if (standing === "as-begun") {
    // What it runs is known; only words for agents may be new.
    const governed = governedBy({ ...opened.loaded, config: opened.loaded.own, templates });
    const before = approvedBefore(layout);
    const isKnown = (one: Governed): boolean => before?.governed.some(({ key, text }) => key === one.key && text === one.text) === true;
    if (governed.every(isKnown)) return { ...opened, templates };
    return requireApproved(shell, opened);
  }
  const governed = [...governedBy({ ...opened.loaded, config: record.config, templates }), ...runEntries(record)];
  const why =
    standing === "missing"
      ? `run ${record.run} was begun elsewhere: your state folder does not know what it runs`
      : `what run ${record.run} keeps in ${record.folder} is not what it began with, and graftwork did not change it`;
  const keep = (): string | undefined => sealRun(layout, record.run, runDigest(record));
  await settle(shell, { governed, before: undefined, isOpen: true, keep, why });
  return { ...opened, templates };
}
