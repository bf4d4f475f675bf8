"""Rewrites a Rust file so that all its mutants are built in and can be switched on (mutant.rs)."""

from dataclasses import dataclass

import tree_sitter_rust
from tree_sitter import Language, Parser

PARSER = Parser(Language(tree_sitter_rust.language()))

# The name of a comparison in mutant.rs, and its mutants.
COMPARISONS = {
    "<": ("less", ["<=", ">="]),
    "<=": ("at_most", ["<", ">"]),
    ">": ("more", [">=", "<="]),
    ">=": ("at_least", [">", "<"]),
    "==": ("equal", ["!="]),
    "!=": ("unequal", ["=="]),
}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "+=": "-=", "-=": "+="}


@dataclass
class Mutant:
    number: int
    file: str
    line: int
    change: str
    # Identifies it even when lines have moved.
    key: str = ""


class File:
    """One source file: `text` is the rewritten text, `mutants` are those built in."""

    def __init__(self, name, source, first):
        self.name, self.source, self.first = name, source, first
        self.mutants = []
        self.function = ""
        self.text = self.render(PARSER.parse(source).root_node)
        seen = {}
        for mutant in self.mutants:
            seen[mutant.key] = seen.get(mutant.key, 0) + 1
            mutant.key += f" #{seen[mutant.key]}"

    def add(self, node, change, about=None):
        number = self.first + len(self.mutants)
        about = about or " ".join(self.of(node).decode().split())
        key = f"{self.name.rsplit('/path/')[-1]} {self.function}: {about}: {change}"
        self.mutants.append(Mutant(number, self.name, node.start_point[0] + 1, change, key))
        return number

    def of(self, node):
        return self.source[node.start_byte : node.end_byte]

    def render(self, node):
        if is_const(node) or is_test(node):
            return self.of(node)
        if node.type == "function_item":
            return self.render_function(node)
        if node.type == "binary_expression":
            return self.render_binary(node)
        if node.type == "unary_expression" and node.children[0].type == "!":
            number = self.add(node, "! left out")
            return b"(!(%s) ^ crate::mutant::on(%d))" % (self.render(node.children[1]), number)
        if node.type == "compound_assignment_expr":
            left, operator, right = (self.of(child) for child in parts(node))
            other = ARITHMETIC.get(operator.decode())
            if other:
                right = self.render(parts(node)[2])
                number = self.add(node, f"{operator.decode()} is {other}")
                changed = b"%s %s %s" % (left, other.encode(), right)
                return b"if crate::mutant::on(%d) { %s } else { %s %s %s }" % (number, changed, left, operator, right)
        return self.render_children(node)

    def render_children(self, node):
        text, at = b"", node.start_byte
        for child in node.children:
            text += self.source[at : child.start_byte] + self.render(child)
            at = child.end_byte
        return text + self.source[at : node.end_byte]

    def render_function(self, node):
        outer, self.function = self.function, self.of(node.child_by_field_name("name")).decode()
        body, returns = node.child_by_field_name("body"), node.child_by_field_name("return_type")
        returns = self.of(returns).decode() if returns else ""
        numbers = [self.add(node, f"{self.function}() returns {value}", "result") for value in results_of(returns)]
        head, inner = self.source[node.start_byte : body.start_byte], self.render(body)
        self.function = outer
        if not numbers:
            return head + inner
        if not returns:
            return head + b"{ if crate::mutant::on(%d) { return; } %s }" % (numbers[0], inner)
        name = b"of_bool" if returns == "bool" else b"of_option"
        return head + b"{ crate::mutant::%s(%d, || -> %s %s) }" % (name, numbers[0], returns.encode(), inner)

    def render_binary(self, node):
        left, operator, right = parts(node)
        sign = self.of(operator).decode()
        if sign in COMPARISONS:
            name, others = COMPARISONS[sign]
            numbers = [self.add(node, f"{sign} is {other}") for other in others]
            sides = (numbers[0], self.render(left), self.render(right))
            return b"crate::mutant::%s(%d, &(%s), &(%s))" % (name.encode(), *sides)
        if sign in ("&&", "||"):
            number = self.add(node, f"{sign} is {'||' if sign == '&&' else '&&'}")
            name = b"both" if sign == "&&" else b"either"
            return b"crate::mutant::%s(%d, %s, %s)" % (name, number, self.render(left), self.render(right))
        if sign in ARITHMETIC:
            number = self.add(node, f"{sign} is {ARITHMETIC[sign]}")
            left, right = self.render(left), self.render(right)
            changed = b"%s %s %s" % (left, ARITHMETIC[sign].encode(), right)
            return b"(if crate::mutant::on(%d) { %s } else { %s %s %s })" % (number, changed, left, operator.text, right)
        return self.render_children(node)


def results_of(returns):
    """Values that a mutant of a function returns at once."""
    if returns.startswith("Option<"):
        return ["None"]
    return {"bool": ["true", "false"], "": ["at once"]}.get(returns, [])


def parts(node):
    return [node.child_by_field_name("left"), node.child_by_field_name("operator"), node.child_by_field_name("right")]


def is_const(node):
    if node.type in ("const_item", "static_item", "array_type", "macro_invocation", "attribute_item"):
        return True
    return node.type == "function_item" and any(
        child.type == "function_modifiers" and b"const" in child.text for child in node.children
    )


def is_test(node):
    before = node.prev_sibling
    while before is not None and before.type == "attribute_item":
        if b"test" in before.text:
            return True
        before = before.prev_sibling
    return False
