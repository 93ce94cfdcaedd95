import pc from "picocolors";
import { cleanText, type GraftworkError, hideCredentials } from "../domain/index.ts";

/** `error[CODE]: …`, `because: …`, `try: …`: three parts, also where a part has several lines. */
export function errorText(error: GraftworkError, color: boolean): string {
  const { red, bold, dim } = pc.createColors(color);
  const clean = (text: string): string => hideCredentials(cleanText(text)).trimEnd().replaceAll("\n", "\n    ");
  return `${red(bold(`error[${error.code}]`))}: ${clean(error.message)}\n  ${dim("because:")} ${clean(error.because)}\n  ${dim("try:")} ${clean(error.try)}\n`;
}

export function errorJson(error: GraftworkError): object {
  const { code, message, because, details } = error;
  const clean = (text: string): string => hideCredentials(cleanText(text));
  return {
    ok: false,
    schemaVersion: 1,
    error: { code, exit: error.exitCode, message: clean(message), because: clean(because), try: clean(error.try), details },
  };
}
