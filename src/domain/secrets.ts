/** A value that must not leave the machine, and the variable that has it. */
export type SecretValue = { name: string; value: string };

/** Names of files that usually hold secrets. */
const NAMES =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$)[\w-]+)?|\.npmrc|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:pem|key|p12|pfx|keystore)|credentials(?:\.json)?|service-account[^/]*\.json)$/i;

/** First line of a private key. It is the same for all keys, so it cannot be compared with other files. */
const PRIVATE_KEY = { what: "a private key", shape: /-----BEGIN (?:[A-Z]{1,20} ){0,4}PRIVATE KEY-----/g };

/**
 * Shapes of providers' keys. `isMade` rejects words of the same shape, such as a CSS class: practically every real key of that
 * provider passes it.
 */
const SHAPES: readonly { what: string; shape: RegExp; isMade: (text: string) => boolean }[] = [
  { what: "an AWS access key", shape: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, isMade: (text) => text.startsWith("AKIA") || /\d/.test(text) },
  { what: "a GitHub token", shape: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{60,255})\b/g, isMade: hasUpperOrDigit },
  { what: "a GitLab token", shape: /\bglpat-[\w-]{20,255}/g, isMade: hasUpperOrDigit },
  { what: "a key of a model's provider", shape: /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}/g, isMade: isProvidersKey },
  { what: "a Slack token", shape: /\bxox[abeprs]-[A-Za-z0-9-]{20,255}/g, isMade: hasUpperOrDigit },
  { what: "a Google API key", shape: /\bAIza[\w-]{35}/g, isMade: () => true },
  { what: "a Stripe key", shape: /\b[rs]k_live_[A-Za-z0-9]{20,255}/g, isMade: hasUpperOrDigit },
  { what: "an npm token", shape: /\bnpm_[A-Za-z0-9]{36}\b/g, isMade: hasUpperOrDigit },
];

function hasUpperOrDigit(text: string): boolean {
  return /[A-Z0-9]/.test(text);
}

/** True for a key with an upper-case letter, or with six digits: some providers use hexadecimal keys. */
function isProvidersKey(text: string): boolean {
  const digits = text.replace(/\D/g, "").length;
  return digits > 0 && (digits >= 6 || /[A-Z]/.test(text));
}

/** True if a file of this name usually holds secrets. */
export function isSecretName(path: string): boolean {
  return NAMES.test(path);
}

/** A secret in a text. `what` describes it without its value: "what looks like an AWS access key", "the value of DB_PASSWORD". */
export type SecretHit = {
  what: string;
  /** The secret itself, so that callers can search for it. Null for a private key: only its first line is known. */
  secret: string | null;
};

/** Returns the secrets in a text. The same secret may occur more than once. */
export function secretHits(text: string, values: readonly SecretValue[]): SecretHit[] {
  const keys = text.search(PRIVATE_KEY.shape) < 0 ? [] : [{ what: `what looks like ${PRIVATE_KEY.what}`, secret: null }];
  const shaped = SHAPES.flatMap(({ what, shape, isMade }) =>
    [...text.matchAll(shape)].flatMap(([secret]) => (isMade(secret) ? [{ what: `what looks like ${what}`, secret }] : [])),
  );
  const known = values
    .filter(({ value }) => text.includes(value))
    .map(({ name, value }) => ({ what: `the value of ${name}`, secret: value }));
  return [...keys, ...shaped, ...known];
}

/** A longer text is scanned in parts of this length. Neighbouring parts share `OVERLAP` characters, so no secret is cut. */
export const LONGEST_PART = 2 ** 20;
export const OVERLAP = 4 * 2 ** 10;

/** Limit for scanning an uncommitted file, in bytes. By default a rescue commits no larger file. */
export const SCANNED_AT_MOST = 50 * 2 ** 20;

/** Cuts a text into overlapping parts, so that a caller can yield to the event loop in between. */
export function* partsOf(text: string): Generator<string> {
  for (let at = 0; at === 0 || at + OVERLAP < text.length; at += LONGEST_PART - OVERLAP) yield text.slice(at, at + LONGEST_PART);
}

/** Returns what secrets a text holds, without their values. */
export function secretsIn(text: string, values: readonly SecretValue[]): string[] {
  return [...new Set(secretHits(text, values).map(({ what }) => what))];
}

/** Returns the text with `***` in place of each secret. Hides a private key up to its last line. */
export function hideSecrets(text: string, values: readonly SecretValue[]): string {
  let hidden = withoutPrivateKeys(text);
  for (const { shape, isMade } of SHAPES) hidden = hidden.replace(shape, (found) => (isMade(found) ? "***" : found));
  // A client's messages are JSON, in which a value may look different.
  for (const { value } of values)
    for (const form of new Set([value, JSON.stringify(value).slice(1, -1)])) hidden = hidden.replaceAll(form, "***");
  return hidden;
}

/** Hides each private key up to its last line. If that line is missing, hides the lines that look like key data. */
function withoutPrivateKeys(text: string): string {
  const parts: string[] = [];
  let at = 0;
  let [end, close] = [-1, -1];
  for (const { 0: first, index } of text.matchAll(PRIVATE_KEY.shape)) {
    if (index < at) continue;
    const begin = index + first.length;
    // Searched once for all keys that begin before it, so that the time stays linear.
    if (end < begin) {
      end = indexOrEnd(text, KEY_END, begin);
      close = indexOrEnd(text, "-----", end + KEY_END.length);
    }
    parts.push(text.slice(at, index), "***");
    KEY_LINES.lastIndex = begin;
    const isWhole = close < text.length && close - begin < LONGEST_KEY;
    at = isWhole ? close + 5 : begin + (KEY_LINES.exec(text)?.[0].length ?? 0);
  }
  return [...parts, text.slice(at)].join("");
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const found = text.indexOf(wanted, from);
  return found < 0 ? text.length : found;
}

const KEY_END = "-----END ";
const KEY_LINES = /(?:[\s+"'\\nr]{0,12}[A-Za-z0-9+/=]{40,})*/y;
const LONGEST_KEY = 20_000;

const SECRET_VARIABLE = /pass|pwd|secret|token|key|credential|auth|private|salt|dsn|cookie|session|webhook/i;

/** Names of settings about secrets, whose values are no secrets: `AUTH_PROVIDER`, `SECRET_MODE`, `SESSION_VERSION`. */
const ABOUT_SECRETS =
  /_(?:provider|prefix|suffix|driver|mode|type|(?:user)?name|host|port|domain|region|issuer|audience|realm|alg|algo|algorithm|ttl|version|store|strategy|backend|method|engine|path|file|dir|format|length|expiry|expires|age|timeout|size|rounds|level)$/i;

/**
 * Returns the values of `NAME=value` lines that are worth hiding: those of variables with a secret's name, random-looking
 * values, and passwords in URLs. Leaves out plain settings (a port, a mode, a host) and ordinary words, which occur in any
 * code.
 */
export function secretValuesOf(text: string): SecretValue[] {
  return text.split("\n").flatMap((line): SecretValue[] => {
    const [, name = "", rest = ""] =
      /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,100})\s*[=:]\s?(.{0,4096})$/.exec(line.replace(/\r$/, "")) ?? [];
    const value = unquoted(rest.trim());
    const password = /^[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,200}:([^\s/@]{6,400})@/i.exec(value)?.[1];
    if (password !== undefined) return isOrdinary(password) ? [] : [{ name, value: password }];
    return isSecretOf(name, value) || isRandom(value) ? [{ name, value }] : [];
  });
}

function isSecretOf(name: string, value: string): boolean {
  if (!SECRET_VARIABLE.test(name) || value.length < 6 || /^(?:true|false|null|none|\d{1,6})$/i.test(value) || isOrdinary(value))
    return false;
  const address = /^[a-z][a-z0-9+.-]{0,30}:\/\/([^/?#]*)(.*)$/i.exec(value);
  // A secret URL (a webhook, a data source) has a random-looking path segment, or a user name.
  if (address !== null) return address[1]?.includes("@") === true || (address[2] ?? "").split(/[/?&=#]/).some(isMixed);
  return !ABOUT_SECRETS.test(name) || (value.length >= 16 && isMixed(value));
}

/** True for one word of fewer than 16 letters: `google`, `Development`. */
function isOrdinary(value: string): boolean {
  return value.length < 16 && /^(?:[A-Z]?[a-z]*|[A-Z]*)$/.test(value);
}

function isMixed(text: string): boolean {
  return text.length >= 8 && /\d/.test(text) && /[a-z]/i.test(text);
}

function unquoted(value: string): string {
  const quoted = /^(["'`])(.*)\1/.exec(value)?.[2];
  return quoted ?? value.replace(/\s+#.*$/, "");
}

/** Long, in one word, of letters and digits mixed: nobody types that for a setting. */
function isRandom(value: string): boolean {
  return /^[A-Za-z0-9+/_=-]{20,}$/.test(value) && /\d/.test(value) && /[a-z]/i.test(value) && new Set(value).size >= 10;
}
