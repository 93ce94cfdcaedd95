/** A value that must not leave the machine, and the variable that has it. */
export type SecretValue = { name: string; value: string };

/** Names of files that usually hold secrets. */
const NAMES =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$)[\w-]+)?|\.npmrc|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:pem|key|p12|pfx|keystore)|credentials(?:\.json)?|service-account[^/]*\.json)$/i;

/** Shapes of keys that providers give out. */
const SHAPES = [
  { what: "a private key", shape: /-----BEGIN (?:[A-Z]{1,20} ){0,4}PRIVATE KEY-----/ },
  { what: "an AWS access key", shape: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: "a GitHub token", shape: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{60,255})\b/ },
  { what: "a GitLab token", shape: /\bglpat-[\w-]{20,255}/ },
  { what: "a key of a model's provider", shape: /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,255}/ },
  { what: "a Slack token", shape: /\bxox[abeprs]-[A-Za-z0-9-]{20,255}/ },
  { what: "a Google API key", shape: /\bAIza[\w-]{35}/ },
  { what: "a Stripe key", shape: /\b[rs]k_live_[A-Za-z0-9]{20,255}/ },
  { what: "an npm token", shape: /\bnpm_[A-Za-z0-9]{36}\b/ },
] as const;

/** True if a file of this name usually holds secrets. */
export function isSecretName(path: string): boolean {
  return NAMES.test(path);
}

/** What secrets a text holds, in words that do not repeat them: "an AWS access key", "the value of DB_PASSWORD". */
export function secretsIn(text: string, values: readonly SecretValue[]): string[] {
  const shaped = SHAPES.filter(({ shape }) => shape.test(text)).map(({ what }) => `what looks like ${what}`);
  const known = values.filter(({ value }) => text.includes(value)).map(({ name }) => `the value of ${name}`);
  return [...shaped, ...known];
}

/** The text with each secret in it replaced by `***`. */
export function hideSecrets(text: string, values: readonly SecretValue[]): string {
  let hidden = text;
  for (const { shape } of SHAPES) if (shape.test(hidden)) hidden = hidden.replace(new RegExp(shape, "g"), "***");
  // A client's messages are JSON, in which a value may look different.
  for (const { value } of values)
    for (const form of new Set([value, JSON.stringify(value).slice(1, -1)])) hidden = hidden.replaceAll(form, "***");
  return hidden;
}

const SECRET_VARIABLE = /pass|pwd|secret|token|key|credential|auth|private|salt|dsn|cookie|session|webhook/i;

/**
 * The values of a file of lines like `NAME=value` that are worth hiding: those of variables that are named for secrets,
 * those that look made by chance, and the passwords in addresses. Plain settings (a port, a mode, a host) are none.
 */
export function secretValuesOf(text: string): SecretValue[] {
  return text.split("\n").flatMap((line): SecretValue[] => {
    const [, name = "", rest = ""] =
      /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,100})\s*[=:]\s?(.{0,4096})$/.exec(line.replace(/\r$/, "")) ?? [];
    const value = unquoted(rest.trim());
    const password = /^[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,200}:([^\s/@]{6,400})@/i.exec(value)?.[1];
    if (password !== undefined) return [{ name, value: password }];
    const isNamed = SECRET_VARIABLE.test(name) && value.length >= 6 && !/^(?:true|false|null|none|\d{1,6})$/i.test(value);
    return isNamed || isRandom(value) ? [{ name, value }] : [];
  });
}

function unquoted(value: string): string {
  const quoted = /^(["'`])(.*)\1/.exec(value)?.[2];
  return quoted ?? value.replace(/\s+#.*$/, "");
}

/** Long, in one word, of letters and digits mixed: nobody types that for a setting. */
function isRandom(value: string): boolean {
  return /^[A-Za-z0-9+/_=-]{20,}$/.test(value) && /\d/.test(value) && /[a-z]/i.test(value) && new Set(value).size >= 10;
}
