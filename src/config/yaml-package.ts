// Its own file, imported where a configuration file exists. A static import inside it, since the bundler cannot see
// the names of a CommonJS package that is imported dynamically.
export * as yaml from "yaml";
