export { configJsonSchema } from "./config-json-schema.ts";
export { explainConfig } from "./explain-config.ts";
export { type ConfigRequest, type LoadedConfig, loadConfig, type Origin, userConfig } from "./load-config.ts";
