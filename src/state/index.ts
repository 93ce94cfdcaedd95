export { adoptFacts } from "./adopt-facts.ts";
export { makeFolderWhole, moveFile, replaceByCopy, replaceFile } from "./atomic-file.ts";
export { copyTree } from "./copy-tree.ts";
export {
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  removeFile,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "./disk.ts";
export {
  type GenerationStore,
  openStore,
  removeStore,
  type StoreCommit,
  type StoreOptions,
  type StoreRecord,
  storeExists,
} from "./generation-store.ts";
export { beginJournal, type Journal, type JournalContent, readJournal } from "./journal.ts";
export { type Layout, layoutOf, type OwnGitKind, rootIn } from "./layout.ts";
export { litterOf, removeLitter } from "./litter.ts";
export { type LiveState, liveRun, liveStore } from "./live-run.ts";
export { withMutex } from "./mutex.ts";
export { isWithin, privateFolder, requireWithin } from "./private-folder.ts";
export { fileRefused, readBytes, readText } from "./read-file.ts";
export {
  changedFacts,
  readTrusted,
  removeTrusted,
  sealedText,
  storeProblem,
  type TrustedFact,
  unsealedText,
  userFolder,
  writableStore,
  writeTrusted,
} from "./trusted-store.ts";
