import type { Class, Expression } from "@babel/types";

/**
 * True where evaluating an expression runs no code of the program's own and reads nothing that an earlier statement
 * sets: two declarations with such values may stand in either order.
 */
export function isInert(value: Expression): boolean {
  switch (value.type) {
    case "ArrowFunctionExpression":
    case "FunctionExpression":
    case "StringLiteral":
    case "NumericLiteral":
    case "BigIntLiteral":
    case "BooleanLiteral":
    case "NullLiteral":
    case "RegExpLiteral":
      return true;
    case "TemplateLiteral":
      return value.expressions.length === 0;
    case "UnaryExpression":
      return value.operator === "-" && isInert(value.argument);
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return isInert(value.expression);
    case "ArrayExpression":
      return value.elements.every((one) => one !== null && one.type !== "SpreadElement" && isInert(one));
    case "ObjectExpression":
      return value.properties.every(
        (one) => one.type !== "SpreadElement" && !one.computed && (one.type === "ObjectMethod" || isInert(one.value as Expression)),
      );
    case "ClassExpression":
      return isInertClass(value);
    default:
      return false;
  }
}

/** True where a class is defined without running code: no decorators, no static values, no computed names. */
export function isInertClass({ decorators, body }: Class): boolean {
  if (decorators != null && decorators.length > 0) return false;
  return body.body.every((member) => {
    if (member.type === "StaticBlock" || ("computed" in member && member.computed === true)) return false;
    if ("decorators" in member && member.decorators != null && member.decorators.length > 0) return false;
    const isField = member.type === "ClassProperty" || member.type === "ClassPrivateProperty" || member.type === "ClassAccessorProperty";
    return !isField || member.static !== true || member.value == null || isInert(member.value);
  });
}
