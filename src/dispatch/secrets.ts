/** Names of files that usually hold secrets. */
const NAMES =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$)[\w-]+)?|\.npmrc|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:pem|key|p12|pfx|keystore)|credentials(?:\.json)?|service-account[^/]*\.json)$/i;

/** Shapes of keys that providers give out. */
const SHAPES = [
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36,}\b/,
  /\bgithub_pat_\w{60,}\b/,
  /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b/,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}\b/,
  /\bAIza[\w-]{35}\b/,
];

/**
 * Returns why a file must not be committed on an agent's behalf; undefined if it may be. The name alone counts only for
 * new files: a person let in the one that is tracked.
 */
export function secretIn(path: string, text: string, tracked: boolean): string | undefined {
  if (!tracked && NAMES.test(path)) return `${path} (by its name)`;
  return SHAPES.some((shape) => shape.test(text)) ? `${path} (it holds what looks like a key)` : undefined;
}
