export { addedText, cutOff } from "./added-text.ts";
export { type ChangeBetween, effectOf, standIns } from "./apply-change.ts";
export { captureWork, writeCapture } from "./capture.ts";
export {
  aheadBehind,
  branchCommits,
  changedPaths,
  commitLike,
  commitsBetween,
  commitsOnTop,
  commitTime,
  commitTree,
  GRAFTWORK,
  isWhole,
  lastToTouch,
  listPaths,
  mergeBase,
  mergeCommits,
  messageOf,
  type Person,
  patchBetween,
  readBlob,
  readFileAt,
  renamesBetween,
  subjects,
  treeOf,
  treesOfLine,
  userIdentity,
  writeBlob,
} from "./commit-objects.ts";
export { configKeys, configValue, setConfigValue } from "./config-keys.ts";
export { filtersOf } from "./conversions.ts";
export { editTree, type TreeEdit } from "./edit-tree.ts";
export { exportChanges, treeOfExport } from "./export-changes.ts";
export { type ExportLimits, exportLimits } from "./export-limits.ts";
export { exportTree } from "./export-tree.ts";
export { below, pathProblem } from "./git-path.ts";
export { textsInTree, treeHoldsText } from "./grep-tree.ts";
export { type Planted, plantedText } from "./guarded-settings.ts";
export {
  type HeldValue,
  isPutBack,
  isRunsBase,
  type Listed,
  lostValues,
  madeOn,
  newestBetween,
  ownCommits,
  PUT_BACK,
} from "./held-values.ts";
export { ignoredPaths } from "./ignored-paths.ts";
export { broughtBy, firstParentOf, integratedBy, isIntegrated, standingInParts, standingOfMerged } from "./integrated.ts";
export { checkoutOf, dangerousConfig, fastForward, headOf, movedFrom } from "./land-checkout.ts";
export { type FilesLanded, landFiles, moveByGit, settleDeadLandings, settleLandings } from "./land-files.ts";
export { type LockFile, lockFiles } from "./lock-files.ts";
export { attributesKey, type NotBlended, notBlended, withMergeAttributes } from "./merge-attributes.ts";
export { type MergeBases, mergeBases } from "./merge-bases.ts";
export { mergePairs, type PairMerge } from "./merge-pairs.ts";
export { mergeTrees } from "./merge-trees.ts";
export type { ConflictStage, MergedTrees, MergeMessage, MergeSides } from "./merged-trees.ts";
export { wantedName } from "./moved-names.ts";
export type { Oid } from "./oid.ts";
export { pathBytes, plainPath } from "./path-text.ts";
export { pinSettings, plantedSettings, undoPlanted } from "./pinned-settings.ts";
export { firstParentLog, type LoggedCommit } from "./porcelain.ts";
export { withQuarantine } from "./quarantine.ts";
export { readBelow } from "./read-below.ts";
export {
  currentBranch,
  isAncestor,
  type RefChange,
  readRef,
  readRefs,
  requireBranch,
  requireCommit,
  resolveCommit,
  resolveNames,
  unreachable,
  updateRefs,
} from "./refs.ts";
export { openRepository, type Repository } from "./repository.ts";
export { halfLanded, moveCheckoutBack, restoreCheckout } from "./restore-checkout.ts";
export type { GitContext } from "./run-git.ts";
export { type SlotChanges, scanSlot, untouchedSince } from "./scan-slot.ts";
export { adoptCommit, checkoutChanges, commitInSlot, dropLocks, type SlotStatus, slotStatus } from "./slot-commit.ts";
export { commitsBeyond, lastInHeadLog, unfinishedIn, wasHeadOutside, wasMadeIn } from "./slot-history.ts";
export { lstatBelow, readFolder, stampBelow } from "./slot-path.ts";
export {
  attachSlot,
  branchOff,
  commitsNamedBy,
  detachSlot,
  forgetHeadLog,
  hasSavedIndex,
  hasStagedWork,
  isAsLeft,
  isConnected,
  isOnBranch,
  isRegistered,
  moveAdminEntry,
  moveSlot,
  reconnect,
  reregister,
  resetSlot,
  type SlotTree,
  slotFiles,
  slotHead,
  stagedTree,
  stageTree,
  trustIndex,
} from "./slot-tree.ts";
export { snapshotSlot } from "./snapshot-slot.ts";
export { squashedCommits } from "./squashed-commits.ts";
export { holderOf, type Standing, standingOf } from "./standing.ts";
export { symlinksIn } from "./symlinks.ts";
export { trackedPaths } from "./tracked-paths.ts";
export {
  type CommitRange,
  committedPaths,
  differencesOfAll,
  emptyTree,
  type Side,
  type TreeDifference,
  treeDifferences,
  unsafePathIn,
} from "./tree-differences.ts";
export { untrackedPaths } from "./untracked-paths.ts";
export { type BranchWork, makesChange, partsOf } from "./work-parts.ts";
export { addWorktree, adminNameOf, forgetWorktree, listWorktrees, otherRepositoryAt, removeWorktree, type Worktree } from "./worktrees.ts";
