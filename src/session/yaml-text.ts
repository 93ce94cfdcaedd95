// Its own file, imported when a view is written: the yaml library is not loaded by verbs that write none, and the
// bundler finds a static import of it, which it needs for a CommonJS package.
export { stringify } from "yaml";
