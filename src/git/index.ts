export { captureWork, workTree, writeCapture } from "./capture.ts";
export {
  aheadBehind,
  changedPaths,
  commitTree,
  isWhole,
  listPaths,
  mergeBase,
  messageOf,
  type Person,
  patchBetween,
  readBlob,
  readFileAt,
  subjects,
  treeOf,
  userIdentity,
  writeBlob,
} from "./commit-objects.ts";
export { configKeys } from "./config-keys.ts";
export { editTree, type TreeEdit } from "./edit-tree.ts";
export { type ExportLimits, exportLimits } from "./export-limits.ts";
export { exportTree } from "./export-tree.ts";
export { checkoutOf, dangerousConfig, fastForward, headOf, landingMark, movedFrom } from "./land-checkout.ts";
export { type ConflictStage, type MergedTrees, mergeTrees } from "./merge-trees.ts";
export { firstParentLog, type LoggedCommit } from "./porcelain.ts";
export {
  currentBranch,
  isAncestor,
  type Oid,
  type RefChange,
  readRef,
  readRefs,
  requireCommit,
  resolveCommit,
  unreachable,
  updateRefs,
} from "./refs.ts";
export { openRepository, type Repository } from "./repository.ts";
export { moveCheckoutBack, restoreCheckout } from "./restore-checkout.ts";
export type { GitContext } from "./run-git.ts";
export { adoptCommit, checkoutChanges, commitInSlot, dropLocks, slotStatus } from "./slot-commit.ts";
export { lstatBelow } from "./slot-path.ts";
export {
  attachSlot,
  commitsNamedBy,
  createBranch,
  forgetHeadLog,
  isConnected,
  isRegistered,
  moveAdminEntry,
  reconnect,
  resetSlot,
  type SlotChanges,
  type SlotTree,
  slotChanges,
  slotHead,
  stagedTree,
} from "./slot-tree.ts";
export { trackedPaths } from "./tracked-paths.ts";
export { addWorktree, adminNameOf, forgetWorktree, listWorktrees, removeWorktree, type Worktree } from "./worktrees.ts";
