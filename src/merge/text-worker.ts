import { parentPort } from "node:worker_threads";
import { doTextWork, type SentWork, withTexts } from "./text-work.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Runs in the other thread: does one piece of work after the other, and answers with its result or its error. */
parentPort?.on("message", ({ work, texts }: SentWork) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
  const say = (answer: object): void => parentPort?.postMessage(answer);
  doTextWork(
    withTexts(
      work,
      texts.map((text) => decoder.decode(text)),
    ),
  ).then(
    (result) => say({ result }),
    (error: unknown) => say({ error: error instanceof Error ? error.message : String(error) }),
  );
});
