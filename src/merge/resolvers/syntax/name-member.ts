import type {
  ClassBody,
  ExportSpecifier,
  ImportSpecifier,
  ObjectExpression,
  PrivateName,
  SwitchCase,
  TSEnumMember,
  TSInterfaceBody,
  TSType,
} from "@babel/types";
import { isInert } from "./inert.ts";
import { free, type Naming, named, ordered, rigid } from "./naming.ts";

type ClassMember = ClassBody["body"][number];
type ObjectMember = ObjectExpression["properties"][number];
type TypeMember = TSInterfaceBody["body"][number];
export type ListedMember = ClassMember | ObjectMember | TypeMember | TSEnumMember | ImportSpecifier | ExportSpecifier | SwitchCase | TSType;

/**
 * What a member of a class, an object, an interface, an enum, a list of names, a switch or a union is called; `source` is
 * its text.
 */
export function nameMember(member: ListedMember, source: string): Naming {
  switch (member.type) {
    case "ObjectProperty":
    case "ObjectMethod":
      return nameOfObject(member, source);
    case "ClassMethod":
    case "ClassPrivateMethod":
    case "TSDeclareMethod": {
      const key = "computed" in member && member.computed === true ? undefined : keyText(member.key);
      // A decorator of a method often registers it: routes are tried in the order of their methods.
      if (key === undefined || (member.decorators?.length ?? 0) > 0) return ordered(`method ${key ?? source}`);
      return named(key, free(`${member.static === true ? "static " : ""}${accessor(member.kind)} ${key}`));
    }
    case "ClassProperty":
    case "ClassPrivateProperty":
    case "ClassAccessorProperty": {
      const key = "computed" in member && member.computed === true ? undefined : keyText(member.key);
      if (key === undefined) return ordered(`field ${source}`);
      const isFree = member.value == null || isInert(member.value);
      return named(key, (isFree ? free : ordered)(`${member.static === true ? "static " : ""}member ${key}`));
    }
    case "TSPropertySignature":
    case "TSMethodSignature": {
      const key = member.computed === true ? undefined : keyText(member.key);
      if (key === undefined) return ordered(source);
      return named(key, free(`${member.type === "TSMethodSignature" ? accessor(member.kind) : "member"} ${key}`));
    }
    case "TSIndexSignature":
      return free(source);
    case "TSEnumMember": {
      const key = keyText(member.id) ?? source;
      // Without a value of its own it has one by its place.
      return named(key, (member.initializer == null ? rigid : free)(`member ${key}`));
    }
    case "ImportSpecifier":
      return named(member.local.name, free(`name ${member.local.name}`));
    case "ExportSpecifier":
      return free(`name ${keyText(member.exported) ?? source}`);
    case "SwitchCase":
      return nameOfCase(member, source);
    case "SpreadElement":
      return rigid(source);
    case "StaticBlock":
    case "TSCallSignatureDeclaration":
    case "TSConstructSignatureDeclaration":
      return ordered(source);
    default:
      return free(source);
  }
}

function nameOfObject(member: Extract<ObjectMember, { type: "ObjectProperty" | "ObjectMethod" }>, source: string): Naming {
  const key = member.computed ? undefined : keyText(member.key);
  if (key === undefined || key === "__proto__") return rigid(source);
  return named(key, free(`${member.type === "ObjectMethod" ? accessor(member.kind) : "member"} ${key}`));
}

/** A case that cannot fall through to the next one, for a value that reading does not change. */
function nameOfCase({ test, consequent }: SwitchCase, source: string): Naming {
  const value = test == null ? undefined : keyText(test);
  if (test == null || value === undefined) return rigid(source);
  const key = `${test.type} ${value}`;
  const last = consequent.at(-1);
  const end = last?.type === "BlockStatement" ? last.body.at(-1) : last;
  const isLeft = end !== undefined && ["ReturnStatement", "ThrowStatement", "BreakStatement", "ContinueStatement"].includes(end.type);
  return named(value, (isLeft ? free : rigid)(`case ${key}`));
}

/** A getter and a setter share a name; all else that does collides. */
const accessor = (kind: string | undefined): string => (kind === "get" || kind === "set" ? kind : "member");

/** A name as it is known at run time: `a` and `"a"` are the same. */
function keyText(key: { type: string } | PrivateName): string | undefined {
  if ("name" in key && typeof key.name === "string") return key.name;
  if ("value" in key && (typeof key.value === "string" || typeof key.value === "number")) return String(key.value);
  return key.type === "PrivateName" && "id" in key ? `#${key.id.name}` : undefined;
}
