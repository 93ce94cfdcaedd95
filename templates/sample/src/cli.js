#!/usr/bin/env node
import { existsSync } from "node:fs";
import mri from "mri";

const { _: words, ...options } = mri(process.argv.slice(2));
const [command = "help", ...rest] = words;
const file = new URL(`./commands/${command}.js`, import.meta.url);

if (!/^[a-z]+$/.test(command) || !existsSync(file)) {
  console.error("usage: kiosk buy ITEM[:COUNT]...");
  process.exitCode = 2;
} else {
  try {
    const { run } = await import(file.href);
    console.log(run(rest, options));
  } catch (error) {
    console.error(`kiosk: ${error.message}`);
    process.exitCode = 1;
  }
}
