import { tailLines } from "../domain/index.ts";

/** What npm calls failures that the work has no part in. */
const NPM =
  /^(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EAI_AGAIN|EAI_FAIL|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET\w*|ERR_SSL\w*|UNABLE_TO\w*|SELF_SIGNED\w*|DEPTH_ZERO\w*|CERT_\w*|ENOSPC|EDQUOT|EMFILE|ENFILE|EROFS|EACCES|EPERM|EIO|ENEEDAUTH|E401|E403|E407|E408|E429|E5\d\d|FETCH_ERROR)$/;

/** The same in the words of other package managers, and of npm if it names no code. */
const OTHERS =
  /\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ENOSPC|EDQUOT|EROFS|ERR_PNPM_(?:META_)?FETCH_(?:FAIL|40[13]|5\d\d)|There appears to be trouble with your network connection|No space left on device|ConnectionRefused)\b/;

/**
 * Whose fault a failed install is: the work's (a lockfile that does not fit, a version that nobody has) or the
 * environment's (the registry, the disk, credentials). npm names one code, which counts more than any word.
 */
export function installFault(said: string): "work" | "environment" {
  const code = /^npm (?:error|ERR!) code (\S+)$/m.exec(said)?.[1];
  return (code === undefined ? OTHERS.test(said) : NPM.test(code)) ? "environment" : "work";
}

/** From here on npm explains its options, at length. */
const NPM_USAGE = /^npm (?:error|ERR!) (?:Clean install a project|Install a package|Usage:)\s*$/m;

/** The last lines that say what was wrong, without npm's notices, help and log file. */
export function installExcerpt(said: string): string {
  const usage = NPM_USAGE.exec(said);
  const [told, rest] = usage === null ? [said, ""] : [said.slice(0, usage.index), said.slice(usage.index)];
  // What is not npm's own help comes after it: the streams were put one behind the other.
  const lines = `${told}\n${rest.replace(/^npm (?:error|ERR!).*$/gm, "")}`.split("\n");
  const kept = lines.filter(
    (line) => !/^npm (?:notice|warn)\b|^npm (?:error|ERR!)\s*$|complete log of this run/.test(line) && line.trim() !== "",
  );
  return tailLines(kept.join("\n"), 20);
}
