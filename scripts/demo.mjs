// `npm run demo`: sets the checkout up and runs the demo (docs/demo.md).
//   --dir FOLDER   a new or empty folder in place of a temporary one
//   --clean        removes the folder at the end
//   --record       keeps what it printed in docs/demo-output.txt
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureReady, root } from "./setup.mjs";

try {
  const { values } = parseArgs({ options: { dir: { type: "string" }, clean: { type: "boolean" }, record: { type: "boolean" } } });
  await ensureReady();
  const { demo } = await import("../templates/sample-plan/demo.mjs");
  let printed = "";
  const color = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb" && !values.record;
  const folder = await demo({
    ...values,
    color,
    // A recording reads the same whatever the machine's language is.
    env: values.record ? { ...process.env, LC_ALL: "C.UTF-8" } : process.env,
    write(text) {
      printed += text;
      process.stdout.write(text);
    },
  });
  if (values.record) writeFileSync(join(root, "docs/demo-output.txt"), withoutPlaces(printed, folder));
} catch (error) {
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = 1;
}

function withoutPlaces(text, folder) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return text.replaceAll(folder, "/tmp/graftwork-demo").replaceAll(root, `/opt/graftwork-${version}`);
}
